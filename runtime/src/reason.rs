//! Why a frame did not go on: one fieldless enum, each variant with its name in reports and a counter.

/// Declares the reasons, their names, and their number.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// Why a frame was dropped, or why it went on, where the engine and no rule decided.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason { $($(#[doc = $doc])* $variant,)* }

        impl Reason {
            /// Every reason, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What it means, in a line for people.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* }
            }

            /// The name in reports, counters and metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    /// A base chain's policy decided.
    Policy = "policy",
    /// No base chain of the ruleset saw the frame, or none of those that did decided.
    NoRule = "no-rule",
    /// No route to the destination.
    NoRoute = "no-route",
    /// The route says that the destination is not to be reached (no device, a link that is the packet's own dead end).
    Unreachable = "unreachable",
    /// TTL or hop limit used up.
    TtlExceeded = "ttl-exceeded",
    /// An address that may not stand where it stands (`ip_rcv`, `fib_validate_source`).
    Martian = "martian",
    /// Headers that contradict the packet, or a wrong header checksum.
    Malformed = "malformed",
    /// Too long for the next link, and not to be fragmented.
    TooBig = "too-big",
    /// The next hop's link address is not known.
    NoNeighbour = "no-neighbour",
    /// Given up while it waited for its next hop's link address: too much waited, or too many were asked for.
    NeighbourLimit = "neighbour-limit",
    /// A neighbour that was forgotten because too many are behind its port (counted; no frame's own reason).
    NeighbourEvicted = "neighbour-evicted",
    /// A station that was forgotten because too many are behind its port (counted; no frame's own reason).
    StationEvicted = "station-evicted",
    /// The frame is for another machine.
    OtherHost = "other-host",
    /// In a replay: what became of a frame or of redan's own answer, captured once more on its way out, and not taken twice.
    Copy = "copy",
    /// Not IP, and no rule takes such frames.
    NotIp = "not-ip",
    /// Broadcast or multicast, which the router does not forward.
    NotForwarded = "not-forwarded",
    /// The connection table is full.
    CtLimit = "ct-limit",
    /// Another packet of the same connection was confirmed first.
    CtClash = "ct-clash",
    /// A helper waits for a command in one piece, or has no place for what is announced.
    CtHelper = "ct-helper",
    /// Conntrack dropped the packet for what its protocol says.
    CtInvalid = "ct-invalid",
    /// No translation is left.
    NatExhausted = "nat-exhausted",
    /// A rule's NAT or `ct count` asked for a drop.
    RuleAsked = "rule-asked",
    /// Too many fragments wait.
    FragmentLimit = "fragment-limit",
    /// Fragments overlap.
    FragmentOverlap = "fragment-overlap",
    /// A fragment that repeats another one.
    FragmentDuplicate = "fragment-duplicate",
    /// The rest of a fragmented packet did not come in time.
    FragmentTimeout = "fragment-timeout",
    /// A fragment that waits for the rest.
    FragmentHeld = "fragment-held",
    /// Taken by `fwd`, `synproxy` or the like.
    Stolen = "stolen",
    /// Queued to a program, and none listens.
    NoListener = "no-listener",
    /// No port to send it out of, or only the one that it came by.
    NoPort = "no-port",
    /// An ICMP error that was not sent, because many were (counted; no frame's own reason).
    AnswerLimit = "answer-limit",
    /// A panic in the datapath: the frame is dropped.
    Internal = "internal",
}
