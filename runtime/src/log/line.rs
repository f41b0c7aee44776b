//! The kernel's log line (`nf_log_syslog.c`), as far as it speaks of what redan knows.

use std::fmt::{Formatter, Result};

use redan_vm::Packet;
use redan_vm::instr::Log;
use redan_vm::packet::icmp::icmp_type;
use redan_vm::packet::icmpv6::icmpv6_type;
use redan_vm::packet::ipv6;
use redan_vm::packet::{Arp, Icmp, Icmpv6, Ipv4, Ipv6, Tcp, Udp, icmp, ipv4, protocol, tcp};

/// Bits of [`Log::flags`] (`nf_log.h: NF_LOG_*`).
mod flag {
    pub(super) const TCPSEQ: u32 = 1;
    pub(super) const TCPOPT: u32 = 2;
    pub(super) const IPOPT: u32 = 4;
    pub(super) const MACDECODE: u32 = 32;
}

/// The whole line.
pub(super) fn write(f: &mut Formatter<'_>, log: &Log, packet: &Packet) -> Result {
    f.write_str(log.prefix.as_deref().unwrap_or(""))?;
    write!(
        f,
        "IN={} OUT={} ",
        name(&packet.meta.iifname),
        name(&packet.meta.oifname)
    )?;
    link(f, log.flags, packet)?;
    if packet.layout.is_ipv4() {
        v4(f, log.flags, packet.network(), true)?;
    } else if packet.layout.is_ipv6() {
        v6(f, log.flags, packet.network(), true)?;
    } else if packet.layout.is_arp() {
        arp(f, packet.network())?;
    }
    if packet.meta.mark != 0 {
        write!(f, "MARK=0x{:x} ", packet.meta.mark)?;
    }
    Ok(())
}

/// An interface name without its padding.
fn name(padded: &[u8; 16]) -> &str {
    let len = padded
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(padded.len());
    padded
        .get(..len)
        .and_then(|name| std::str::from_utf8(name).ok())
        .unwrap_or("")
}

fn hex(f: &mut Formatter<'_>, bytes: &[u8], between: &str) -> Result {
    for (n, byte) in bytes.iter().enumerate() {
        write!(f, "{}{byte:02x}", if n == 0 { "" } else { between })?;
    }
    Ok(())
}

fn link(f: &mut Formatter<'_>, flags: u32, packet: &Packet) -> Result {
    let Some(header) = packet.ethernet() else {
        return Ok(());
    };
    if packet.meta.iif == 0 {
        return Ok(());
    }
    if flags & flag::MACDECODE == 0 {
        f.write_str("MAC=")?;
        hex(f, header.bytes().get(..14).unwrap_or(&[]), ":")?;
        return f.write_str(" ");
    }
    f.write_str("MACSRC=")?;
    hex(f, &header.src(), ":")?;
    f.write_str(" MACDST=")?;
    hex(f, &header.dst(), ":")?;
    write!(f, " MACPROTO={:04x} ", header.ethertype())
}

fn arp(f: &mut Formatter<'_>, bytes: &[u8]) -> Result {
    let Some(header) = Arp::new_checked(bytes) else {
        return f.write_str("ARP TRUNCATED");
    };
    write!(
        f,
        "ARP HTYPE={} PTYPE=0x{:04x} OPCODE={}",
        header.hardware(),
        header.protocol(),
        header.operation()
    )?;
    if !header.is_ethernet_ipv4() {
        return Ok(());
    }
    f.write_str(" MACSRC=")?;
    hex(f, &header.sender_mac(), ":")?;
    write!(f, " IPSRC={} MACDST=", header.sender_ip())?;
    hex(f, &header.target_mac(), ":")?;
    write!(f, " IPDST={}", header.target_ip())
}

/// What does not hold a header that it should hold.
fn incomplete(f: &mut Formatter<'_>, bytes: &[u8]) -> Result {
    write!(f, "INCOMPLETE [{} bytes] ", bytes.len())
}

/// An IPv4 packet; `outer` when it is the packet itself and not one quoted by an ICMP error.
fn v4(f: &mut Formatter<'_>, flags: u32, bytes: &[u8], outer: bool) -> Result {
    let Some(ip) = Ipv4::new_checked(bytes) else {
        return f.write_str("TRUNCATED");
    };
    write!(
        f,
        "SRC={} DST={} LEN={} ",
        ip.src(),
        ip.dst(),
        ip.total_len()
    )?;
    write!(
        f,
        "TOS=0x{:02X} PREC=0x{:02X} TTL={} ID={} ",
        ip.tos() & 0x1e,
        ip.tos() & 0xe0,
        ip.ttl(),
        ip.id()
    )?;
    for (bit, word) in [
        (0x8000, "CE "),
        (ipv4::frag::DF, "DF "),
        (ipv4::frag::MF, "MF "),
    ] {
        if ip.frag_off() & bit != 0 {
            f.write_str(word)?;
        }
    }
    if ip.fragment_offset() != 0 {
        write!(f, "FRAG:{} ", ip.fragment_offset() / 8)?;
    }
    if flags & flag::IPOPT != 0 && !ip.options().is_empty() {
        options(f, ip.options())?;
    }
    let rest = bytes.get(ip.header_len()..).unwrap_or(&[]);
    let first = ip.fragment_offset() == 0;
    transport(f, flags, ip.protocol(), (rest, first), |f| {
        icmp4(f, flags, rest, first, outer)
    })
}

fn options(f: &mut Formatter<'_>, bytes: &[u8]) -> Result {
    f.write_str("OPT (")?;
    for byte in bytes {
        write!(f, "{byte:02X}")?;
    }
    f.write_str(") ")
}

/// An IPv6 packet.
fn v6(f: &mut Formatter<'_>, flags: u32, bytes: &[u8], outer: bool) -> Result {
    let Some(ip) = Ipv6::new_checked(bytes) else {
        return f.write_str("TRUNCATED");
    };
    for (word, address) in [("SRC=", ip.src()), (" DST=", ip.dst())] {
        f.write_str(word)?;
        for (n, segment) in address.segments().iter().enumerate() {
            write!(f, "{}{segment:04x}", if n == 0 { "" } else { ":" })?;
        }
    }
    write!(
        f,
        " LEN={} TC={} HOPLIMIT={} FLOWLBL={} ",
        usize::from(ip.payload_len()) + ipv6::LEN,
        ip.traffic_class(),
        ip.hop_limit(),
        ip.flow_label()
    )?;
    let Some(mut chain) = ipv6::Chain::new(bytes) else {
        return Ok(());
    };
    let mut first = true;
    while chain.is_at_extension() && first {
        let Some(header) = chain.read().filter(|header| header.bytes.len() >= 8) else {
            return incomplete(f, bytes.get(chain.at..).unwrap_or(&[]));
        };
        let opened = flags & flag::IPOPT != 0;
        if opened {
            f.write_str("OPT ( ")?;
        }
        if let Some(fragment) = header.fragment {
            let more = if fragment.is_more { "INCOMPLETE " } else { "" };
            write!(f, "FRAG:{} {more}ID:{:08x} ", fragment.offset, fragment.id)?;
            first = fragment.offset == 0;
        }
        if opened {
            f.write_str(") ")?;
        }
        chain.pass(&header);
    }
    let rest = bytes.get(chain.at..).unwrap_or(&[]);
    transport(f, flags, chain.number, (rest, first), |f| {
        icmp6(f, flags, rest, first, outer)
    })
}

/// What lies behind the IP header; `icmp` writes the family's own ICMP. `first` is false for later fragments.
fn transport(
    f: &mut Formatter<'_>,
    flags: u32,
    number: u8,
    (bytes, first): (&[u8], bool),
    icmp: impl FnOnce(&mut Formatter<'_>) -> Result,
) -> Result {
    match number {
        protocol::TCP => tcp(f, flags, bytes, first),
        protocol::UDP | protocol::UDPLITE => {
            f.write_str(if number == protocol::UDP {
                "PROTO=UDP "
            } else {
                "PROTO=UDPLITE "
            })?;
            if !first {
                return Ok(());
            }
            let Some(header) = Udp::new_checked(bytes) else {
                return incomplete(f, bytes);
            };
            write!(
                f,
                "SPT={} DPT={} LEN={} ",
                header.src_port(),
                header.dst_port(),
                header.len()
            )
        }
        protocol::ICMP | protocol::ICMPV6 => icmp(f),
        protocol::AH => spi(f, "AH", bytes.get(4..8), (bytes, first)),
        protocol::ESP => spi(f, "ESP", bytes.get(..4), (bytes, first)),
        _ => write!(f, "PROTO={number} "),
    }
}

fn spi(
    f: &mut Formatter<'_>,
    word: &str,
    at: Option<&[u8]>,
    (bytes, first): (&[u8], bool),
) -> Result {
    write!(f, "PROTO={word} ")?;
    match at.and_then(<[u8]>::first_chunk) {
        _ if !first => Ok(()),
        Some(&spi) => write!(f, "SPI=0x{:x} ", u32::from_be_bytes(spi)),
        None => incomplete(f, bytes),
    }
}

/// TCP flags in the order in which the kernel prints them.
const TCP_FLAGS: [(u8, &str); 8] = [
    (tcp::flags::CWR, "CWR "),
    (tcp::flags::ECE, "ECE "),
    (tcp::flags::URG, "URG "),
    (tcp::flags::ACK, "ACK "),
    (tcp::flags::PSH, "PSH "),
    (tcp::flags::RST, "RST "),
    (tcp::flags::SYN, "SYN "),
    (tcp::flags::FIN, "FIN "),
];

fn tcp(f: &mut Formatter<'_>, flags: u32, bytes: &[u8], first: bool) -> Result {
    f.write_str("PROTO=TCP ")?;
    if !first {
        return Ok(());
    }
    let Some(header) = Tcp::new_checked(bytes) else {
        return incomplete(f, bytes);
    };
    write!(f, "SPT={} DPT={} ", header.src_port(), header.dst_port())?;
    if flags & flag::TCPSEQ != 0 {
        write!(f, "SEQ={} ACK={} ", header.seq(), header.ack())?;
    }
    write!(
        f,
        "WINDOW={} RES=0x{:02x} ",
        header.window(),
        header.data_offset() & 0x0f
    )?;
    for (bit, word) in TCP_FLAGS {
        if header.flags() & bit != 0 {
            f.write_str(word)?;
        }
    }
    write!(f, "URGP={} ", header.urgent())?;
    let carried = bytes.get(tcp::LEN..header.header_len()).unwrap_or(&[]);
    if flags & flag::TCPOPT != 0 && !carried.is_empty() {
        options(f, carried)?;
    }
    Ok(())
}

fn icmp4(f: &mut Formatter<'_>, flags: u32, bytes: &[u8], first: bool, outer: bool) -> Result {
    f.write_str("PROTO=ICMP ")?;
    if !first {
        return Ok(());
    }
    let Some(header) = Icmp::new_checked(bytes) else {
        return incomplete(f, bytes);
    };
    let kind = header.icmp_type();
    write!(f, "TYPE={kind} CODE={} ", header.code())?;
    match kind {
        icmp_type::ECHO_REQUEST | icmp_type::ECHO_REPLY => {
            return write!(f, "ID={} SEQ={} ", header.id(), header.sequence());
        }
        icmp_type::PARAMETER_PROBLEM => return write!(f, "PARAMETER={} ", header.rest()[0]),
        icmp_type::REDIRECT => write!(f, "GATEWAY={} ", std::net::Ipv4Addr::from(header.rest()))?,
        icmp_type::DEST_UNREACHABLE | icmp_type::SOURCE_QUENCH | icmp_type::TIME_EXCEEDED => {}
        _ => return Ok(()),
    }
    if outer {
        f.write_str("[")?;
        v4(f, flags, bytes.get(icmp::LEN..).unwrap_or(&[]), false)?;
        f.write_str("] ")?;
    }
    if (kind, header.code()) == (icmp_type::DEST_UNREACHABLE, 4) {
        write!(f, "MTU={} ", header.sequence())?;
    }
    Ok(())
}

fn icmp6(f: &mut Formatter<'_>, flags: u32, bytes: &[u8], first: bool, outer: bool) -> Result {
    f.write_str("PROTO=ICMPv6 ")?;
    if !first {
        return Ok(());
    }
    let Some(header) = Icmpv6::new_checked(bytes) else {
        return incomplete(f, bytes);
    };
    let kind = header.icmpv6_type();
    write!(f, "TYPE={kind} CODE={} ", header.code())?;
    match kind {
        icmpv6_type::ECHO_REQUEST | icmpv6_type::ECHO_REPLY => {
            return write!(f, "ID={} SEQ={} ", header.id(), header.sequence());
        }
        icmpv6_type::PARAMETER_PROBLEM => write!(f, "POINTER={:08x} ", header.rest())?,
        icmpv6_type::DEST_UNREACHABLE
        | icmpv6_type::PACKET_TOO_BIG
        | icmpv6_type::TIME_EXCEEDED => {}
        _ => return Ok(()),
    }
    if outer {
        f.write_str("[")?;
        v6(f, flags, bytes.get(icmp::LEN..).unwrap_or(&[]), false)?;
        f.write_str("] ")?;
    }
    if kind == icmpv6_type::PACKET_TOO_BIG {
        write!(f, "MTU={} ", header.rest())?;
    }
    Ok(())
}
