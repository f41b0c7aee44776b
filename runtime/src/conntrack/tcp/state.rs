//! TCP's states, classes of segments, and which class leads from which state to which (`nf_conntrack_proto_tcp.c: tcp_conntracks`).

use std::time::Duration;

use redan_vm::ct::Direction;
use redan_vm::packet::tcp::flags;

use crate::conntrack::tunables::Tunables;

macro_rules! tcp_states {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $timeout:ident;)*) => {
        /// State of a TCP connection, as both sides together look from between them.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TcpState { $($(#[$doc])* $variant,)* }

        impl TcpState {
            /// Every state, in the kernel's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in listings.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How long a connection stays in it without a packet.
            pub const fn timeout(self, tunables: &Tunables) -> Duration {
                match self { $(Self::$variant => tunables.$timeout,)* }
            }
        }
    };
}

tcp_states! {
    /// Nothing seen.
    #[default]
    None = "NONE", tcp_timeout_syn_sent;
    /// SYN.
    SynSent = "SYN_SENT", tcp_timeout_syn_sent;
    /// SYN and SYN/ACK.
    SynRecv = "SYN_RECV", tcp_timeout_syn_recv;
    /// Open.
    Established = "ESTABLISHED", tcp_timeout_established;
    /// One FIN.
    FinWait = "FIN_WAIT", tcp_timeout_fin_wait;
    /// One FIN and something that acknowledges it.
    CloseWait = "CLOSE_WAIT", tcp_timeout_close_wait;
    /// Two FINs.
    LastAck = "LAST_ACK", tcp_timeout_last_ack;
    /// Two FINs and the last acknowledgement.
    TimeWait = "TIME_WAIT", tcp_timeout_time_wait;
    /// Reset.
    Close = "CLOSE", tcp_timeout_close;
    /// A SYN from each side.
    SynSent2 = "SYN_SENT2", tcp_timeout_syn_sent;
}

impl TcpState {
    /// Whether the connection is past its end: it may be evicted, and no reset is out of place any more.
    pub const fn is_closing(self) -> bool {
        matches!(
            self,
            Self::FinWait | Self::CloseWait | Self::LastAck | Self::TimeWait | Self::Close
        )
    }

    /// Whether a listing calls it over: a SYN may open it again.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::TimeWait | Self::Close)
    }
}

/// What kind of segment the state table sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// SYN without ACK.
    Syn,
    /// SYN with ACK.
    SynAck,
    /// FIN.
    Fin,
    /// ACK alone.
    Ack,
    /// RST, whatever else.
    Rst,
}

impl Class {
    /// The class of a flag byte; `None` where the flags make no sense together. PSH, ECE and CWR do not count.
    pub(super) const fn of(flags: u8) -> Option<Self> {
        use flags::{ACK, FIN, RST, SYN, URG};
        /// SYN and URG.
        const SYN_URG: u8 = SYN | URG;
        /// SYN and ACK.
        const SYN_ACK: u8 = SYN | ACK;
        /// RST and ACK.
        const RST_ACK: u8 = RST | ACK;
        /// FIN and ACK.
        const FIN_ACK: u8 = FIN | ACK;
        /// FIN, ACK and URG.
        const FIN_ACK_URG: u8 = FIN | ACK | URG;
        /// ACK and URG.
        const ACK_URG: u8 = ACK | URG;
        Some(match flags & (FIN | SYN | RST | ACK | URG) {
            SYN | SYN_URG => Self::Syn,
            SYN_ACK => Self::SynAck,
            FIN_ACK | FIN_ACK_URG => Self::Fin,
            ACK | ACK_URG => Self::Ack,
            RST | RST_ACK => Self::Rst,
            _ => return None,
        })
    }
}

/// Where a segment leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To this state.
    To(TcpState),
    /// Nowhere: the packet passes and the entry stays, because our view may be the one that is out of date.
    Ignore,
    /// INVALID.
    Invalid,
}

/// A row: one class in one direction, by old state.
type Row = [Next; 10];

const IV: Next = Next::Invalid;
const IG: Next = Next::Ignore;
const SS: Next = Next::To(TcpState::SynSent);
const SR: Next = Next::To(TcpState::SynRecv);
const ES: Next = Next::To(TcpState::Established);
const FW: Next = Next::To(TcpState::FinWait);
const CW: Next = Next::To(TcpState::CloseWait);
const LA: Next = Next::To(TcpState::LastAck);
const TW: Next = Next::To(TcpState::TimeWait);
const CL: Next = Next::To(TcpState::Close);
const S2: Next = Next::To(TcpState::SynSent2);

/// By direction, then class in order of [`Class`]; columns in order of [`TcpState`]. SS out of TW and CL is a new connection with the old one's ports.
#[rustfmt::skip]
const TABLE: [[Row; 5]; 2] = [
    [
        /* SYN     */ [SS, SS, IG, IG, IG, IG, IG, SS, SS, S2],
        /* SYN/ACK */ [IV, IV, SR, IV, IV, IV, IV, IV, IV, SR],
        /* FIN     */ [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
        /* ACK     */ [ES, IV, ES, ES, CW, CW, TW, TW, CL, IV],
        /* RST     */ [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
    ],
    [
        /* SYN     */ [IV, S2, IV, IV, IV, IV, IV, SS, IV, S2],
        /* SYN/ACK */ [IV, SR, IG, IG, IG, IG, IG, IG, IG, SR],
        /* FIN     */ [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
        /* ACK     */ [IV, IG, SR, ES, CW, CW, TW, TW, CL, IG],
        /* RST     */ [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
    ],
];

/// Looks up where a segment leads.
#[expect(
    clippy::indexing_slicing,
    reason = "the table has a place for every value of the three enums"
)]
pub(super) const fn next(direction: Direction, class: Class, state: TcpState) -> Next {
    TABLE[direction as usize][class as usize][state as usize]
}
