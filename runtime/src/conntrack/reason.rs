//! Why conntrack called a packet INVALID.

macro_rules! invalid_reasons {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// Why a packet is INVALID. Linux only logs this; here every one has a name and a counter.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum InvalidReason { $($(#[doc = $doc])* $variant,)* }

        impl InvalidReason {
            /// Every reason, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What it means, in a line for people.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* }
            }

            /// The name in counters, traces and replays.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl std::fmt::Display for InvalidReason {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

invalid_reasons! {
    /// A header ends before its end.
    Truncated = "truncated",
    /// A later fragment, which has no ports.
    Fragment = "fragment",
    /// A length field that cannot be true.
    BadLength = "bad-length",
    /// The transport checksum is wrong.
    BadChecksum = "bad-checksum",
    /// TCP flags that make no sense together.
    BadFlags = "bad-flags",
    /// An ICMP type that nobody knows, or none that this family has.
    BadType = "bad-type",
    /// It belongs to no connection and cannot start one.
    NoEntry = "no-entry",
    /// The middle of a TCP connection, and `tcp_loose` is off.
    NotLoose = "not-loose",
    /// Its connection is in a state where it cannot come.
    BadState = "bad-state",
    /// TCP: beyond what the receiver has offered to take.
    SeqOver = "seq-over",
    /// TCP: acknowledges what nobody has sent.
    AckOver = "ack-over",
    /// TCP: a reset before what its receiver has already acknowledged.
    RstUnder = "rst-under",
    /// ICMP error: what it quotes cannot be read or was no packet that draws errors.
    BadInner = "bad-inner",
    /// ICMP error: what it quotes belongs to no connection.
    NoInnerEntry = "no-inner-entry",
    /// ICMP error: goes to somebody other than who sent what it quotes.
    InnerDestination = "inner-destination",
    /// ICMPv6 redirect that no router on the link sent.
    BadRedirect = "bad-redirect",
    /// SCTP: chunks that may not come like this.
    BadChunk = "bad-chunk",
    /// SCTP: not the association's verification tag.
    BadTag = "bad-tag",
    /// GRE version 1 that is not PPTP's.
    BadGre = "bad-gre",
}
