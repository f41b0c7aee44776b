//! ICMP and ICMPv6: queries, and errors about other connections (`nf_conntrack_proto_icmp.c`, `nf_conntrack_proto_icmpv6.c`).

use redan_vm::family::nfproto;
use redan_vm::packet::icmp::{icmp_type, is_error};
use redan_vm::packet::icmpv6::{icmpv6_type, nd_option};
use redan_vm::packet::{Icmp, Icmpv6, icmpv6, protocol};

use super::life::Life;
use super::reason::InvalidReason;
use super::tracker::{Seen, Tracked};
use super::transport::Transport;
use super::tuple::Tuple;

/// What an ICMP packet is to conntrack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A query or an answer: tracked like any packet.
    Query,
    /// Neighbour discovery and multicast listening: not tracked.
    Untracked,
    /// An error about the connection that has this tuple in one of its directions.
    Error(Tuple),
}

/// Looks at a packet before the table does. Packets of other protocols are [`Message::Query`].
///
/// # Errors
/// Why the packet is INVALID.
pub(super) fn classify(
    packet: &Transport<'_>,
    is_verified: bool,
) -> Result<Message, InvalidReason> {
    match (packet.nfproto, packet.protocol) {
        (nfproto::IPV4, protocol::ICMP) => classify_icmp(packet, is_verified),
        (nfproto::IPV6, protocol::ICMPV6) => classify_icmpv6(packet, is_verified),
        _ => Ok(Message::Query),
    }
}

fn classify_icmp(packet: &Transport<'_>, is_verified: bool) -> Result<Message, InvalidReason> {
    let icmp = Icmp::new_checked(packet.bytes).ok_or(InvalidReason::Truncated)?;
    if is_verified && !packet.is_checksum_ok(packet.bytes.len()) {
        return Err(InvalidReason::BadChecksum);
    }
    if icmp.icmp_type() > icmp_type::ADDRESS_MASK_REPLY {
        return Err(InvalidReason::BadType);
    }
    if is_error(icmp.icmp_type()) {
        return quoted(nfproto::IPV4, icmp.payload());
    }
    Ok(Message::Query)
}

fn classify_icmpv6(packet: &Transport<'_>, is_verified: bool) -> Result<Message, InvalidReason> {
    let icmp = Icmpv6::new_checked(packet.bytes).ok_or(InvalidReason::Truncated)?;
    if is_verified && !packet.is_checksum_ok(packet.bytes.len()) {
        return Err(InvalidReason::BadChecksum);
    }
    match icmp.icmpv6_type() {
        icmpv6_type::MLD_QUERY
        | icmpv6_type::MLD_REPORT
        | icmpv6_type::MLD_DONE
        | icmpv6_type::ROUTER_SOLICIT
        | icmpv6_type::ROUTER_ADVERT
        | icmpv6_type::NEIGHBOUR_SOLICIT
        | icmpv6_type::NEIGHBOUR_ADVERT
        | icmpv6_type::MLD2_REPORT => Ok(Message::Untracked),
        icmpv6_type::REDIRECT => classify_redirect(packet, icmp.code()),
        icmpv6_type::ECHO_REQUEST.. => Ok(Message::Query),
        _ => quoted(nfproto::IPV6, icmp.payload()),
    }
}

/// A redirect counts when it comes from a router on the link and starts its options with the packet that it redirects.
fn classify_redirect(packet: &Transport<'_>, code: u8) -> Result<Message, InvalidReason> {
    /// ICMPv6 header, target and destination.
    const OPTIONS: usize = icmpv6::LEN + 32;
    /// The redirected packet starts this far into its option (RFC 4861 4.6.3).
    const REDIRECTED: usize = 8;
    let options = packet
        .bytes
        .get(OPTIONS..)
        .ok_or(InvalidReason::Truncated)?;
    if code != 0 {
        return Ok(Message::Query);
    }
    let is_link_local = matches!(packet.src, [0xfe, second, ..] if second & 0xc0 == 0x80);
    if packet.hop_limit != 255 || !is_link_local {
        return Err(InvalidReason::BadRedirect);
    }
    match *options {
        [] | [_] | [_, 0, ..] => Err(InvalidReason::BadRedirect),
        [nd_option::REDIRECTED_HEADER, ..] => {
            quoted(nfproto::IPV6, options.get(REDIRECTED..).unwrap_or(&[]))
        }
        _ => Ok(Message::Query),
    }
}

/// The answer's tuple of the packet that an error quotes: that is how the connection would see the error's sender answer.
fn quoted(nfproto: u8, inner: &[u8]) -> Result<Message, InvalidReason> {
    Transport::locate(nfproto, inner)
        .and_then(|inner| Tuple::of(&inner))
        .ok()
        .and_then(|tuple| tuple.inverse())
        .map(Message::Error)
        .ok_or(InvalidReason::BadInner)
}

/// A query or an answer that has an entry. `nfproto` is the family whose protocol this is.
pub(super) fn track(life: &Life, seen: &Seen<'_>, nfproto: u8) -> Tracked {
    if seen.packet.nfproto != nfproto {
        return Tracked::Invalid(InvalidReason::BadType);
    }
    let is_v4 = nfproto == nfproto::IPV4;
    if !life.is_confirmed() {
        let kind = seen.packet.bytes.first().copied().unwrap_or(0);
        let may_start = if is_v4 {
            matches!(
                kind,
                icmp_type::ECHO_REQUEST
                    | icmp_type::TIMESTAMP_REQUEST
                    | icmp_type::INFO_REQUEST
                    | icmp_type::ADDRESS_MASK_REQUEST
            )
        } else {
            matches!(
                kind,
                icmpv6_type::ECHO_REQUEST | icmpv6_type::NODE_INFO_QUERY
            )
        };
        if !may_start {
            return Tracked::Invalid(InvalidReason::NoEntry);
        }
    }
    Tracked::Refresh(if is_v4 {
        seen.tunables.icmp_timeout
    } else {
        seen.tunables.icmpv6_timeout
    })
}
