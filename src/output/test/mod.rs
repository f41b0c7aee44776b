//! What a test came to, for people and for programs.

pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod text;

use super::way::{Setting, Way};
use crate::scenario::{self, Failure, Line, Played};

/// A test that was run.
pub(crate) struct Tested<'a> {
    /// Its file.
    pub(crate) name: &'a str,
    /// Its lines.
    pub(crate) lines: &'a [Line],
    /// How many of them send a packet.
    pub(crate) sent: usize,
    /// Those that did not come out as they say.
    pub(crate) failures: Vec<Failed<'a>>,
    /// What ways are told of; `None` where none are.
    pub(crate) setting: Option<Setting<'a>>,
}

/// A line that did not come out as it says.
pub(crate) struct Failed<'a> {
    /// What it says, and what happened.
    pub(crate) failure: &'a Failure,
    /// The packet with its way.
    pub(crate) played: Option<&'a Played>,
}

impl Failed<'_> {
    /// Does something with the packet's way.
    fn with_way<T>(&self, then: impl FnOnce(&Way<'_>) -> T) -> Option<T> {
        let played = self.played?;
        let packet = format!("{} {}", scenario::words_of(&played.spec), played.way);
        Some(then(&Way {
            packet: &packet,
            steps: &played.steps,
            report: &played.report,
            out: &played.out,
        }))
    }
}
