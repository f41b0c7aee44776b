//! A capture as commands read it: from a file, stdin or a pipe, frame by frame in order of time, with progress for somebody at a terminal.

pub(crate) mod flow;
pub(crate) mod machine;
pub(crate) mod names;
pub(crate) mod survey;

use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use redan_runtime::driver::capture::order::{Numbered, Ordered, WINDOW};
use redan_runtime::driver::capture::{CaptureError, CaptureReader, Interface};
use redan_vm::Instant;

use crate::exit::Exit;
use crate::input;
use crate::output::progress::Progress;
use crate::output::terminal::Terminal;

/// Most bytes of frames that are kept to be run again.
const MOST_KEPT: usize = 512 * 1024 * 1024;

/// A capture being read.
pub(crate) struct Capture {
    /// How messages call it.
    pub(crate) name: String,
    ordered: Ordered,
    progress: Progress,
    start: Instant,
    end: Instant,
    /// Frames read to be run several times, and not given yet.
    kept: Option<std::vec::IntoIter<Numbered>>,
    fault: Option<CaptureError>,
    given: u64,
}

/// A reader that tells how far it is.
struct Watched<R> {
    reader: R,
    progress: Progress,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(bytes)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl Capture {
    /// Opens a capture, and reads on until its first frames and their interfaces are known. `scrolls`: results are printed while it is read,
    /// which is progress enough where they go to a terminal.
    pub(crate) fn open(path: &Path, scrolls: bool) -> Result<Self> {
        let name = input::display_name(path);
        let progress = if scrolls && io::stdout().is_terminal() {
            Progress::none()
        } else {
            Progress::on(name.clone())
        };
        progress.step("reading");
        progress.out_of(file_bytes(path));
        let watched = Watched {
            reader: input::open(path)?,
            progress: progress.clone(),
        };
        let reader =
            CaptureReader::new(Box::new(watched)).with_context(|| format!("cannot read {name}"))?;
        let mut ordered = Ordered::new(reader);
        let start = ordered
            .look_ahead()
            .map(|first| first.time)
            .unwrap_or_default();
        Ok(Self {
            name,
            ordered,
            progress,
            start,
            end: Instant::default(),
            kept: None,
            fault: None,
            given: 0,
        })
    }

    /// The interfaces known so far, by number; more may come.
    pub(crate) fn interfaces(&self) -> &[Interface] {
        self.ordered.interfaces()
    }

    /// When the first frame came.
    pub(crate) const fn start(&self) -> Instant {
        self.start
    }

    /// When the last frame that was given came.
    pub(crate) const fn end(&self) -> Instant {
        self.end
    }

    /// Reads the whole capture into memory, to run it several times.
    pub(crate) fn keep(&mut self) -> Result<Vec<Numbered>> {
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while let Some(frame) = self.next_frame() {
            bytes += frame.captured.frame.bytes.len();
            if bytes > MOST_KEPT {
                bail!(
                    "{}: --repeat keeps a capture in memory, and this one has more than {} MiB; measure a part of it (editcap -c)",
                    self.name,
                    MOST_KEPT >> 20
                );
            }
            frames.push(frame);
        }
        self.given = 0;
        self.kept = Some(frames.clone().into_iter());
        Ok(frames)
    }

    /// The next frame; `None` at the end, or where the capture cannot be read on.
    pub(crate) fn next_frame(&mut self) -> Option<Numbered> {
        let next = match &mut self.kept {
            Some(kept) => kept.next(),
            None => self.ordered.next_frame().unwrap_or_else(|error| {
                self.fault = Some(error);
                None
            }),
        };
        if let Some(frame) = &next {
            self.end = self.end.max(frame.captured.time);
            self.given += 1;
        }
        next
    }

    /// Says what the capture lacked, and how its reading ends.
    pub(crate) fn close(&mut self, terminal: &mut Terminal) -> Result<Exit> {
        self.progress.end();
        let name = &self.name;
        if self.ordered.moved() > 0 {
            terminal.note(&format!(
                "redan: {name}: {} frames stand behind later ones, as captures of several interfaces are written; they were put in order of time",
                self.ordered.moved()
            ));
        }
        if self.ordered.late() > 0 {
            terminal.warning(&format!(
                "{name}: {} frames are more than {} s older than one before them, too old to be put in their place; each was taken \
                 at the time of the frame before it (reordercap puts a whole file in order)",
                self.ordered.late(),
                WINDOW.as_secs()
            ));
        }
        let mut exit = Exit::Fine;
        for skipped in self.ordered.skipped() {
            terminal.warning(&format!(
                "{name}: {} passed over, the first is record {}: {}",
                counted(skipped.count, "record"),
                skipped.first,
                skipped.what
            ));
            exit = Exit::Findings;
        }
        match self.fault.take() {
            None if self.given == 0 && exit == Exit::Findings => {
                bail!("{name}: no frame in it could be read")
            }
            None => Ok(exit),
            Some(error @ CaptureError::Truncated { .. }) => {
                terminal.warning(&format!("{name}: {error}"));
                Ok(Exit::Findings)
            }
            Some(error) => bail!("{name}: {error}"),
        }
    }
}

/// The interfaces of a whole file; `None` where it can be read only once.
pub(crate) fn all_interfaces(path: &Path) -> Result<Option<Vec<Interface>>> {
    if file_bytes(path).is_none() {
        return Ok(None);
    }
    let name = input::display_name(path);
    let progress = Progress::on(name.clone());
    progress.step("looking for interfaces in");
    let mut reader =
        CaptureReader::new(input::open(path)?).with_context(|| format!("cannot read {name}"))?;
    // What is wrong with it is said when its frames are read.
    while let Ok(Some(_)) = reader.next_frame() {}
    progress.end();
    Ok(Some(reader.interfaces().to_vec()))
}

/// The length of a regular file.
fn file_bytes(path: &Path) -> Option<u64> {
    if input::is_stdin(path) {
        return None;
    }
    let meta = std::fs::metadata(path).ok()?;
    meta.is_file().then_some(meta.len())
}

/// `1 frame`, `2 frames`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
