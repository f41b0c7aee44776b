//! What a host of the sandbox can try, with its kernel's own sockets, and what it makes of the result.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::time::Duration;

use redan_vm::packet::{Icmp, Icmpv6, Ipv4, Tcp, icmp, icmpv6, ipv4};

use super::host::PAGE;
use super::protocol::{Outcome, Segment, Try};
use super::sys;
use crate::craft::{Spec, Transport};

/// How long an answer may take. Nothing here is farther away than a few system calls.
const PATIENCE: Duration = Duration::from_millis(900);

/// How long one read waits, so that patience is spent in small pieces.
const SLICE: Duration = Duration::from_millis(100);

/// Reads of one slice each until patience has run out.
const SLICES: u32 = 9;

/// The discard service's port (RFC 863).
const DISCARD: u16 = 9;

/// Echo identifier of the sandbox's pings.
const PING_ID: u16 = 0x5244;

/// Tries something; an error means that it could not even be tried.
pub(super) fn run(attempt: Try) -> io::Result<Outcome> {
    match attempt {
        Try::Ping { to } => ping(to),
        Try::Udp { sport, to } => question(sport, to),
        Try::Tcp { to } => fetch(to),
        Try::Stray(segment) => stray(segment),
    }
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
        _ if is_timeout(error) => Ok(Outcome::Nothing),
        // `TcpStream::connect_timeout` saw the socket hang up after its error had been fetched: refused, with the reason lost.
        None => Ok(Outcome::Refused),
        _ => Err(io::Error::new(error.kind(), error.to_string())),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

fn raw_socket(v4: bool, protocol: i32) -> io::Result<UdpSocket> {
    let domain = if v4 { libc::AF_INET } else { libc::AF_INET6 };
    let socket = UdpSocket::from(sys::socket(domain, libc::SOCK_RAW, protocol)?);
    socket.set_read_timeout(Some(SLICE))?;
    Ok(socket)
}

fn ping(to: IpAddr) -> io::Result<Outcome> {
    let (protocol, kind) = match to {
        IpAddr::V4(_) => (libc::IPPROTO_ICMP, icmp::icmp_type::ECHO_REQUEST),
        IpAddr::V6(_) => (libc::IPPROTO_ICMPV6, icmpv6::icmpv6_type::ECHO_REQUEST),
    };
    let socket = raw_socket(to.is_ipv4(), protocol)?;
    // The kernel puts the IP header before it and, for ICMPv6, the checksum into it.
    let echo = Spec::new(
        unspecified(to),
        to,
        Transport::Icmp {
            kind,
            code: 0,
            id: PING_ID,
            seq: 1,
        },
    );
    socket.send_to(&behind_network_header(&echo), (to, 0))?;
    let mut buffer = [0; 2048];
    for _ in 0..SLICES {
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if is_timeout(&error) => continue,
            Err(error) => return refusal(&error),
        };
        if let Some(outcome) = echo_outcome(to, buffer.get(..length).unwrap_or(&[])) {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Nothing)
}

/// What a message on a raw ICMP socket means for the ping; nothing when it is about something else.
fn echo_outcome(to: IpAddr, message: &[u8]) -> Option<Outcome> {
    match to {
        IpAddr::V4(_) => {
            // Raw IPv4 sockets give the IP header too.
            let header = Ipv4::new_checked(message)?.header_len();
            let message = message.get(header..)?;
            match Icmp::new_checked(message)?.icmp_type() {
                icmp::icmp_type::ECHO_REPLY if is_ours(message) => Some(Outcome::Through),
                icmp::icmp_type::DEST_UNREACHABLE => Some(Outcome::Refused),
                _ => None,
            }
        }
        IpAddr::V6(_) => match Icmpv6::new_checked(message)?.icmpv6_type() {
            icmpv6::icmpv6_type::ECHO_REPLY if is_ours(message) => Some(Outcome::Through),
            icmpv6::icmpv6_type::DEST_UNREACHABLE => Some(Outcome::Refused),
            _ => None,
        },
    }
}

/// Whether an echo carries the sandbox's identifier.
fn is_ours(message: &[u8]) -> bool {
    message.get(4..6) == Some(&PING_ID.to_be_bytes())
}

/// Sends a datagram to the discard port. Nobody answers; what counts is that the neighbour's link address is asked for.
pub(super) fn greet(to: IpAddr) -> io::Result<()> {
    let socket = UdpSocket::bind((unspecified(to), 0))?;
    match socket.send_to(b"hello", (to, DISCARD)) {
        Ok(_) => Ok(()),
        Err(error) => refusal(&error).map(drop),
    }
}

/// The unspecified address of an address's family.
const fn unspecified(of: IpAddr) -> IpAddr {
    match of {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

fn question(sport: u16, to: SocketAddr) -> io::Result<Outcome> {
    let socket = UdpSocket::bind((unspecified(to.ip()), sport))?;
    // Without it only some ICMP errors reach an unconnected or connected UDP socket (ip(7), IP_RECVERR).
    let (level, option) = if to.is_ipv4() {
        (libc::IPPROTO_IP, libc::IP_RECVERR)
    } else {
        (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
    };
    sys::set_option(socket.as_fd(), level, option, 1)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(to)?;
    let asked = b"who is there?";
    let mut answer = [0; 64];
    match socket.send(asked).and_then(|_| socket.recv(&mut answer)) {
        Ok(length) if answer.get(..length) == Some(&asked[..]) => Ok(Outcome::Through),
        Ok(_) => Ok(Outcome::Nothing),
        Err(error) => refusal(&error),
    }
}

fn fetch(to: SocketAddr) -> io::Result<Outcome> {
    let transfer = || -> io::Result<Vec<u8>> {
        let mut connection = TcpStream::connect_timeout(&to, PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
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

/// The part of a packet that a raw socket takes.
fn behind_network_header(spec: &Spec) -> Vec<u8> {
    let length = if spec.src.is_ipv4() {
        ipv4::LEN
    } else {
        redan_vm::packet::ipv6::LEN
    };
    spec.packet().split_off(length)
}

/// The stray segment as a packet.
pub(super) fn segment_spec(segment: Segment) -> Spec {
    let transport = Transport::Tcp {
        sport: segment.from.port(),
        dport: segment.to.port(),
        flags: segment.flags,
        seq: 1,
        ack: 1,
    };
    Spec::new(segment.from.ip(), segment.to.ip(), transport)
}

fn stray(segment: Segment) -> io::Result<Outcome> {
    let socket = raw_socket(segment.to.is_ipv4(), libc::IPPROTO_TCP)?;
    socket.send_to(
        &behind_network_header(&segment_spec(segment)),
        (segment.to.ip(), 0),
    )?;
    Ok(Outcome::Through)
}

/// A look-out for a segment.
pub(super) struct Watch {
    socket: UdpSocket,
    segment: Segment,
}

impl Watch {
    /// Begins to look.
    pub(super) fn start(segment: Segment) -> io::Result<Self> {
        let socket = raw_socket(segment.to.is_ipv4(), libc::IPPROTO_TCP)?;
        Ok(Self { socket, segment })
    }

    /// Whether it came in time.
    pub(super) fn finish(self) -> io::Result<Outcome> {
        let mut buffer = [0; 2048];
        for _ in 0..SLICES {
            match self.socket.recv(&mut buffer) {
                Ok(length) if self.is_it(buffer.get(..length).unwrap_or(&[])) => {
                    return Ok(Outcome::Through);
                }
                Ok(_) => {}
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::Nothing)
    }

    fn is_it(&self, packet: &[u8]) -> bool {
        let start = if self.segment.to.is_ipv4() {
            Ipv4::new_checked(packet).map_or(0, |ip| ip.header_len())
        } else {
            0
        };
        packet
            .get(start..)
            .and_then(Tcp::new_checked)
            .is_some_and(|tcp| {
                let ports = (tcp.src_port(), tcp.dst_port());
                ports == (self.segment.from.port(), self.segment.to.port())
                    && tcp.flags() == self.segment.flags
            })
    }
}
