//! What a match looks at, as far as a line of a test can say it.

use redan_vm::ct::CtKey;
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::predicate::Subject;

/// Something that a line can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    /// The name of the port that a packet comes in by.
    InName,
    /// Its number.
    InIndex,
    /// The name of the port that a packet leaves by.
    OutName,
    /// Its number.
    OutIndex,
    /// The network protocol, as `meta nfproto`.
    Nfproto,
    /// The network protocol, as `EtherType`.
    EtherType,
    /// The transport protocol.
    Protocol,
    /// IPv4 source.
    Src4,
    /// IPv4 destination.
    Dst4,
    /// IPv6 source.
    Src6,
    /// IPv6 destination.
    Dst6,
    /// First two bytes of the transport header.
    Sport,
    /// The two behind them.
    Dport,
    /// TCP flags.
    Flags,
    /// ICMP type.
    Type,
    /// ICMP code.
    Code,
    /// IPv4's TTL.
    Ttl,
    /// IPv6's hop limit.
    HopLimit,
    /// IPv4's type of service, with the DSCP in its upper six bits.
    Tos,
    /// Length of the packet.
    Length,
    /// Link address that it comes from.
    Mac,
    /// The connection's state.
    State,
}

/// The field of a subject; `None` for what no line can say.
pub(super) fn of(subject: &Subject) -> Option<Field> {
    Some(match subject {
        Subject::Meta(key) => meta(*key)?,
        Subject::Ct(CtKey::State, None) => Field::State,
        Subject::Payload { base, offset, len } => match (base, offset, len) {
            (Base::Link, 6, 6) => Field::Mac,
            (Base::Link, 12, 2) => Field::EtherType,
            (Base::Network, 1, 1) => Field::Tos,
            (Base::Network, 6 | 9, 1) => Field::Protocol,
            (Base::Network, 7, 1) => Field::HopLimit,
            (Base::Network, 8, 1) => Field::Ttl,
            (Base::Network, 12, 4) => Field::Src4,
            (Base::Network, 16, 4) => Field::Dst4,
            (Base::Network, 8, 16) => Field::Src6,
            (Base::Network, 24, 16) => Field::Dst6,
            (Base::Network, 2, 2) => Field::Length,
            (Base::Transport, 0, 2) => Field::Sport,
            (Base::Transport, 2, 2) => Field::Dport,
            (Base::Transport, 13, 1) => Field::Flags,
            (Base::Transport, 0, 1) => Field::Type,
            (Base::Transport, 1, 1) => Field::Code,
            _ => return None,
        },
        Subject::Ct(..) | Subject::Concat(_) | Subject::Other(..) => return None,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "lines say little of what metadata there is"
)]
const fn meta(key: MetaKey) -> Option<Field> {
    Some(match key {
        MetaKey::Iifname => Field::InName,
        MetaKey::Iif => Field::InIndex,
        MetaKey::Oifname => Field::OutName,
        MetaKey::Oif => Field::OutIndex,
        MetaKey::Nfproto => Field::Nfproto,
        MetaKey::Protocol => Field::EtherType,
        MetaKey::L4proto => Field::Protocol,
        MetaKey::Length => Field::Length,
        _ => return None,
    })
}

/// What of a subject no line can say, for people.
pub(super) fn unsaid(subject: &Subject) -> Option<String> {
    if of(subject).is_some() {
        return None;
    }
    match subject {
        Subject::Concat(parts) => parts.iter().find_map(unsaid),
        Subject::Meta(key) => Some(format!("meta {}", key.word())),
        Subject::Ct(key, _) => Some(format!("ct {}", key.word())),
        Subject::Payload { base, offset, len } => {
            Some(format!("{len} bytes at {offset} of {base:?}").to_lowercase())
        }
        Subject::Other(..) => Some("what no line of a test can say".to_owned()),
    }
}
