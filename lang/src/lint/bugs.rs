//! What which version of nft compiles to something else than it says. One table; the lint L063 reads it.

use super::Facts;
use super::miscompiled_by_old_nft as shapes;
use super::version::Version;
use crate::typed::Rule;

/// Rules that versions of nft compile to something else than they say.
pub(super) struct Bug {
    /// What comes out.
    pub(super) effect: &'static str,
    /// How to write it so that it comes out right.
    pub(super) instead: &'static str,
    /// The first version that does so; the oldest of the table where it is not known.
    pub(super) first: Version,
    /// The last version that does so.
    pub(super) last: Version,
    /// Where that stands.
    pub(super) source: &'static str,
    /// Whether a rule is one of them.
    pub(super) shows: fn(&Facts<'_>, &Rule) -> bool,
}

/// The oldest version that the table is about.
const OLDEST: Version = Version(0, 9, 8);

/// Rows of nft 1.0.6 and older were also measured, by comparing its bytecode with what the rule says.
pub(super) const BUGS: &[Bug] = &[
    Bug {
        effect: "two `!=` of neighbouring fields become one: \"neither\" turns into \"not both\"",
        instead: "compare one of them with a named set, or in a rule of its own",
        first: OLDEST,
        last: Version(1, 0, 9),
        source: "nftables 1.1.0 release notes",
        shows: |_, rule| shapes::has_neighbouring_unequals(rule),
    },
    Bug {
        effect: "the matches around a statement are merged and moved, so that it runs for other packets",
        instead: "put the statement behind all matches",
        first: OLDEST,
        last: Version(1, 0, 8),
        source: "nftables 1.0.9 release notes",
        shows: |_, rule| shapes::has_statement_between_neighbours(rule),
    },
    Bug {
        effect: "addresses from `numgen` come out with their bytes reversed on little-endian machines",
        instead: "give the addresses by a map: `numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }`",
        first: OLDEST,
        last: Version(1, 0, 8),
        source: "nftables 1.0.9 release notes",
        shows: |_, rule| shapes::has_numgen_address(rule),
    },
    Bug {
        effect: "`ip6 dscp` is looked up with its bytes in the wrong order on little-endian machines",
        instead: "compare with single values",
        first: OLDEST,
        last: Version(1, 0, 9),
        source: "nftables 1.1.0 release notes",
        shows: |_, rule| shapes::looks_ip6_dscp_up(rule),
    },
    Bug {
        effect: "ranges of numbers in a concatenation are compared with their bytes in the wrong order on little-endian machines",
        instead: "match the number by itself, or with single values instead of ranges",
        first: OLDEST,
        last: Version(1, 0, 9),
        source: "nftables 1.1.0 release notes",
        shows: shapes::looks_host_order_range_up,
    },
    Bug {
        effect: "a mark that is set from a few bits of a byte comes out shifted",
        instead: "give the mark by a map: `meta mark set ip dscp map { 0 : 0, 8 : 8 }`",
        first: Version(1, 0, 8),
        last: Version(1, 0, 8),
        source: "nftables 1.0.9 release notes",
        shows: |_, rule| shapes::sets_mark_from_bits(rule),
    },
    Bug {
        effect: "`vlan pcp` is written to the wrong bits on little-endian machines",
        instead: "write the whole field: `@ll,112,16`",
        first: OLDEST,
        last: Version(1, 1, 2),
        source: "nftables 1.1.3 release notes",
        shows: |_, rule| shapes::sets_vlan_bits(rule),
    },
];
