//! `.test` files: packets, one a line, and what is to become of each.
//!
//! ```text
//! # comment
//! tcp 10.1.0.5:40000 > 192.0.2.1:443 in lan0 => accept new
//! answer => accept established
//! tcp [fd01::5]:1 > [fd02::5]:2 syn,ack in wan0 => drop invalid
//! icmp 10.1.0.5 > 192.0.2.1 echo-request in lan0 => reject
//! wait 30s
//! again => accept
//! ```
//!
//! A line says protocol, source, destination, what else matters (TCP flags, ICMP type), the port that the frame comes in by, and behind
//! `=>` the verdict and, if it matters, the connection's state. `answer` is what the other end would send back to the packet before, by
//! the port that it left by; `again` is the same packet once more. The rules are in the file of the same name that ends in `.rules`, the
//! site in the one that ends in `.toml`.

mod read;
pub(crate) mod run;

use std::time::Duration;

use redan_runtime::Verdict;

use crate::craft::Spec;

/// What a line of a test does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Time passes.
    Wait(Duration),
    /// A packet comes in.
    Send {
        /// Which.
        packet: What,
        /// The port's name; left out where it follows from the packet before.
        port: Option<String>,
        /// What is to become of it.
        expected: Expected,
    },
}

/// Which packet comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// This one.
    New(Spec),
    /// The answer to the one before.
    Answer,
    /// The one before.
    Again,
}

/// What is to become of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// The connection's state, where the line names one.
    pub(crate) state: Option<String>,
}

/// A step and the line, from 1, on which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: usize,
    /// The text, without its comment.
    pub(crate) text: String,
    /// What it says.
    pub(crate) step: Step,
}

/// Reads a test; every faulty line is named with its number.
pub(crate) fn read(text: &str) -> Result<Vec<Line>, Vec<String>> {
    read::lines(text)
}
