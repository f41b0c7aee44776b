//! What a line of a test can say of a packet, as matches look at it.

use redan_vm::ct::CtKey;
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::predicate::Subject;

use crate::meet::Wants;

/// Link address that it comes from.
pub(super) const MAC: Subject = payload(Base::Link, 6, 6);
/// IPv4's type of service, with the DSCP in its upper six bits.
pub(super) const TOS: Subject = payload(Base::Network, 1, 1);
/// Length of the packet, where the header says it.
pub(super) const TOTAL_LENGTH: Subject = payload(Base::Network, 2, 2);
/// Length of the packet.
pub(super) const LENGTH: Subject = Subject::Meta(MetaKey::Length);
/// First two bytes of the transport header.
pub(super) const SPORT: Subject = payload(Base::Transport, 0, 2);
/// The two behind them.
pub(super) const DPORT: Subject = payload(Base::Transport, 2, 2);
/// TCP flags.
pub(super) const FLAGS: Subject = payload(Base::Transport, 13, 1);
/// ICMP type.
pub(super) const TYPE: Subject = payload(Base::Transport, 0, 1);
/// ICMP code.
pub(super) const CODE: Subject = payload(Base::Transport, 1, 1);
/// The connection's state.
pub(super) const STATE: Subject = Subject::Ct(CtKey::State, None);
/// The transport protocol.
pub(super) const PROTOCOL: Subject = Subject::Meta(MetaKey::L4proto);

const ETHER_TYPE: Subject = payload(Base::Link, 12, 2);

/// A packet's source and destination, its hop limit and its protocol in its own header.
pub(super) struct Header {
    pub(super) src: Subject,
    pub(super) dst: Subject,
    pub(super) hops: Subject,
    pub(super) protocol: Subject,
}

/// IPv4's header.
pub(super) static V4: Header = Header {
    src: payload(Base::Network, 12, 4),
    dst: payload(Base::Network, 16, 4),
    hops: payload(Base::Network, 8, 1),
    protocol: payload(Base::Network, 9, 1),
};

/// IPv6's header.
pub(super) static V6: Header = Header {
    src: payload(Base::Network, 8, 16),
    dst: payload(Base::Network, 24, 16),
    hops: payload(Base::Network, 7, 1),
    protocol: payload(Base::Network, 6, 1),
};

/// What ports are called and numbered.
const DEVICES: [MetaKey; 4] = [
    MetaKey::Iifname,
    MetaKey::Iif,
    MetaKey::Oifname,
    MetaKey::Oif,
];

const fn payload(base: Base, offset: u32, len: u8) -> Subject {
    Subject::Payload { base, offset, len }
}

/// Whether it is asked for a port by name or number.
pub(super) fn asks_for_port(wants: &Wants) -> bool {
    let asks = |key| wants.asks(&Subject::Meta(key));
    DEVICES.into_iter().any(asks)
}

/// What is asked for that no line can say.
pub(super) fn unsaid(wants: &Wants) -> Option<String> {
    let unsaid = wants.subjects().find(|subject| !is_said(subject));
    (unsaid.map(words)).or_else(|| wants.beyond.first().cloned())
}

fn is_said(subject: &Subject) -> bool {
    if let Subject::Meta(key) = subject {
        return DEVICES.contains(key)
            || matches!(
                key,
                MetaKey::Nfproto | MetaKey::Protocol | MetaKey::L4proto | MetaKey::Length
            );
    }
    let plain = [
        &MAC,
        &TOS,
        &TOTAL_LENGTH,
        &SPORT,
        &DPORT,
        &FLAGS,
        &TYPE,
        &CODE,
        &STATE,
        &ETHER_TYPE,
    ];
    let headers = [&V4, &V6].map(|header| {
        let Header {
            src,
            dst,
            hops,
            protocol,
        } = header;
        [src, dst, hops, protocol]
    });
    plain.contains(&subject) || headers.as_flattened().contains(&subject)
}

fn words(subject: &Subject) -> String {
    match subject {
        Subject::Meta(key) => format!("meta {}", key.word()),
        Subject::Ct(key, _) => format!("ct {}", key.word()),
        Subject::Payload { base, offset, len } => {
            format!("{len} bytes at {offset} of {base:?}").to_lowercase()
        }
        Subject::Concat(_) | Subject::Other(..) => "what no line of a test can say".to_owned(),
    }
}
