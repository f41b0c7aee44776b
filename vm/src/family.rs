//! Address families, hooks, chain types, in nft's words.

/// Declares an enum whose variants have one spelling in nft's language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $vdoc:literal])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $vdoc])* $variant,)* }

        impl $name {
            /// Every variant, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that nft writes.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What it is, in a line for people.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => concat!($($vdoc),*).trim_ascii(),)* }
            }

            /// The variant that nft writes as `word`.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// A table's address family.
    Family {
        /// IPv4.
        Ip = "ip",
        /// IPv6.
        Ip6 = "ip6",
        /// IPv4 and IPv6.
        Inet = "inet",
        /// ARP.
        Arp = "arp",
        /// Ethernet bridge.
        Bridge = "bridge",
        /// One device's ingress or egress.
        Netdev = "netdev",
    }
}

words! {
    /// Where in a packet's way a base chain hangs.
    Hook {
        /// Before routing.
        Prerouting = "prerouting",
        /// To the machine itself.
        Input = "input",
        /// Through the machine.
        Forward = "forward",
        /// From the machine itself.
        Output = "output",
        /// After routing.
        Postrouting = "postrouting",
        /// A device's receive side, before all other hooks.
        Ingress = "ingress",
        /// A device's send side, after all other hooks.
        Egress = "egress",
    }
}

words! {
    /// A base chain's type.
    ChainType {
        /// Any hook of its family.
        Filter = "filter",
        /// Sees the first packet of each connection.
        Nat = "nat",
        /// Reroutes locally made packets that it changed.
        Route = "route",
    }
}

/// The kernel's NFPROTO number of a packet's layer 3 protocol, as `meta nfproto` loads it.
pub mod nfproto {
    /// IPv4.
    pub const IPV4: u8 = 2;
    /// ARP.
    pub const ARP: u8 = 3;
    /// A link device.
    pub const NETDEV: u8 = 5;
    /// A bridge.
    pub const BRIDGE: u8 = 7;
    /// IPv6.
    pub const IPV6: u8 = 10;
}
