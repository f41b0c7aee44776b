//! What the sandbox and its two hosts say to each other: one JSON value a line.

use std::io::{self, BufRead, Write};
use std::net::{IpAddr, SocketAddr};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a host is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Get a network: the first order. Answered by the TAP's file and then [`Answer::Ready`].
    SetUp {
        /// Link address.
        mac: String,
        /// Longest packet, in bytes.
        mtu: u32,
        /// Addresses with prefix lengths.
        addresses: Vec<String>,
        /// Default gateways.
        gateways: Vec<IpAddr>,
    },
    /// Answer UDP questions and TCP connections here from now on.
    Serve {
        /// Answers questions.
        udp: SocketAddr,
        /// Answers requests.
        tcp: SocketAddr,
    },
    /// Send something to a neighbour, so that his link address gets known.
    Greet {
        /// Who.
        to: IpAddr,
    },
    /// Try something.
    Try(Try),
    /// Say whether this TCP segment comes in.
    Watch(Segment),
}

/// Something to try.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Try {
    /// An echo request.
    Ping {
        /// To whom.
        to: IpAddr,
    },
    /// A question.
    Udp {
        /// The port to ask from.
        sport: u16,
        /// To whom.
        to: SocketAddr,
    },
    /// A connection and a request on it.
    Tcp {
        /// To whom.
        to: SocketAddr,
    },
    /// A segment that belongs to no connection.
    Stray(Segment),
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    /// From where.
    pub(super) from: SocketAddr,
    /// To where.
    pub(super) to: SocketAddr,
    /// Flag bits.
    pub(super) flags: u8,
}

/// What a host answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// Done.
    Ready,
    /// What became of a try.
    Outcome(Outcome),
    /// It could not be done.
    Failed(String),
}

/// What became of a try, as an end sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    /// The answer came back, or the segment came in.
    Through,
    /// A reset or an ICMP error came back.
    Refused,
    /// Nothing came.
    Nothing,
}

/// Sends a value.
pub(super) fn send(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Receives a value; `None` when the other side is gone.
pub(super) fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}
