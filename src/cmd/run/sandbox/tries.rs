//! What a host of the sandbox can try, with its kernel's own sockets, and what it makes of the result.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use redan_vm::Packet;
use redan_vm::packet::{Icmp, Icmpv6, Ipv4, LinkKind, dissect, icmp, icmpv6, ipv4, ipv6, tcp};

use super::host::PAGE;
use super::protocol::{Outcome, Sign, Try};
use super::sys;
use crate::craft::{Spec, Transport};

/// What a client asks.
pub(super) const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

/// How long one read waits, so that patience is spent in small pieces.
const SLICE: Duration = Duration::from_millis(10);

/// The discard service's port (RFC 863).
const DISCARD: u16 = 9;

/// Frames that a host remembers.
const REMEMBERED: usize = 4096;

/// Tries something; an error means that it could not even be tried. What becomes of a frame, the other hosts say.
pub(super) fn run(what: &Try, card: u32, patience: Duration) -> io::Result<Outcome> {
    match what {
        Try::Ping { from, to, id } => ping(*from, *to, *id, patience),
        Try::Udp { from, to } => question(*from, *to, patience),
        Try::Tcp { from, to } => fetch(*from, *to, patience),
        Try::Raw { frame, .. } => {
            sys::packet_socket(card)?.write_all(frame)?;
            Ok(Outcome::Nothing)
        }
    }
}

/// Sends frames as they are.
pub(super) fn send_all(frames: &[Vec<u8>], card: u32) -> io::Result<()> {
    if !frames.is_empty() {
        let mut socket = sys::packet_socket(card)?;
        frames
            .iter()
            .try_for_each(|frame| socket.write_all(frame))?;
    }
    Ok(())
}

/// Whether an error of a socket says that somebody refused (a reset or an ICMP error), or that nothing came.
fn refusal(error: &io::Error) -> io::Result<Outcome> {
    match error.raw_os_error() {
        Some(
            libc::ECONNREFUSED
            | libc::ECONNRESET
            | libc::EHOSTUNREACH
            | libc::ENETUNREACH
            | libc::EACCES
            | libc::EPROTO
            | libc::ENOPROTOOPT
            | libc::EPIPE,
        ) => Ok(Outcome::Refused),
        Some(libc::EINPROGRESS | libc::ETIMEDOUT) => Ok(Outcome::Nothing),
        _ if is_timeout(error) => Ok(Outcome::Nothing),
        _ => Err(io::Error::new(error.kind(), error.to_string())),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// Sends an echo request and waits for its reply.
fn ping(from: IpAddr, to: IpAddr, id: u16, patience: Duration) -> io::Result<Outcome> {
    let (domain, protocol, kind) = match to {
        IpAddr::V4(_) => (
            libc::AF_INET,
            libc::IPPROTO_ICMP,
            icmp::icmp_type::ECHO_REQUEST,
        ),
        IpAddr::V6(_) => (
            libc::AF_INET6,
            libc::IPPROTO_ICMPV6,
            icmpv6::icmpv6_type::ECHO_REQUEST,
        ),
    };
    let raw = sys::socket(domain, libc::SOCK_RAW, protocol)?;
    sys::bind(raw.as_fd(), SocketAddr::new(from, 0))?;
    let socket = UdpSocket::from(raw);
    socket.set_read_timeout(Some(SLICE))?;
    // The kernel puts the IP header before it and, for ICMPv6, the checksum into it.
    let echo = Transport::Icmp {
        kind,
        code: 0,
        id,
        seq: 1,
    };
    let header = if to.is_ipv4() { ipv4::LEN } else { ipv6::LEN };
    let message = Spec::new(from, to, echo).packet().split_off(header);
    if let Err(error) = socket.send_to(&message, (to, 0)) {
        return refusal(&error);
    }
    let mut buffer = [0; 2048];
    for _ in 0..=patience.as_millis() / SLICE.as_millis() {
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if is_timeout(&error) => continue,
            Err(error) => return refusal(&error),
        };
        if let Some(outcome) = echo_outcome(to, id, buffer.get(..length).unwrap_or(&[])) {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Nothing)
}

/// What a message on a raw ICMP socket means for the ping; nothing when it is about something else.
fn echo_outcome(to: IpAddr, id: u16, message: &[u8]) -> Option<Outcome> {
    let is_ours =
        |at: usize, message: &[u8]| message.get(at + 4..at + 6) == Some(&id.to_be_bytes());
    match to {
        IpAddr::V4(_) => {
            // Raw IPv4 sockets give the IP header too.
            let header = Ipv4::new_checked(message)?.header_len();
            let message = message.get(header..)?;
            match Icmp::new_checked(message)?.icmp_type() {
                icmp::icmp_type::ECHO_REPLY if is_ours(0, message) => Some(Outcome::Through),
                icmp::icmp_type::DEST_UNREACHABLE if is_ours(8 + ipv4::LEN, message) => {
                    Some(Outcome::Refused)
                }
                _ => None,
            }
        }
        IpAddr::V6(_) => match Icmpv6::new_checked(message)?.icmpv6_type() {
            icmpv6::icmpv6_type::ECHO_REPLY if is_ours(0, message) => Some(Outcome::Through),
            icmpv6::icmpv6_type::DEST_UNREACHABLE if is_ours(8 + ipv6::LEN, message) => {
                Some(Outcome::Refused)
            }
            _ => None,
        },
    }
}

/// Sends a datagram to the discard port. Nobody answers; what counts is that the neighbour's link address is asked for.
pub(super) fn poke(to: IpAddr) -> io::Result<()> {
    let any = match to {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    match UdpSocket::bind((any, 0))?.send_to(b"hello", (to, DISCARD)) {
        Ok(_) => Ok(()),
        Err(error) => refusal(&error).map(drop),
    }
}

fn question(from: SocketAddr, to: SocketAddr, patience: Duration) -> io::Result<Outcome> {
    let socket = UdpSocket::bind(from)?;
    // Without it only some ICMP errors reach an unconnected or connected UDP socket (ip(7), IP_RECVERR).
    let (level, option) = if to.is_ipv4() {
        (libc::IPPROTO_IP, libc::IP_RECVERR)
    } else {
        (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
    };
    sys::set_option(socket.as_fd(), level, option, 1)?;
    socket.set_read_timeout(Some(patience))?;
    if let Err(error) = socket.connect(to) {
        return refusal(&error);
    }
    let asked = b"who is there?";
    let mut answer = [0; 64];
    match socket.send(asked).and_then(|_| socket.recv(&mut answer)) {
        Ok(length) if answer.get(..length) == Some(&asked[..]) => Ok(Outcome::Through),
        Ok(_) => Ok(Outcome::Nothing),
        Err(error) => refusal(&error),
    }
}

fn fetch(from: SocketAddr, to: SocketAddr, patience: Duration) -> io::Result<Outcome> {
    let transfer = || -> io::Result<Vec<u8>> {
        let mut connection = sys::connect(from, to, patience)?;
        connection.set_read_timeout(Some(patience))?;
        connection.write_all(REQUEST)?;
        let mut page = Vec::new();
        connection.read_to_end(&mut page)?;
        Ok(page)
    };
    match transfer() {
        Ok(page) if page == PAGE => Ok(Outcome::Through),
        Ok(_) => Ok(Outcome::Nothing),
        Err(error) => refusal(&error),
    }
}

/// What has come in by the card, as a packet socket sees it.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Vec<Vec<u8>>>>);

impl Recorder {
    /// Begins to record.
    pub(super) fn start(card: u32) -> io::Result<Self> {
        let recorder = Self::default();
        let frames = recorder.0.clone();
        let mut socket = sys::packet_socket(card)?;
        thread::spawn(move || {
            let mut frame = [0; 2048];
            while let Ok(length) = socket.read(&mut frame) {
                let mut frames = frames.lock().unwrap_or_else(PoisonError::into_inner);
                if frames.len() < REMEMBERED {
                    frames.push(frame.get(..length).unwrap_or(&[]).to_vec());
                }
            }
        });
        Ok(recorder)
    }

    /// Whether a frame of this sign has come in.
    pub(super) fn saw(&self, sign: &Sign) -> bool {
        let frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frames.iter().any(|frame| is_it(frame, sign))
    }
}

fn is_it(frame: &[u8], sign: &Sign) -> bool {
    if !sign.mark.is_empty()
        && frame
            .windows(sign.mark.len())
            .any(|bytes| bytes == sign.mark.as_slice())
    {
        return true;
    }
    let (Some(ports), Ok(layout)) = (sign.reset, dissect(frame, LinkKind::Ethernet)) else {
        return false;
    };
    let packet = Packet::new(frame.to_vec(), layout);
    packet.tcp().is_some_and(|header| {
        (header.src_port(), header.dst_port()) == ports && header.flags() & tcp::flags::RST != 0
    })
}
