//! What is sent back for a packet that does not get through: ICMP and ICMPv6 errors, TCP resets, in the bytes that Linux sends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redan_vm::Packet;
use redan_vm::instr::Reject;
use redan_vm::packet::checksum::{self, Sum, Verified};
use redan_vm::packet::icmp::{self, icmp_type};
use redan_vm::packet::icmpv6::icmpv6_type;
use redan_vm::packet::tcp::flags;
use redan_vm::packet::{Icmp, Icmpv6, Ipv4, Tcp, ipv4, ipv6, protocol, tcp};

/// Bytes that every frame made here has in front of the network header.
pub const LINK_BYTES: usize = 14;
/// Hop count of what is made here (`net.ipv4.ip_default_ttl`, `net.ipv6.conf.*.hop_limit`).
const TTL: u8 = 64;
/// Longest ICMP error (RFC 1812 4.3.2.3; `icmp.c: icmp_send`).
const ICMP_MOST: usize = 576;
/// Longest ICMPv6 error (RFC 4443 2.4 c: the least MTU).
const ICMPV6_MOST: usize = 1280;
/// Precedence "internetwork control" (RFC 1812 4.3.2.5), set in ICMP errors.
const TOS_CONTROL: u8 = 0xc0;
/// What of the offending packet's TOS an ICMP error keeps (`IPTOS_RT_MASK` less precedence).
const TOS_KEPT: u8 = 0x1e;

/// Why the packet does not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A rule rejects it.
    Rejected(Reject),
    /// TTL or hop limit used up.
    TimeExceeded,
    /// No route.
    NoRoute,
    /// The neighbour does not answer.
    NoNeighbour,
    /// A link-local source cannot leave its link.
    BeyondScope,
    /// Longer than the next link takes.
    TooBig {
        /// What it takes, in bytes.
        mtu: u32,
    },
    /// Reassembly took too long.
    ReassemblyTime,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The machine, from this address.
    Machine(IpAddr),
    /// A device, as if the packet's destination had answered (`nf_reject_ipv4.c: nf_reject_skb_v4_unreach` and its neighbours): the packet
    /// has not been routed, so there is no address of the machine, and less is looked at.
    Device,
}

/// What a device quotes of an IPv4 and of an IPv6 packet.
const DEVICE_QUOTES: (usize, usize) = (536, 1220);

/// `reject with icmpx` codes (`nf_tables.h: NFT_REJECT_ICMPX_*`) as ICMP and ICMPv6 codes.
const ICMPX: [(u8, u8); 4] = [(0, 0), (3, 4), (1, 3), (13, 1)];

/// Type, code, and the second four bytes.
type Message = (u8, u8, u32);

impl Fault {
    fn icmpv4(self) -> Option<Message> {
        let unreachable = |code| Some((icmp_type::DEST_UNREACHABLE, code, 0));
        match self {
            Self::Rejected(Reject::Icmp(code)) => unreachable(code),
            Self::Rejected(Reject::Icmpx(code)) => unreachable(ICMPX.get(usize::from(code))?.0),
            Self::Rejected(Reject::TcpReset) | Self::BeyondScope => None,
            Self::TimeExceeded => Some((icmp_type::TIME_EXCEEDED, 0, 0)),
            Self::ReassemblyTime => Some((icmp_type::TIME_EXCEEDED, 1, 0)),
            Self::NoRoute => unreachable(0),
            Self::NoNeighbour => unreachable(1),
            Self::TooBig { mtu } => Some((icmp_type::DEST_UNREACHABLE, 4, mtu & 0xffff)),
        }
    }

    fn icmpv6(self) -> Option<Message> {
        let unreachable = |code| Some((icmpv6_type::DEST_UNREACHABLE, code, 0));
        match self {
            Self::Rejected(Reject::Icmp(code)) => unreachable(code),
            Self::Rejected(Reject::Icmpx(code)) => unreachable(ICMPX.get(usize::from(code))?.1),
            Self::Rejected(Reject::TcpReset) => None,
            Self::TimeExceeded => Some((icmpv6_type::TIME_EXCEEDED, 0, 0)),
            Self::ReassemblyTime => Some((icmpv6_type::TIME_EXCEEDED, 1, 0)),
            Self::NoRoute => unreachable(0),
            Self::BeyondScope => unreachable(2),
            Self::NoNeighbour => unreachable(3),
            Self::TooBig { mtu } => Some((icmpv6_type::PACKET_TOO_BIG, 0, mtu)),
        }
    }
}

/// The frame that answers `packet`, with room for a link header; `None` when there is nothing to answer to. On a wire the packet's
/// destination stands for the machine. `trusted`: the packet's checksum need not be verified.
pub fn answer(packet: &Packet, fault: Fault, sender: Sender, trusted: bool) -> Option<Vec<u8>> {
    let rejected = matches!(fault, Fault::Rejected(_));
    if rejected && !trusted && !is_whole(packet) {
        return None;
    }
    if fault == Fault::Rejected(Reject::TcpReset) {
        return reset(packet);
    }
    match sender {
        Sender::Machine(IpAddr::V4(source)) => error_v4(packet, fault.icmpv4()?, Some(source)),
        Sender::Machine(IpAddr::V6(source)) => error_v6(packet, fault.icmpv6()?, Some(source)),
        Sender::Device if packet.layout.is_ipv4() => error_v4(packet, fault.icmpv4()?, None),
        Sender::Device => error_v6(packet, fault.icmpv6()?, None),
    }
}

/// Whether a packet may draw an error from a device: it is no later fragment, and tells of no unreachable destination itself.
fn draws_error_from_device(packet: &Packet, (protocol, unreachable): (u8, u8)) -> bool {
    let tells = || {
        packet.layout.is_l4(protocol)
            && packet.transport().and_then(<[u8]>::first) == Some(&unreachable)
    };
    packet.layout.fragment_offset == 0 && !tells()
}

/// Whether a packet's checksum lets `reject` answer it (`nf_reject.h: nf_reject_verify_csum`). The kernel sums every protocol that is not
/// known to do otherwise as if it had TCP's kind of checksum, so that most packets of such protocols draw no answer.
fn is_whole(packet: &Packet) -> bool {
    let layout = &packet.layout;
    match layout.l4proto {
        protocol::GRE
        | protocol::ESP
        | protocol::AH
        | protocol::SCTP
        | protocol::UDPLITE
        | protocol::DCCP => true,
        // What is not whole is summed all the same.
        protocol::TCP | protocol::UDP if layout.is_fragment() => {
            layout.l4proto == protocol::UDP
                && packet.transport().and_then(|bytes| bytes.get(6..8)) == Some(&[0, 0])
        }
        protocol::TCP | protocol::UDP => checksum::verify(&packet.frame, layout) != Verified::Wrong,
        other => {
            let Some(bytes) = packet.transport().filter(|_| !layout.is_fragment()) else {
                return false;
            };
            let pseudo = match packet.ipv6() {
                Some(ip) => Sum::pseudo_v6(
                    ip.src(),
                    ip.dst(),
                    other,
                    u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                ),
                None => Sum::new(),
            };
            pseudo.add_bytes(bytes).fold() == 0xffff
        }
    }
}

/// Joins room for a link header and the parts of a packet.
fn frame(parts: &[&[u8]]) -> Vec<u8> {
    let len = LINK_BYTES + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut frame = Vec::with_capacity(len);
    frame.resize(LINK_BYTES, 0);
    for part in parts {
        frame.extend_from_slice(part);
    }
    frame
}

fn len16(bytes: usize) -> Option<u16> {
    u16::try_from(bytes).ok()
}

/// Whether an IPv4 packet may draw an ICMP error (`icmp.c: __icmp_send`, RFC 1122 3.2.2): to this machine by link address, no group or
/// broadcast, no later fragment, no ICMP error, from a single host.
fn draws_error_v4(packet: &Packet, ip: &Ipv4<&[u8]>) -> bool {
    let alone = |a: Ipv4Addr| !a.is_broadcast() && !a.is_multicast() && !a.is_unspecified();
    let is_error = || {
        packet
            .transport()
            .filter(|_| ip.protocol() == protocol::ICMP)
            .is_some_and(|bytes| {
                bytes.first().is_none_or(|&kind| {
                    icmp::is_error(kind) || kind > icmp_type::ADDRESS_MASK_REPLY
                })
            })
    };
    ip.fragment_offset() == 0
        && alone(ip.src())
        && !ip.src().is_loopback()
        && !ip.dst().is_broadcast()
        && !ip.dst().is_multicast()
        && !is_error()
}

/// With no source, a device answers.
fn error_v4(
    packet: &Packet,
    (kind, code, rest): Message,
    source: Option<Ipv4Addr>,
) -> Option<Vec<u8>> {
    let ip = packet.ipv4()?;
    let (draws, most) = match source {
        Some(_) => (
            draws_error_v4(packet, &ip),
            ICMP_MOST - ipv4::LEN - icmp::LEN,
        ),
        None => (
            draws_error_from_device(packet, (protocol::ICMP, icmp_type::DEST_UNREACHABLE)),
            DEVICE_QUOTES.0,
        ),
    };
    if !draws {
        return None;
    }
    let quoted = packet.network();
    let quoted = quoted.get(..most).unwrap_or(quoted);
    let mut message = [0; icmp::LEN];
    let mut header = Icmp::new_checked(&mut message)?;
    header.set_icmp_type(kind);
    header.set_code(code);
    header.set_rest(rest.to_be_bytes());
    let sum = Sum::new()
        .add_bytes(header.bytes())
        .add_bytes(quoted)
        .finish();
    header.set_checksum(sum);
    let mut network = ipv4::emit(
        source.unwrap_or(ip.dst()),
        ip.src(),
        protocol::ICMP,
        TTL,
        len16(icmp::LEN + quoted.len())?,
    );
    let mut header = Ipv4::new_checked(&mut network)?;
    match source {
        Some(_) => header.set_tos((ip.tos() & TOS_KEPT) | TOS_CONTROL),
        None => header.set_frag_off(ipv4::frag::DF),
    }
    header.fill_checksum();
    Some(frame(&[&network, &message, quoted]))
}

/// Whether an IPv6 packet may draw an ICMPv6 error (RFC 4443 2.4 e); a packet that is too big may also when it went to a group. A later
/// fragment may, whatever it is of (`icmp.c: is_ineligible`).
fn draws_error_v6(packet: &Packet, src: Ipv6Addr, dst: Ipv6Addr, kind: u8) -> bool {
    let is_error = || {
        packet.layout.is_l4(protocol::ICMPV6)
            && packet.layout.fragment_offset == 0
            && packet
                .transport()
                .and_then(<[u8]>::first)
                .is_none_or(|&inner| inner < 128 || inner == icmpv6_type::REDIRECT)
    };
    !src.is_unspecified()
        && !src.is_multicast()
        && (!dst.is_multicast() || kind == icmpv6_type::PACKET_TOO_BIG)
        && !is_error()
}

/// With no source, a device answers.
fn error_v6(
    packet: &Packet,
    (kind, code, rest): Message,
    source: Option<Ipv6Addr>,
) -> Option<Vec<u8>> {
    let ip = packet.ipv6()?;
    let (draws, most) = match source {
        Some(_) => (
            draws_error_v6(packet, ip.src(), ip.dst(), kind),
            ICMPV6_MOST - ipv6::LEN - icmp::LEN,
        ),
        None => (
            draws_error_from_device(packet, (protocol::ICMPV6, icmpv6_type::DEST_UNREACHABLE)),
            DEVICE_QUOTES.1,
        ),
    };
    if !draws {
        return None;
    }
    let source = source.unwrap_or(ip.dst());
    let quoted = packet.network();
    let quoted = quoted.get(..most).unwrap_or(quoted);
    let len = len16(icmp::LEN + quoted.len())?;
    let mut message = [0; icmp::LEN];
    let mut header = Icmpv6::new_checked(&mut message)?;
    header.set_icmpv6_type(kind);
    header.set_code(code);
    header.set_rest(rest);
    let sum = Sum::pseudo_v6(source, ip.src(), protocol::ICMPV6, u32::from(len));
    header.set_checksum(sum.add_bytes(header.bytes()).add_bytes(quoted).finish());
    let network = ipv6::emit(source, ip.src(), protocol::ICMPV6, TTL, len);
    Some(frame(&[&network, &message, quoted]))
}

/// A reset (`nf_reject_ipv4.c`, `nf_reject_ipv6.c`): none for a reset; the number of the acknowledgement where there is one, else
/// acknowledging everything in the segment.
fn reset(packet: &Packet) -> Option<Vec<u8>> {
    let segment = packet.tcp()?;
    if segment.flags() & flags::RST != 0 || packet.layout.fragment_offset != 0 {
        return None;
    }
    let mut bytes = [0; tcp::LEN];
    let mut header = Tcp::new_checked(&mut bytes)?;
    header.set_src_port(segment.dst_port());
    header.set_dst_port(segment.src_port());
    header.set_data_offset(0x50);
    if segment.flags() & flags::ACK == 0 {
        let carried = packet
            .layout
            .transport_len()
            .saturating_sub(u32::try_from(segment.header_len()).ok()?);
        let marks = u32::from(segment.flags() & flags::SYN != 0)
            + u32::from(segment.flags() & flags::FIN != 0);
        header.set_flags(flags::RST | flags::ACK);
        header.set_ack(segment.seq().wrapping_add(carried).wrapping_add(marks));
    } else {
        header.set_flags(flags::RST);
        header.set_seq(segment.ack());
    }
    let len = len16(tcp::LEN)?;
    if let Some(ip) = packet.ipv4() {
        let sum = Sum::pseudo_v4(ip.dst(), ip.src(), protocol::TCP, u32::from(len));
        header.set_checksum(sum.add_bytes(header.bytes()).finish());
        let mut network = ipv4::emit(ip.dst(), ip.src(), protocol::TCP, TTL, len);
        let mut out = Ipv4::new_checked(&mut network)?;
        out.set_frag_off(ipv4::frag::DF);
        out.fill_checksum();
        return Some(frame(&[&network, &bytes]));
    }
    let ip = packet.ipv6()?;
    if ip.src().is_multicast() || ip.dst().is_multicast() || ip.src().is_unspecified() {
        return None;
    }
    let sum = Sum::pseudo_v6(ip.dst(), ip.src(), protocol::TCP, u32::from(len));
    header.set_checksum(sum.add_bytes(header.bytes()).finish());
    Some(frame(&[
        &ipv6::emit(ip.dst(), ip.src(), protocol::TCP, TTL, len),
        &bytes,
    ]))
}

/// The answer to an echo request to one of the machine's own addresses (`icmp_reply`, `icmpv6_echo_reply`); `None` for anything else.
pub fn echo_reply(packet: &Packet) -> Option<Vec<u8>> {
    let transport = packet.transport()?;
    let mut body = transport.to_vec();
    if let Some(ip) = packet.ipv4() {
        if packet.icmp()?.icmp_type() != icmp_type::ECHO_REQUEST
            || ip.dst().is_broadcast()
            || ip.dst().is_multicast()
        {
            return None;
        }
        let mut message = Icmp::new_checked(body.as_mut_slice())?;
        message.set_icmp_type(icmp_type::ECHO_REPLY);
        message.set_checksum(0);
        let sum = checksum::internet(message.bytes());
        message.set_checksum(sum);
        let mut network = ipv4::emit(
            ip.dst(),
            ip.src(),
            protocol::ICMP,
            TTL,
            len16(transport.len())?,
        );
        let mut header = Ipv4::new_checked(&mut network)?;
        header.set_tos(ip.tos());
        header.fill_checksum();
        return Some(frame(&[&network, &body]));
    }
    let ip = packet.ipv6()?;
    if packet.icmpv6()?.icmpv6_type() != icmpv6_type::ECHO_REQUEST || ip.dst().is_multicast() {
        return None;
    }
    let len = len16(transport.len())?;
    let mut message = Icmpv6::new_checked(body.as_mut_slice())?;
    message.set_icmpv6_type(icmpv6_type::ECHO_REPLY);
    message.set_checksum(0);
    let sum = Sum::pseudo_v6(ip.dst(), ip.src(), protocol::ICMPV6, u32::from(len));
    let sum = sum.add_bytes(message.bytes()).finish();
    message.set_checksum(sum);
    Some(frame(&[
        &ipv6::emit(ip.dst(), ip.src(), protocol::ICMPV6, TTL, len),
        &body,
    ]))
}
