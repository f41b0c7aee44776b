//! What the sandbox and its hosts say to each other: one JSON value a line.

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
        /// Default gateways; where there are none, everything is on the link.
        gateways: Vec<IpAddr>,
    },
    /// Answer UDP questions and TCP connections here from now on.
    Serve {
        /// Answers questions.
        udp: Vec<SocketAddr>,
        /// Answers requests.
        tcp: Vec<SocketAddr>,
    },
    /// Send something to somebody on the link, so that his link address is asked for.
    Poke {
        /// To whom.
        to: IpAddr,
    },
    /// Try something; the answer comes later.
    Try {
        /// Which try.
        id: usize,
        /// Frames that are sent before it.
        before: Vec<Vec<u8>>,
        /// What.
        what: Try,
        /// How long it may take, in milliseconds.
        patience_ms: u64,
    },
    /// Say whether this has come in.
    Saw(Sign),
}

/// Something to try.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Try {
    /// An echo request.
    Ping {
        /// From where.
        from: IpAddr,
        /// To whom.
        to: IpAddr,
        /// Its identifier.
        id: u16,
    },
    /// A question.
    Udp {
        /// From where.
        from: SocketAddr,
        /// To whom.
        to: SocketAddr,
    },
    /// A connection and a request on it.
    Tcp {
        /// From where.
        from: SocketAddr,
        /// To whom.
        to: SocketAddr,
    },
    /// A frame.
    Raw {
        /// Its bytes.
        frame: Vec<u8>,
        /// Bytes in it by which it is known again.
        mark: Vec<u8>,
    },
}

/// By what a frame is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sign {
    /// It holds these bytes.
    pub(super) mark: Vec<u8>,
    /// Or it is a TCP reset between these ports.
    pub(super) reset: Option<(u16, u16)>,
}

/// What a host answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// Done.
    Ready,
    /// What became of a try.
    Outcome {
        /// Which try.
        id: usize,
        /// What became of it.
        outcome: Outcome,
    },
    /// Whether it has come in.
    Saw(bool),
    /// It could not be done.
    Failed(String),
}

/// What became of a try, as an end sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    /// The answer came back.
    Through,
    /// The frame came in at the other end.
    Arrived,
    /// Redan itself took it.
    Taken,
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
