//! Packets in words, one a line: what `.test` files and `redan why` put through a ruleset, and what is to become of each.
//!
//! ```text
//! # comment
//! local 192.0.2.7
//! host 192.0.2.53 wan0
//! tcp 10.1.0.5:40000 > 192.0.2.1:443 in lan0 => accept new
//! answer => accept established
//! tcp [fd01::5]:1 > [fd02::5]:2 syn,ack ttl 3 in wan0 => drop invalid
//! icmp 10.1.0.5 > 192.0.2.1 echo-request in lan0 => reject
//! udp 192.0.2.7:5000 > 192.0.2.53:53 out wan0 => accept
//! error destination-unreachable => local related
//! wait 30s
//! again => accept
//! ```
//!
//! A line says protocol, source, destination, what else matters, and the port: `in PORT` that the frame comes in by, `out PORT` that the
//! machine itself sends it by. Behind `=>` stand the verdict and, if it matters, the connection's state. `answer` is what the other end
//! would send back to the packet before; `again` is the same packet once more; `error TYPE` is an ICMP error about it.

mod read;
mod run;
mod stage;
mod words;
mod write;

use std::net::IpAddr;
use std::time::Duration;

use redan_runtime::Verdict;

use crate::craft::Spec;
use crate::site::plausible::Hint;

pub(crate) use read::{Fault, one};
pub(crate) use run::{Failure, difference, run};
pub(crate) use stage::{Played, Stage};
pub(crate) use write::words_of;

/// What a line does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Time passes.
    Wait(Duration),
    /// An address is the machine's own, where no site says so.
    Local(IpAddr),
    /// An address is behind a port, where no site says so.
    Host(IpAddr, String),
    /// A packet is sent.
    Send {
        /// Which.
        packet: What,
        /// By which port, and which way; left out where it follows from the packet before.
        way: Option<Way>,
        /// What is to become of it; a `.test` file always says so.
        expected: Option<Expected>,
    },
}

impl Step {
    /// What a site must be like to suit a packet that is not made from the one before.
    pub(crate) fn hint(&self) -> Option<Hint<'_>> {
        match self {
            Self::Send {
                packet: What::New(spec),
                way: Some(way),
                ..
            } => Some(Hint {
                port: way.port(),
                is_own: matches!(way, Way::Out(_)),
                src: spec.src,
                dst: Some(spec.dst),
            }),
            Self::Host(address, port) => Some(Hint {
                port,
                is_own: false,
                src: *address,
                dst: None,
            }),
            Self::Send { .. } | Self::Wait(_) | Self::Local(_) => None,
        }
    }

    /// What is to become of its packet, where the line says it.
    pub(crate) const fn expected(&self) -> Option<&Expected> {
        match self {
            Self::Send { expected, .. } => expected.as_ref(),
            Self::Wait(_) | Self::Local(_) | Self::Host(..) => None,
        }
    }

    /// The address that is said to be the machine's own.
    pub(crate) const fn local(&self) -> Option<IpAddr> {
        match self {
            Self::Local(address) => Some(*address),
            Self::Wait(_) | Self::Host(..) | Self::Send { .. } => None,
        }
    }
}

/// A port, and which way a packet passes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It comes in by the port.
    In(String),
    /// The machine itself sends it by the port.
    Out(String),
}

impl Way {
    /// The port's name.
    pub(crate) fn port(&self) -> &str {
        match self {
            Self::In(port) | Self::Out(port) => port,
        }
    }
}

/// Which packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// This one.
    New(Box<Spec>),
    /// The answer to the one before.
    Answer,
    /// The one before.
    Again,
    /// An ICMP error about the one before, by the word for its type and its code.
    Error(String, u8),
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

/// Reads a test; every faulty line is named.
pub(crate) fn read(text: &str) -> Result<Vec<Line>, Vec<Fault>> {
    read::lines(text)
}
