//! A capture, read whole: interfaces may come between frames, and a capture may be run several times.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context as _, Result};
use redan_runtime::driver::capture::{CaptureError, CaptureReader, Captured};
use redan_vm::Instant;

use crate::input;

/// What a capture file gave.
pub(super) struct Capture {
    /// Its frames, in order.
    pub(super) frames: Vec<Captured>,
    /// Its interfaces, by number, with their names where it has them.
    pub(super) interfaces: Vec<Option<String>>,
    /// Why there are no more frames, when that is not the file's proper end.
    pub(super) fault: Option<Fault>,
}

/// What is wrong with a capture behind the frames that it gave.
pub(super) struct Fault {
    /// What, with the file's name.
    pub(super) message: String,
    /// Whether it merely ends inside a record.
    pub(super) is_truncation: bool,
}

impl Capture {
    /// Reads a file or stdin.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let name = input::display_name(path);
        let bytes = input::read(path)?;
        let mut reader = CaptureReader::new(Box::new(Cursor::new(bytes)))
            .with_context(|| format!("cannot read {name}"))?;
        let mut frames = Vec::new();
        let fault = loop {
            match reader.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break None,
                Err(error) => break Some(fault(&name, &error)),
            }
        };
        Ok(Self {
            frames,
            interfaces: reader.interfaces().to_vec(),
            fault,
        })
    }

    /// When the first frame came.
    pub(super) fn start(&self) -> Instant {
        self.frames
            .first()
            .map(|frame| frame.time)
            .unwrap_or_default()
    }

    /// When the last frame came.
    pub(super) fn end(&self) -> Instant {
        self.frames
            .iter()
            .map(|frame| frame.time)
            .max()
            .unwrap_or_default()
    }
}

fn fault(name: &str, error: &CaptureError) -> Fault {
    let is_truncation = match error {
        CaptureError::Truncated { .. } => true,
        CaptureError::UnknownFormat(_)
        | CaptureError::NoHeader
        | CaptureError::UnknownLinkType { .. }
        | CaptureError::Damaged { .. }
        | CaptureError::Io(_) => false,
    };
    Fault {
        message: format!("{name}: {error}"),
        is_truncation,
    }
}
