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
        "quota name \"over_some\"",
        "quota name \"until_some\"",
    ])
    .into()
}

fn marking(rng: &mut Rng, place: Place<'_>) -> String {
    let header = place.header();
    let side = rng.choose(&["saddr", "daddr"]);
    let own = place.six != place.scope.v4;
    match rng.below(8) {
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
        n if n < 7 && !place.scope.netdev() => rng
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

fn remembering(rng: &mut Rng, place: Place<'_>) -> String {
    let header = place.header();
    let side = rng.choose(&["saddr", "daddr"]);
    // The table's sets hold the addresses of one family.
    if place.six == place.scope.v4 {
        return String::new();
    }
    let verb = rng.choose(&["add", "add", "update", "delete"]);
    // Where a packet deletes an element of a small set, Linux never has its room again.
    if verb == "delete" {
        return format!("delete @rated {{ {header} {side} }}");
    }
    let tail = rng.pick(&["", " counter", " limit rate over 3/day burst 1 packets"]);
    let learned = |rng: &mut Rng| {
        rng.pick(&["7", "meta mark", "meta mark", "0x10"])
            .to_string()
    };
    match rng.below(6) {
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

/// Fields that change on the way, checksums repaired. DSCP is the probe's.
fn rewriting(rng: &mut Rng, place: Place<'_>) -> String {
    let network: &[&str] = if place.six {
        &[
            "ip6 hoplimit set 33",
            "ip6 hoplimit set 255",
            // Not `ip6 saddr set`: Linux then takes another of its own addresses for an ICMPv6 error (docs/differences.md).
            "ip6 daddr set 2001:db8::99",
        ]
    } else {
        &[
            "ip ttl set 33",
            "ip ttl set 255",
            "ip saddr set 192.168.1.77",
            "ip daddr set 198.51.100.99",
            "ip id set 0x1234",
        ]
    };
    let transport: &[&str] = match place.proto {
        "tcp" => &[
            "tcp dport set 8081",
            "tcp sport set 2222",
            "tcp window set 1000",
            "tcp urgptr set 1",
        ],
        "udp" => &["udp dport set 5354", "udp sport set 1", "udp length set 8"],
        // Identifiers are of echo messages; nft refuses them beside other types.
        _ if place.six => &["icmpv6 code set 1"],
        _ => &["icmp code set 1"],
    };
    let fields = if rng.one_in(2) { network } else { transport };
    rng.pick(fields).into()
}

fn options(rng: &mut Rng, place: Place<'_>) -> String {
    if place.proto != "tcp" {
        return String::new();
    }
    if matches!(place.hook, Some("forward" | "postrouting" | "output")) && rng.one_in(4) {
        return "tcp option maxseg size set rt mtu".into();
    }
    rng.pick(&[
        "tcp option maxseg size set 1000",
        "tcp option maxseg size set 9000",
        "tcp option window count set 2",
        "tcp option timestamp tsval set 5",
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
    match place.hook {
        Some("prerouting" | "output") => rng
            .pick(&["notrack", "notrack", "log prefix \"x\" level debug"])
            .into(),
        Some("ingress") => rng
            .pick(&["meta pkttype set host", "log prefix \"x\""])
            .into(),
        _ => rng
            .pick(&["log prefix \"x\"", "log group 3 snaplen 20"])
            .into(),
    }
}
