//! Mistakes that people make, each put into one of the rulesets to start from: its test fails, and shows the line and the match on one screen.

mod support;

use support::{folder, project, redan};

/// Lines of a screen.
const SCREEN: usize = 40;

/// A mistake.
struct Mistake {
    what: &'static str,
    /// Which ruleset.
    name: &'static str,
    /// What stands there, and what is written instead.
    from: &'static str,
    to: &'static str,
    /// Parts of one line that the screen shows: the rule's line number and the match, or what it did.
    line: &'static [&'static str],
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        what: "an interface that is not called so",
        name: "home-gateway",
        from: "define wan = \"wan0\"",
        to: "define wan = \"wan\"",
        line: &["- 34  iifname $lan oifname $wan", "oifname $wan: was wan0"],
    },
    Mistake {
        what: "the exception behind the rule",
        name: "home-gateway",
        from: "iifname $lan oifname $wan tcp dport 25 counter reject with tcp reset
\t\tiifname $lan oifname $wan counter accept comment \"the LAN may go out\"",
        to: "iifname $lan oifname $wan counter accept comment \"the LAN may go out\"
\t\tiifname $lan oifname $wan tcp dport 25 counter reject with tcp reset",
        line: &[
            "+ 33  iifname $lan oifname $wan counter accept",
            "=> accept",
        ],
    },
    Mistake {
        what: "another network",
        name: "home-gateway",
        from: "define lan_net4 = 10.1.0.0/16",
        to: "define lan_net4 = 10.1.1.0/24",
        line: &[
            "+ 29  iifname $lan ip saddr != $lan_net4 counter drop",
            "=> drop",
        ],
    },
    Mistake {
        what: "the source port instead of the destination's",
        name: "home-gateway",
        from: "iifname $lan tcp dport { 22, 53 } accept",
        to: "iifname $lan tcp sport { 22, 53 } accept",
        line: &["- 55  ", "tcp sport { 22, 53 }: was 40002"],
    },
    Mistake {
        what: "answers forgotten",
        name: "dmz",
        from: "ct state established,related accept",
        to: "ct state related accept",
        line: &[
            "- 18  ct state related accept",
            "ct state related: was established",
        ],
    },
    Mistake {
        what: "a prefix that is too long",
        name: "server",
        from: "192.0.2.0/28",
        to: "192.0.2.0/30",
        line: &[
            "- 33  tcp dport 22 ip saddr @admins4",
            "ip saddr @admins4: was 192.0.2.5",
        ],
    },
    Mistake {
        what: "the wrong protocol",
        name: "server",
        from: "tcp dport { 80, 443 } counter accept",
        to: "udp dport { 80, 443 } counter accept",
        line: &["- 32  ", "udp dport { 80, 443 }: was tcp"],
    },
    Mistake {
        what: "a zone that is not called so",
        name: "dmz",
        from: "\"wan0\" . \"dmz0\" : jump wan_dmz",
        to: "\"wan0\" . \"dmz\" : jump wan_dmz",
        line: &[
            "- 21  iifname . oifname vmap",
            "was wan0 . dmz0, for which there is no element",
        ],
    },
    Mistake {
        what: "neighbour discovery forgotten",
        name: "ipv6-only",
        from: "nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }",
        to: "nd-router-advert, nd-neighbor-advert }",
        line: &["- 39  icmpv6 type", "was nd-neighbor-solicit"],
    },
    Mistake {
        what: "a limit that is too tight",
        name: "bastion",
        from: "burst 10 packets",
        to: "burst 5 packets",
        line: &[
            "- 30  limit rate 10/minute burst 5 packets",
            "the limit is used up",
        ],
    },
    Mistake {
        what: "a policy that lets everything in",
        name: "bastion",
        from: "type filter hook input priority filter; policy drop;",
        to: "type filter hook input priority filter; policy accept;",
        line: &["policy accept"],
    },
    Mistake {
        what: "a port at the wrong machine",
        name: "dmz",
        from: "$dmz_mail . 25,",
        to: "$dmz_web . 25,",
        line: &["- 43  ip daddr . tcp dport", "was 10.3.0.25 . 25"],
    },
];

#[test]
fn a_failing_test_shows_the_line_and_the_match() {
    for mistake in MISTAKES {
        let file = |end: &str| {
            let path = project().join(format!("rules/{}.{end}", mistake.name));
            std::fs::read_to_string(path).expect("the file is there")
        };
        let rules = file("rules");
        assert!(
            rules.contains(mistake.from),
            "{}: {}",
            mistake.name,
            mistake.from
        );
        let wrong = rules.replacen(mistake.from, mistake.to, 1);
        let (test, site) = (file("test"), file("toml"));
        let folder = folder(&[
            ("a.rules", wrong.as_bytes()),
            ("a.test", test.as_bytes()),
            ("a.toml", site.as_bytes()),
        ]);
        let ran = redan(folder.path(), &["test", "a.test"]).ends_with(1);
        let is_there = |line: &str| mistake.line.iter().all(|part| line.contains(part));
        let place = ran.stdout.lines().position(is_there);
        assert!(
            place.is_some_and(|place| place < SCREEN),
            "{}: {:?} is not on the first screen of\n{}",
            mistake.what,
            mistake.line,
            ran.stdout
        );
    }
}
