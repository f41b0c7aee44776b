//! What a rule may do besides deciding: count, limit, mark, remember, rewrite.

use super::random::Place;
use crate::rng::Rng;

pub(super) fn random(rng: &mut Rng, place: Place<'_>) -> String {
    match rng.below(10) {
        0 | 1 => limiting(rng),
        2 | 3 => marking(rng, place),
        4 | 5 => remembering(rng, place),
        6 => rewriting(rng, place),
        7 => options(rng, place),
        8 => counting(rng, place),
        _ => other(rng, place),
    }
}

/// Rates by the day, so that the time which passes between two frames does not matter.
fn limiting(rng: &mut Rng) -> String {
    rng.pick(&[
        "limit rate 3/day",
        "limit rate over 2/day burst 3 packets",
        "limit rate 5/day burst 1 packets",
        "limit rate 2/week burst 9 packets",
        "limit rate 1000 bytes/day",
        "limit rate over 600 bytes/day burst 500 bytes",
        "limit rate 1 kbytes/day burst 2 kbytes",
        "limit name \"few\"",
        "limit name \"over_few\"",
        "limit name \"some_bytes\"",
        "quota 700 bytes",
        "quota over 1500 bytes",
        "quota until 2 kbytes",
        "limit rate 3/hour burst 2 packets",
        "limit rate over 20 kbytes/week burst 100 bytes",
        "quota over 300 bytes used 200 bytes",
        "quota name \"over_some\"",
        "quota name \"until_some\"",
    ])
    .into()
}

fn marking(rng: &mut Rng, place: Place<'_>) -> String {
    let header = place.header();
    let side = rng.choose(&["saddr", "daddr"]);
    let own = place.six != place.scope.v4;
    match rng.below(13) {
        8 if own => format!("meta mark set {header} {side} map @anything"),
        9 if own && place.proto != "icmp" => {
            format!(
                "meta mark set {header} {side} . {} dport map @port_pairs",
                place.proto
            )
        }
        10 if own && !place.scope.link() => format!("ct mark set {header} {side} map @marks"),
        11 if !place.scope.link() => connection(rng),
        12 => packet(rng),
        0 if own => format!("meta mark set {header} {side} map @marks"),
        1 if own => format!("meta mark set {header} {side} map @net_marks"),
        2 if place.proto != "icmp" => {
            format!("meta mark set {} dport map @port_marks", place.proto)
        }
        3 if place.proto != "icmp" => format!(
            "meta mark set {} sport map {{ 0-1023 : 1, 40000-50000 : 2, 5353 : 3 }}",
            place.proto
        ),
        4 if place.six => format!(
            "meta mark set jhash ip6 {side} . ip6 nexthdr mod {} seed 0x1234",
            rng.choose(&[2, 7, 256])
        ),
        4 => format!(
            "meta mark set jhash ip {side} . ip protocol mod {} seed 0xdeadbeef offset {}",
            rng.choose(&[2, 7, 256]),
            rng.choose(&[0, 100])
        ),
        5 => format!(
            "meta mark set numgen inc mod {} offset {}",
            rng.choose(&[2, 3, 10]),
            rng.choose(&[0, 1, 16])
        ),
        n if n < 7 && !place.scope.link() => rng
            .pick(&[
                "ct mark set 0x5",
                "ct mark set meta mark",
                "meta mark set ct mark",
                "ct mark set ct mark & 0xff | 0x10",
                "ct mark set meta mark and 0xff or 0x10",
                "ct mark set meta mark",
                "ct mark set ct mark ^ 0xf0",
                "meta mark set ct mark << 4",
                "meta mark set ct mark >> 1",
            ])
            .into(),
        _ => rng
            .pick(&[
                "meta mark set 1",
                "meta mark set 0x80000001",
                "meta mark set meta mark and 0xffff",
                "meta mark set meta mark or 0x100",
                "meta mark set meta mark xor 0xff",
                "meta mark set meta mark and 0xf0 xor 0x21",
                "meta priority set 1:2",
            ])
            .into(),
    }
}

/// What a rule may write of a connection.
fn connection(rng: &mut Rng) -> String {
    rng.pick(&[
        "ct label set 5",
        "ct event set new,destroy",
        "ct mark set meta mark << 8",
        "ct mark set numgen inc mod 3",
        "ct mark set ct mark or 0x1 and 0xf",
        "ct zone set 5",
        "ct original zone set 7",
        "ct zone set meta mark map { 0 : 0, 1-9 : 5 }",
        "ct mark set 0x11 ct mark 0x11",
        "meta mark set ct mark & 0xf0",
    ])
    .into()
}

/// What a rule may write beside a packet's bytes.
fn packet(rng: &mut Rng) -> String {
    rng.pick(&[
        "meta priority set 0x10002",
        "meta priority set meta mark map { 0 : 1:3, 5 : 2:1 }",
        "meta nftrace set 0",
        "meta mark set meta mark << 1",
        "meta mark set meta mark >> 2",
        "meta mark set meta length map { 0-60 : 0x10, 61-65535 : 0x20 }",
        "meta mark set meta l4proto map { tcp : 6, udp : 17 }",
        "meta mark set iifname map { \"lan0\" : 1, \"wan0\" : 2 }",
    ])
    .into()
}

fn remembering(rng: &mut Rng, place: Place<'_>) -> String {
    let header = place.header();
    let side = rng.choose(&["saddr", "daddr"]);
    // The table's sets hold the addresses of one family.
    if place.six == place.scope.v4 {
        return String::new();
    }
    let verb = rng.choose(&["add", "add", "update", "delete"]);
    if verb == "delete" {
        return format!("delete @rated {{ {header} {side} }}");
    }
    let tail = rng.pick(&["", " counter", " limit rate over 3/day burst 1 packets"]);
    let learned = |rng: &mut Rng| {
        rng.pick(&["7", "meta mark", "meta mark", "0x10"])
            .to_string()
    };
    match rng.below(10) {
        6 => format!(
            "{verb} @budgeted {{ {header} {side} quota {} }}",
            rng.choose(&["over 300 bytes", "500 bytes"])
        ),
        7 if place.proto != "icmp" => format!(
            "{verb} @trios {{ {header} {side} . {} dport . meta mark timeout 3h }}",
            place.proto
        ),
        8 => format!(
            "{verb} @met_ways {{ {header} {side} : {} }}",
            rng.choose(&["drop", "accept", "continue"])
        ),
        9 => format!("{verb} @late {{ {header} {side} timeout 5h counter }}"),
        0 | 1 => format!("{verb} @met {{ {header} {side}{tail} }}"),
        2 => format!(
            "{} @late {{ {header} {side} timeout {} }}",
            verb,
            rng.choose(&["2d", "20h"])
        ),
        3 if place.proto != "icmp" => {
            format!(
                "{verb} @flows {{ {header} {side} . {} dport{tail} }}",
                place.proto
            )
        }
        4 => format!("{} @learned {{ {header} {side} : {} }}", verb, learned(rng)),
        _ => format!("add @rated {{ {header} {side} limit rate over 2/day burst 2 packets }}"),
    }
}

/// Fields that change on the way, checksums repaired (raw writes to a transport header would leave them wrong: docs/differences.md).
fn rewriting(rng: &mut Rng, place: Place<'_>) -> String {
    let network: &[&str] = if place.six {
        &[
            "ip6 hoplimit set 33",
            "ip6 hoplimit set 255",
            "ip6 saddr set 2001:db8::99",
            "ip6 saddr set fd10::77",
            "ip6 daddr set 2001:db8::99",
            "ip6 hoplimit set 1",
            "ip6 dscp set cs1",
            "ip6 dscp set af21",
            "ip6 ecn set ce",
            "ip6 flowlabel set 5",
            "ip6 daddr set ip6 daddr map { 2001:db8::7 : 2001:db8::200 }",
            "@nh,56,8 set 20",
        ]
    } else {
        &[
            "ip ttl set 33",
            "ip ttl set 255",
            "ip saddr set 192.168.1.77",
            "ip daddr set 198.51.100.99",
            "ip id set 0x1234",
            "ip ttl set 1",
            "ip dscp set cs1",
            "ip dscp set af21",
            "ip ecn set ce",
            "ip daddr set ip daddr map { 198.51.100.7 : 198.51.100.200 }",
            "ip saddr set ip saddr map { 192.168.1.10 : 192.168.1.77, 192.168.1.11 : 192.168.1.78 }",
            "ip ttl set ip protocol map { tcp : 9, udp : 8, icmp : 7 }",
            "@nh,64,8 set 20",
        ]
    };
    let transport: &[&str] = match place.proto {
        "tcp" => &[
            "tcp dport set 8081",
            "tcp sport set 2222",
            "tcp window set 1000",
            "tcp urgptr set 1",
            "tcp sequence set 5",
            "tcp ackseq set 7",
            "tcp flags set ack",
            "tcp dport set tcp dport map { 80 : 8080, 22 : 2222 }",
            "tcp sport set numgen inc mod 100 offset 3000",
        ],
        "udp" => &[
            "udp dport set 5354",
            "udp sport set 1",
            "udp length set 8",
            "udp dport set udp dport map { 53 : 5353, 5000 : 5001 }",
            "udp checksum set 0",
        ],
        // Identifiers are of echo messages; nft refuses them beside other types.
        _ if place.six => &[
            "icmpv6 code set 1",
            "icmpv6 mtu set 1300",
            "icmpv6 type set 129",
        ],
        _ => &[
            "icmp code set 1",
            "icmp mtu set 1300",
            "icmp type set 0",
            "icmp gateway set 5",
        ],
    };
    let link: &[&str] = &[
        "ether saddr set 02:00:00:00:01:77",
        "ether daddr set 02:00:00:00:02:01",
    ];
    let fields = match rng.below(9) {
        0..=3 => network,
        4..=7 => transport,
        // On a bridge they would choose the way.
        _ if place.scope.family == "bridge" => network,
        _ => link,
    };
    rng.pick(fields).into()
}

fn options(rng: &mut Rng, place: Place<'_>) -> String {
    if place.proto != "tcp" {
        return String::new();
    }
    if matches!(place.hook, Some("forward" | "postrouting" | "output"))
        && !place.scope.link()
        && rng.one_in(4)
    {
        return "tcp option maxseg size set rt mtu".into();
    }
    rng.pick(&[
        "tcp option maxseg size set 1000",
        "tcp option maxseg size set 9000",
        "tcp option window count set 2",
        "tcp option timestamp tsval set 5",
        "tcp option maxseg size set 536",
        "tcp option maxseg size set tcp option maxseg size",
        "tcp option sack left set 5",
        "tcp option timestamp tsecr set 9",
        "tcp option window count set 0",
        "reset tcp option maxseg",
        "reset tcp option 8",
        "reset tcp option sack-perm",
        "reset tcp option timestamp",
        "reset tcp option window",
        "reset tcp option sack",
    ])
    .into()
}

fn counting(rng: &mut Rng, place: Place<'_>) -> String {
    if place.proto != "icmp" && rng.one_in(2) {
        return rng
            .pick(&[
                "counter name PROTO dport map @port_counters",
                "counter name PROTO dport map { 53 : \"seen\", 8080 : \"other\" }",
                "quota name PROTO sport map { 53 : \"over_some\", 80 : \"until_some\" }",
                "limit name PROTO dport map { 443 : \"few\", 80 : \"over_few\" }",
                "counter name PROTO sport . PROTO dport map { 5353 . 53 : \"seen\", 40000 . 80 : \"other\" }",
                "quota name meta l4proto map { tcp : \"over_some\", udp : \"until_some\" }",
            ])
            .replace("PROTO", place.proto);
    }
    rng.pick(&[
        "counter name \"seen\"",
        "counter name \"other\"",
        "counter name numgen inc mod 2 map { 0 : \"seen\", 1 : \"other\" }",
    ])
    .into()
}

fn other(rng: &mut Rng, place: Place<'_>) -> String {
    if rng.one_in(2) {
        return copies(rng, place);
    }
    match place.hook {
        Some("prerouting" | "output") => rng
            .pick(&["notrack", "notrack", "log prefix \"x\" level debug"])
            .into(),
        Some("ingress") if place.scope.netdev() => rng
            .pick(&[
                "meta pkttype set host",
                "meta pkttype set other",
                "log prefix \"x\"",
            ])
            .into(),
        _ => rng
            .pick(&[
                "log prefix \"x\"",
                "log flags all",
                "log group 3 snaplen 20",
            ])
            .into(),
    }
}

/// Copies go where a neighbour is known.
fn copies(rng: &mut Rng, place: Place<'_>) -> String {
    match place.scope.family {
        "ip" => rng.pick(&[
            "dup to 10.1.0.2",
            "dup to 10.2.0.2",
            "dup to 203.0.113.1",
            "dup to 10.1.0.2 device \"lan0\"",
            "dup to ip saddr map { 192.168.1.10 : 10.1.0.2, 198.51.100.7 : 10.2.0.2 }",
        ]),
        "ip6" => rng.pick(&[
            "dup to fd01::2",
            "dup to fd02::2",
            "dup to 2001:db8::5",
            "dup to fd01::2 device \"lan0\"",
            "dup to fd02::2 device \"lan0\"",
        ]),
        "netdev" => rng.pick(&["dup to \"lan0\"", "dup to \"wan0\""]),
        _ => "",
    }
    .into()
}
