//! Entries as text: `/proc/net/nf_conntrack` and the lines of `conntrack -L`, to the byte.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use redan_vm::ct::{Direction, status};
use redan_vm::family::nfproto;
use redan_vm::packet::protocol;

use super::info::EntryInfo;
use super::tuple::{Tuple, Zone};

/// Which columns a line of `conntrack -L` has (`-o`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineOptions {
    /// `-o extended`: the layer 3 protocol.
    pub extended: bool,
    /// `-o id`.
    pub id: bool,
    /// What an event line leaves out: counters, use, a mark of 0.
    pub event: bool,
}

/// How IPv6 addresses look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Addresses {
    /// All 39 characters, as the kernel writes them.
    Full,
    /// Compressed (RFC 5952).
    Short,
}

/// Writes an entry as a line of `/proc/net/nf_conntrack`, line end included.
///
/// # Errors
/// What `out` reports.
pub fn write_proc_line(entry: &EntryInfo, out: &mut dyn Write) -> fmt::Result {
    write_family(entry, out)?;
    write_protocol(entry, out)?;
    write!(out, "{} ", entry.remaining.as_secs())?;
    if let Some((timeout, stream_timeout)) = entry.gre_timeouts {
        let (timeout, stream) = (timeout.as_secs(), stream_timeout.as_secs());
        write!(out, "timeout={timeout}, stream_timeout={stream} ")?;
    }
    write_state(entry, out)?;
    write_directions(entry, Addresses::Full, true, out)?;
    write!(out, "mark={} ", entry.mark)?;
    if entry.zone.directions == Zone::BOTH {
        write!(out, "zone={} ", entry.zone.id)?;
    }
    write_age(entry, out)?;
    out.write_str("use=2\n")
}

/// Writes an entry as `conntrack -L` does, or as the rest of an event line of `conntrack -E`; no line end.
///
/// # Errors
/// What `out` reports.
pub fn write_line(entry: &EntryInfo, options: LineOptions, out: &mut dyn Write) -> fmt::Result {
    if options.extended {
        write_family(entry, out)?;
    }
    write_protocol(entry, out)?;
    write!(out, "{} ", entry.remaining.as_secs())?;
    write_state(entry, out)?;
    let has_counters = !options.event || entry.has(status::DYING);
    write_directions(entry, Addresses::Short, has_counters, out)?;
    if !options.event || entry.mark != 0 {
        write!(out, "mark={} ", entry.mark)?;
    }
    if entry.secmark != 0 {
        write!(out, "secmark={} ", entry.secmark)?;
    }
    if entry.zone.directions == Zone::BOTH && entry.zone.id != 0 {
        write!(out, "zone={} ", entry.zone.id)?;
    }
    if has_counters {
        write_age(entry, out)?;
    }
    if let Some(helper) = entry.helper {
        write!(out, "helper={helper} ")?;
    }
    if !options.event {
        out.write_str("use=1")?;
    }
    if options.id {
        let space = if options.event { "" } else { " " };
        write!(out, "{space}id={}", entry.id)?;
    }
    Ok(())
}

fn write_family(entry: &EntryInfo, out: &mut dyn Write) -> fmt::Result {
    let name = match entry.original.l3proto {
        nfproto::IPV4 => "ipv4",
        nfproto::IPV6 => "ipv6",
        _ => "unknown",
    };
    write!(out, "{name:<8} {} ", entry.original.l3proto)
}

fn write_protocol(entry: &EntryInfo, out: &mut dyn Write) -> fmt::Result {
    let l4proto = entry.original.l4proto;
    write!(out, "{:<8} {l4proto} ", protocol_name(l4proto))
}

/// The kernel's name of a layer 4 protocol (`nf_conntrack_standalone.c: l4proto_name`, since Linux lost DCCP).
const fn protocol_name(l4proto: u8) -> &'static str {
    match l4proto {
        protocol::ICMP => "icmp",
        protocol::TCP => "tcp",
        protocol::UDP => "udp",
        protocol::GRE => "gre",
        protocol::SCTP => "sctp",
        protocol::UDPLITE => "udplite",
        protocol::ICMPV6 => "icmpv6",
        _ => "unknown",
    }
}

fn write_state(entry: &EntryInfo, out: &mut dyn Write) -> fmt::Result {
    match entry.state {
        Some(state) => write!(out, "{state} "),
        None => Ok(()),
    }
}

/// Both tuples with what belongs to each, and the status word.
fn write_directions(
    entry: &EntryInfo,
    addresses: Addresses,
    has_counters: bool,
    out: &mut dyn Write,
) -> fmt::Result {
    write_tuple(&entry.original, addresses, out)?;
    if entry.zone.directions == Zone::ORIGINAL {
        write!(out, "zone-orig={} ", entry.zone.id)?;
    }
    if has_counters {
        write_traffic(entry, Direction::Original, out)?;
    }
    if !entry.has_seen_reply() {
        out.write_str("[UNREPLIED] ")?;
    }
    write_tuple(&entry.reply, addresses, out)?;
    if entry.zone.directions == Zone::REPLY {
        write!(out, "zone-reply={} ", entry.zone.id)?;
    }
    if has_counters {
        write_traffic(entry, Direction::Reply, out)?;
    }
    if entry.has(status::ASSURED) {
        out.write_str("[ASSURED] ")?;
    }
    Ok(())
}

fn write_traffic(entry: &EntryInfo, direction: Direction, out: &mut dyn Write) -> fmt::Result {
    match entry.traffic_of(direction) {
        Some(traffic) => write!(out, "packets={} bytes={} ", traffic.packets, traffic.bytes),
        None => Ok(()),
    }
}

fn write_age(entry: &EntryInfo, out: &mut dyn Write) -> fmt::Result {
    match entry.start {
        Some(start) => write!(out, "delta-time={} ", entry.now.since(start).as_secs()),
        None => Ok(()),
    }
}

/// A tuple as the kernel writes it, with a space behind it.
///
/// # Errors
/// What `out` reports.
pub(super) fn write_tuple_full(tuple: &Tuple, out: &mut dyn Write) -> fmt::Result {
    write_tuple(tuple, Addresses::Full, out)
}

fn write_tuple(tuple: &Tuple, addresses: Addresses, out: &mut dyn Write) -> fmt::Result {
    out.write_str("src=")?;
    write_address(tuple, &tuple.src, addresses, out)?;
    out.write_str(" dst=")?;
    write_address(tuple, &tuple.dst, addresses, out)?;
    let Tuple {
        src_key, dst_key, ..
    } = tuple;
    match tuple.l4proto {
        protocol::ICMP | protocol::ICMPV6 => {
            let (kind, code) = tuple.icmp_type_code();
            write!(out, " type={kind} code={code} id={src_key} ")
        }
        protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP => {
            write!(out, " sport={src_key} dport={dst_key} ")
        }
        protocol::GRE => write!(out, " srckey=0x{src_key:x} dstkey=0x{dst_key:x} "),
        _ => out.write_char(' '),
    }
}

fn write_address(
    tuple: &Tuple,
    address: &[u8; 16],
    addresses: Addresses,
    out: &mut dyn Write,
) -> fmt::Result {
    if tuple.l3proto == nfproto::IPV4 {
        let [a, b, c, d, ..] = *address;
        return write!(out, "{}", Ipv4Addr::new(a, b, c, d));
    }
    let address = Ipv6Addr::from(*address);
    if addresses == Addresses::Short {
        return write!(out, "{address}");
    }
    for (at, group) in address.segments().iter().enumerate() {
        let colon = if at == 0 { "" } else { ":" };
        write!(out, "{colon}{group:04x}")?;
    }
    Ok(())
}
