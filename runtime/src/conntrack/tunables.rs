//! The knobs of connection tracking: one row each, with the kernel's sysctl name and default.

use std::time::Duration;

/// What kind of value a tunable takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunableKind {
    /// Whole seconds.
    Seconds,
    /// 0 or 1.
    Flag,
    /// A number.
    Count,
}

/// A row of the table, for documentation and completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunable {
    /// The sysctl's name without `net.netfilter.nf_conntrack_`.
    pub name: &'static str,
    /// What it takes.
    pub kind: TunableKind,
    /// Its value when nobody sets it.
    pub default: u32,
    /// What it does.
    pub doc: &'static str,
}

/// Why a tunable was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TunableError {
    /// No tunable has this name.
    #[error("no such setting")]
    Unknown,
    /// The value is none that it can take.
    #[error("value out of range")]
    OutOfRange,
}

macro_rules! tunable_type {
    (Seconds) => {
        Duration
    };
    (Flag) => {
        bool
    };
    (Count) => {
        u32
    };
}

macro_rules! tunable_from {
    (Seconds, $value:expr) => {
        Ok(Duration::from_secs(u64::from($value)))
    };
    (Flag, $value:expr) => {
        match $value {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(TunableError::OutOfRange),
        }
    };
    (Count, $value:expr) => {
        Ok($value)
    };
}

macro_rules! tunable_default {
    (Seconds, $value:literal) => {
        Duration::from_secs($value)
    };
    (Flag, $value:literal) => {
        $value != 0
    };
    (Count, $value:literal) => {
        $value
    };
}

macro_rules! tunable_to {
    (Seconds, $value:expr) => {
        u32::try_from($value.as_secs()).unwrap_or(u32::MAX)
    };
    (Flag, $value:expr) => {
        u32::from($value)
    };
    (Count, $value:expr) => {
        $value
    };
}

macro_rules! tunables {
    ($($name:ident: $kind:ident = $default:literal, $doc:literal;)*) => {
        /// The settings; [`Tunables::ALL`] lists them.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Tunables { $(#[doc = $doc] pub $name: tunable_type!($kind),)* }

        impl Tunables {
            /// Every setting there is.
            pub const ALL: &'static [Tunable] = &[$(Tunable {
                name: stringify!($name), kind: TunableKind::$kind, default: $default, doc: $doc,
            },)*];

            /// Sets one by its sysctl name without `nf_conntrack_`; seconds and numbers as they are, flags as 0 and 1.
            ///
            /// # Errors
            /// [`TunableError::Unknown`] for a name that is not in [`Self::ALL`], [`TunableError::OutOfRange`] for a value that it cannot take.
            pub fn set(&mut self, name: &str, value: u64) -> Result<(), TunableError> {
                let value = u32::try_from(value).map_err(|_| TunableError::OutOfRange);
                match name {
                    $(stringify!($name) => self.$name = tunable_from!($kind, value?)?,)*
                    _ => return Err(TunableError::Unknown),
                }
                Ok(())
            }

            /// The value of one, in the form that [`Self::set`] takes.
            pub fn value(&self, name: &str) -> Option<u32> {
                match name {
                    $(stringify!($name) => Some(tunable_to!($kind, self.$name)),)*
                    _ => None,
                }
            }
        }

        impl Default for Tunables {
            fn default() -> Self {
                Self { $($name: tunable_default!($kind, $default),)* }
            }
        }
    };
}

tunables! {
    max: Count = 262_144, "Most entries at one time; 0 for no limit of its own.";
    expect_max: Count = 4096, "Most connections that are announced at one time.";
    acct: Flag = 0, "Count packets and bytes of each connection.";
    timestamp: Flag = 0, "Remember when each connection started.";
    checksum: Flag = 1, "Call packets with a wrong transport checksum INVALID on arrival.";
    tcp_loose: Flag = 1, "Pick up TCP connections whose start was not seen.";
    tcp_be_liberal: Flag = 0, "Let TCP segments outside the window pass.";
    tcp_ignore_invalid_rst: Flag = 0, "Let TCP resets before the acknowledged data pass.";
    tcp_max_retrans: Count = 3, "Retransmissions after which `tcp_timeout_max_retrans` applies.";
    tcp_timeout_syn_sent: Seconds = 120, "TCP: after the first SYN.";
    tcp_timeout_syn_recv: Seconds = 60, "TCP: after the SYN/ACK.";
    tcp_timeout_established: Seconds = 432_000, "TCP: open connection.";
    tcp_timeout_fin_wait: Seconds = 120, "TCP: after the first FIN.";
    tcp_timeout_close_wait: Seconds = 60, "TCP: after the FIN's acknowledgement.";
    tcp_timeout_last_ack: Seconds = 30, "TCP: after the second FIN.";
    tcp_timeout_time_wait: Seconds = 120, "TCP: after the last acknowledgement.";
    tcp_timeout_close: Seconds = 10, "TCP: after a reset.";
    tcp_timeout_max_retrans: Seconds = 300, "TCP: upper bound after `tcp_max_retrans` retransmissions, or with a zero window.";
    tcp_timeout_unacknowledged: Seconds = 300, "TCP: upper bound while data is not acknowledged.";
    udp_timeout: Seconds = 30, "UDP: until there is more than a question and its answer.";
    udp_timeout_stream: Seconds = 120, "UDP: with traffic both ways for more than two seconds.";
    icmp_timeout: Seconds = 30, "ICMP query.";
    icmpv6_timeout: Seconds = 30, "ICMPv6 query.";
    generic_timeout: Seconds = 600, "Every protocol without a tracker of its own.";
    gre_timeout: Seconds = 30, "GRE without an answer.";
    gre_timeout_stream: Seconds = 180, "GRE both ways.";
    sctp_timeout_closed: Seconds = 10, "SCTP: closed, or INIT seen.";
    sctp_timeout_cookie_wait: Seconds = 3, "SCTP: INIT ACK seen.";
    sctp_timeout_cookie_echoed: Seconds = 3, "SCTP: COOKIE ECHO seen.";
    sctp_timeout_established: Seconds = 210, "SCTP: open association.";
    sctp_timeout_shutdown_sent: Seconds = 3, "SCTP: SHUTDOWN from the initiator.";
    sctp_timeout_shutdown_recd: Seconds = 3, "SCTP: SHUTDOWN from the other side.";
    sctp_timeout_shutdown_ack_sent: Seconds = 3, "SCTP: SHUTDOWN ACK seen.";
    sctp_timeout_heartbeat_sent: Seconds = 30, "SCTP: HEARTBEAT of an unknown association.";
}
