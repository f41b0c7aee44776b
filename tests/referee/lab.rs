//! What stands between the two ports, and how a case is watched.

/// A laboratory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lab {
    /// A router, and behind the ruleset a probe that writes `ct state` into the DSCP field: connections are always tracked.
    #[default]
    Watched,
    /// A router with nothing but the ruleset: what its rules need is all that there is.
    Router,
    /// A bridge with nothing but the ruleset.
    Bridge,
}

impl Lab {
    const ALL: [Self; 3] = [Self::Watched, Self::Router, Self::Bridge];

    /// Its word in a kept case.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Watched => "watched",
            Self::Router => "router",
            Self::Bridge => "bridge",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lab| lab.word() == word)
    }

    /// The rules behind the ruleset.
    pub(crate) fn probe(self) -> String {
        if self == Self::Bridge {
            // It has no address, and nothing to say.
            return String::new();
        }
        let states = if self == Self::Watched { STATES } else { "" };
        format!("table inet zz_probe {{\n{QUIET}{states}}}\n")
    }
}

/// Keeps the kernel's own services quiet.
const QUIET: &str = "  chain mine { type filter hook input priority 2147483645; policy drop; }
  chain quiet { type filter hook output priority -2147483648; policy accept;
    icmpv6 type { mld-listener-report, mld2-listener-report, nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } drop
    ip protocol igmp drop
  }
";

/// Writes `ct state` into the DSCP field.
const STATES: &str = "  chain seen { type filter hook postrouting priority 400; policy accept;
    ct state new ip dscp set 1; ct state new ip6 dscp set 1
    ct state established ip dscp set 2; ct state established ip6 dscp set 2
    ct state related ip dscp set 3; ct state related ip6 dscp set 3
    ct state invalid ip dscp set 4; ct state invalid ip6 dscp set 4
    ct state untracked ip dscp set 5; ct state untracked ip6 dscp set 5
  }
";
