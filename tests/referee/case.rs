//! A case: a ruleset and frames. It is judged by the kernel and by redan, shrunk when they differ, and kept as a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use redan_vm::Instant;

use crate::compare::{Answer, Judgement, difference, normal, probed_state, table_line};
use crate::kernel::{Kernel, PORTS};
use crate::lab::Lab;
use crate::listing;
use crate::redan::{self, EngineKind};
use crate::rulesets::Ruleset;
use crate::traffic::{Frame, Vnet};

/// Tries that shrinking may take.
const TRIES: usize = 120;

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rules: Ruleset,
    pub(crate) frames: Vec<Frame>,
    pub(crate) lab: Lab,
}

impl Case {
    /// Where redan and the kernel differ.
    pub(crate) fn difference(&self) -> Option<String> {
        let (kernel, times) = match ask(&self.rules.text(), &self.frames, self.lab) {
            Ok(judged) => judged,
            Err(why) => return Some(why),
        };
        EngineKind::ALL.into_iter().find_map(|engine| {
            let redan = redan::judge(
                &self.rules.text(),
                &timed(&self.frames, &times),
                engine,
                self.lab,
            );
            difference(&kernel, &redan).map(|what| format!("{engine:?}: {what}"))
        })
    }

    /// As [`Self::difference`], but that a ruleset does not load any more is none.
    fn still_differs(&self) -> Option<String> {
        self.difference().filter(|why| !why.starts_with("nft: "))
    }

    /// A smaller case that still fails, and how.
    pub(crate) fn shrink(self, what: String) -> (Self, String) {
        let (mut best, mut what) = (self, what);
        if let Some(frames) = frame_of(&what) {
            best.frames.truncate(frames);
        }
        let mut tries = 0;
        let mut step = best.frames.len() / 2;
        while step > 0 && tries < TRIES {
            let mut at = best.frames.len();
            while at > 0 && tries < TRIES {
                let from = at.saturating_sub(step);
                let mut less = best.clone();
                less.frames.drain(from..at);
                tries += 1;
                if let Some(why) = less.still_differs() {
                    (best, what) = (less, why);
                }
                at = from;
            }
            step /= 2;
        }
        let mut again = true;
        while again && tries < 2 * TRIES {
            again = false;
            for rules in best.rules.smaller() {
                let less = Self {
                    rules,
                    frames: best.frames.clone(),
                    lab: best.lab,
                };
                tries += 1;
                if let Some(why) = less.still_differs() {
                    (best, what, again) = (less, why, true);
                    break;
                }
            }
        }
        (best, what)
    }

    /// Writes the case with what the kernel says of it; gives the file.
    pub(crate) fn keep(&self, seed: u64, number: usize) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/referee");
        std::fs::create_dir_all(&folder).expect("a folder for cases");
        let path = folder.join(format!("seed-{seed}-{number}.case"));
        keep(&path, &self.rules.text(), &self.frames, self.lab);
        path
    }
}

/// What Linux says, and when each frame went in.
fn ask(rules: &str, frames: &[Frame], lab: Lab) -> Result<(Judgement, Vec<Instant>), String> {
    let (rules, frames) = (rules.to_string(), frames.to_vec());
    std::thread::spawn(move || {
        let kernel = Kernel::new(lab)?;
        kernel.load(&rules)?;
        let mut judged = Judgement::default();
        let mut times = Vec::with_capacity(frames.len());
        for frame in &frames {
            times.push(now());
            let out = kernel.send(frame);
            judged.answers.push(answer(&frame.bytes, out, lab));
        }
        judged.counters = listing::of_linux(&Kernel::list());
        judged.table = Kernel::conntrack().lines().map(table_line).collect();
        Ok((judged, times))
    })
    .join()
    .map_err(|_| "the kernel's thread panicked".to_string())?
}

/// Writes a case with what the kernel says of it; whether it could be asked.
pub(crate) fn keep(path: &Path, rules: &str, frames: &[Frame], lab: Lab) -> bool {
    let (judged, times) = ask(rules, frames, lab).unwrap_or_default();
    let asked = !times.is_empty();
    let text = write(rules, &timed(frames, &times), &judged, lab);
    std::fs::write(path, text).expect("a case is written");
    asked
}

/// The frame that a difference speaks of, from 1.
fn frame_of(what: &str) -> Option<usize> {
    let (_, number) = what.split_once("frame ")?;
    number.split(':').next()?.parse().ok()
}

fn timed(frames: &[Frame], times: &[Instant]) -> Vec<(Instant, Frame)> {
    times.iter().copied().zip(frames.iter().cloned()).collect()
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's clock cannot be set, so redan is given the time at which the kernel saw a frame"
    )]
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    Instant::from_nanos(u64::try_from(since.as_nanos()).expect("before 2554"))
}

/// What came out for a frame, normalised, by port; the state is that of the first.
pub(crate) fn answer(input: &[u8], mut out: Vec<(usize, Vec<u8>)>, lab: Lab) -> Answer {
    out.sort_by_key(|(port, _)| *port);
    let first = out.first().filter(|_| lab == Lab::Watched);
    let state = first.and_then(|(_, frame)| probed_state(frame));
    let out: Vec<_> = out
        .into_iter()
        .map(|(port, frame)| (port, normal(&frame, input, lab)))
        .collect();
    Answer { state, out }
}

/// A case as text: `~ LAB` unless it is watched, `rules`, then per frame `> PORT NANOSECONDS HEX`, with a fifth word for what is left to the
/// network card, its state, and a line `< PORT HEX` for each frame that came out;
/// then counters and the table.
fn write(rules: &str, frames: &[(Instant, Frame)], judged: &Judgement, lab: Lab) -> String {
    let mut text = format!("{rules}\n");
    if lab != Lab::Watched {
        text = format!("~ {}\n{text}", lab.word());
    }
    for ((time, frame), answer) in frames.iter().zip(&judged.answers) {
        let _ = write!(
            text,
            "> {} {} {}",
            PORTS[frame.port].name,
            time.as_nanos(),
            hex(&frame.bytes)
        );
        if frame.vnet != Vnet::default() {
            let _ = write!(text, " {}", hex(&frame.vnet.0));
        }
        text.push('\n');
        let _ = writeln!(text, "= {}", answer.state.unwrap_or("-"));
        for (port, bytes) in &answer.out {
            let _ = writeln!(text, "< {} {}", PORTS[*port].name, hex(bytes));
        }
    }
    for (packets, bytes) in &judged.counters {
        let _ = writeln!(text, "# {packets} {bytes}");
    }
    for (line, left) in &judged.table {
        let _ = writeln!(text, "@ {left} {line}");
    }
    text
}

/// A case as it was kept: rules, frames with their times, the kernel's judgement.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) lab: Lab,
    pub(crate) rules: String,
    pub(crate) frames: Vec<(Instant, Frame)>,
    pub(crate) kernel: Judgement,
}

/// Reads what [`Case::keep`] wrote.
pub(crate) fn read(path: &Path) -> Kept {
    let text = std::fs::read_to_string(path).expect("a case is readable");
    let mut kept = Kept::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let port = |name: &str| {
            PORTS
                .iter()
                .position(|p| p.name == name)
                .expect("a port's name")
        };
        match words[..] {
            ["~", word] => kept.lab = Lab::from_word(word).expect("a laboratory"),
            [">", name, time, bytes, ref left @ ..] => {
                kept.frames.push((
                    Instant::from_nanos(time.parse().expect("nanoseconds")),
                    Frame {
                        port: port(name),
                        bytes: unhex(bytes),
                        vnet: left.first().map_or_else(Vnet::default, |left| {
                            Vnet(unhex(left).try_into().expect("ten bytes"))
                        }),
                    },
                ));
            }
            ["=", state] => {
                let state = ["new", "established", "related", "invalid", "untracked"]
                    .into_iter()
                    .find(|s| *s == state);
                kept.kernel.answers.push(Answer {
                    state,
                    out: Vec::new(),
                });
            }
            ["<", name, bytes] => kept
                .kernel
                .answers
                .last_mut()
                .expect("a frame before")
                .out
                .push((port(name), unhex(bytes))),
            ["#", packets, bytes] => kept.kernel.counters.push((
                packets.parse().expect("a number"),
                bytes.parse().expect("a number"),
            )),
            ["@", left, ..] => kept
                .kernel
                .table
                .push((words[2..].join(" "), left.parse().expect("seconds"))),
            _ => {
                kept.rules += line;
                kept.rules.push('\n');
            }
        }
    }
    kept
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
        .collect()
}
