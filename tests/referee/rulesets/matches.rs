//! What a rule may ask of a packet.

use super::random::Place;
use crate::rng::Rng;

pub(super) fn random(rng: &mut Rng, place: Place<'_>) -> String {
    let Place { six, proto, .. } = place;
    match rng.below(15) {
        0 | 1 => address(rng, six),
        2 | 3 => transport(rng, six, proto),
        4 | 5 if !place.scope.link() => connection(rng),
        6 if !place.scope.link() => tuple(rng, place),
        4..=6 => link(rng),
        7 if place.scope.link() => rng
            .pick(&[
                "iifname \"lan0\"",
                "oifname \"wan0\"",
                "iif \"wan0\"",
                "iiftype ether",
                "oiftype ether",
                "meta mark != 0",
                "meta priority 1:2",
            ])
            .into(),
        7 => interface(rng),
        8 => packet(rng, place),
        9 | 10 => sets(rng, place),
        11 => options(rng, place),
        12 => arithmetic(rng, place),
        13 if !place.scope.link() => routes(rng, place),
        _ => network(rng, six),
    }
}

fn connection(rng: &mut Rng) -> String {
    rng.pick(&[
        "ct state new",
        "ct state established",
        "ct state established,related",
        "ct state invalid",
        "ct state != established",
        "ct state { new, related }",
        "ct state untracked",
        "ct direction original",
        "ct direction reply",
        "ct status assured",
        "ct status seen-reply",
        "ct status confirmed",
        "ct status ! assured",
        "ct mark 0",
        "ct mark != 0",
        "ct mark & 0x10 == 0x10",
        "ct mark 5-20",
        "ct packets > 3",
        "ct original packets 2-5",
        "ct reply packets 0",
        "ct bytes > 400",
        "ct original bytes < 300",
        "ct avgpkt > 70",
        "ct expiration > 100s",
        "ct zone 0",
        "ct helper \"ftp\"",
        "ct label 5",
        "ct original bytes > 100",
        "ct reply bytes 1-1000",
        "ct original avgpkt > 60",
        "ct original packets . ct mark { 1-3 . 0-16 }",
        "ct status { assured, confirmed }",
        "ct state . ct direction { new . original, established . reply }",
        "ct mark ^ 0x10 == 5",
        "ct original zone 5",
        "ct zone 5",
    ])
    .into()
}

fn tuple(rng: &mut Rng, place: Place<'_>) -> String {
    let Place { six, proto, .. } = place;
    let ports = if proto == "icmp" { "tcp" } else { proto };
    let header = if six { "ip6" } else { "ip" };
    // nft 1.0.6 compiles prefixes of whole bytes here in a way of its own, newer ones as any other prefix.
    let (host, net) = if six {
        ("fd10::10", "fd10::/17")
    } else {
        ("192.168.1.10", "192.168.0.0/17")
    };
    let side = rng.choose(&["original", "reply"]);
    let end = rng.choose(&["saddr", "daddr"]);
    match rng.below(7) {
        0 | 1 => format!("ct {side} {header} {end} {host}"),
        6 => format!("ct {side} l3proto {}", if six { "ipv6" } else { "ipv4" }),
        2 => format!("ct {side} {header} {end} {net}"),
        3 => format!("ct {side} protocol {}", rng.choose(&["tcp", "udp", "icmp"])),
        4 => format!(
            "meta l4proto {ports} ct {side} proto-dst {}",
            rng.choose(&["80", "22", "1024-50000"])
        ),
        _ => format!("meta l4proto {ports} ct {side} proto-src 53"),
    }
}

/// The link-layer header.
fn link(rng: &mut Rng) -> String {
    rng.pick(&[
        "ether saddr 02:00:00:00:01:02",
        "ether daddr 02:00:00:00:02:01",
        "ether type ip",
        "ether type ip6",
        "meta protocol ip",
        "ether saddr & 00:00:00:00:ff:00 == 00:00:00:00:01:00",
    ])
    .into()
}

fn interface(rng: &mut Rng) -> String {
    rng.pick(&[
        "iifname \"lan0\"",
        "iifname \"wan*\"",
        "iifname != \"lan0\"",
        "oifname \"wan0\"",
        "oifname { \"lan0\", \"wan0\" }",
        "iif \"lan0\"",
        "oif \"wan0\"",
        "iifname . oifname { \"lan0\" . \"wan0\" }",
        "iiftype ether",
        "oiftype ether",
        "iifgroup default",
        "oifgroup 0",
        "iif . oif { \"lan0\" . \"wan0\" }",
        "iifname vmap { \"lan0\" : continue, \"wan*\" : return }",
        "meta mark ^ 0x22 == 0",
        "meta mark . iifname { 0-9 . \"lan0\", 5 . \"wan0\" }",
        "meta rtclassid 0",
        "meta cgroup 5",
        "meta skuid 0",
        "meta skgid != 0",
        "meta mark 0",
        "meta mark & 0xff == 0x1",
        "meta mark { 1, 5, 0x22 }",
        "meta mark 2-9",
        "meta mark > 3",
        "meta priority 1:2",
    ])
    .into()
}

fn packet(rng: &mut Rng, place: Place<'_>) -> String {
    rng.pick(&[
        "meta length > 60",
        "meta length < 1000",
        "meta length 40-100",
        "meta l4proto tcp",
        "meta l4proto { tcp, udp }",
        "meta l4proto != icmp",
        "meta pkttype host",
        "meta nfproto ipv4",
        "@th,0,16 80",
        "@th,16,16 { 22, 53, 80 }",
        "@th,0,4 0",
        "@th,100,12 != 0",
        "@ih,0,8 0",
        "@ih,0,32 != 5",
        "@nh,0,8 & 0xf0 == 0x40",
        "@nh,4,4 5",
        "@nh,64,8 0-64",
        "@nh,12,20 > 5",
        "@ll,96,16 0x0800",
        "meta protocol { ip, ip6 }",
        "meta pkttype != broadcast",
        "meta time > \"2020-01-01 00:00:00\"",
        "meta time < \"2024-06-01 12:00:00\"",
        "meta day { Monday, Saturday, Sunday }",
        "meta day != Saturday",
        "meta hour \"06:00\"-\"18:30\"",
        "meta hour >= \"12:00\"",
        "meta length . meta l4proto { 20-60 . tcp, 28-100 . udp }",
        "@ll,0,48 0x020000000101",
    ])
    .replace(
        "meta nfproto ipv4",
        if place.scope.inet() {
            "meta nfproto ipv4"
        } else {
            "meta l4proto 6"
        },
    )
}

/// The table's sets, in which rules may have put something.
fn sets(rng: &mut Rng, place: Place<'_>) -> String {
    if place.six == place.scope.v4 {
        return network(rng, place.six);
    }
    let header = place.header();
    let side = rng.choose(&["saddr", "daddr"]);
    let port = if place.proto == "icmp" {
        "tcp"
    } else {
        place.proto
    };
    match rng.below(20) {
        11 => format!("{header} {side} @everything"),
        12 => format!("{header} {side} @fading"),
        13 => format!("{header} {side} @quoted"),
        14 => format!("{header} {side} @limited"),
        15 => format!("{header} {side} != @late"),
        16 => format!("{header} {side} @budgeted"),
        17 => format!(
            "ether saddr . {header} {side} {{ 02:00:00:00:01:02 . {}, 02:00:00:00:02:02 . {} }}",
            if place.six {
                "fd10::10"
            } else {
                "192.168.1.10"
            },
            if place.six {
                "2001:db8::/32"
            } else {
                "198.51.100.0/24"
            }
        ),
        18 => format!(
            "{header} {side} & {} @nets",
            if place.six {
                "ffff:ffff::"
            } else {
                "255.255.255.0"
            }
        ),
        0 => format!("{header} {side} @hosts"),
        1 => format!("{header} {side} != @nets"),
        2 | 3 => format!("{header} {side} @met"),
        4 => format!("{header} {side} @late"),
        5 => format!("{header} {side} . {port} dport @flows"),
        6 => format!("{header} {side} . {port} dport @pairs"),
        7 => format!("{header} {side} . {port} dport @boxes"),
        8 => format!("meta l4proto . {header} {side} . th dport @triples"),
        9 => format!("{header} {side} @counted"),
        10 => format!("{header} {side} map @learned != 0").replace(" map @learned != 0", " @rated"),
        _ => format!(
            "{header} {side} . {header} daddr . {port} dport {{ {} }}",
            if place.six {
                "fd10::/16 . 2001:db8::/32 . 1-100, fd10::10 . fd02::2 . 53"
            } else {
                "192.168.0.0/16 . 198.51.100.0/24 . 1-100, 192.168.1.10 . 10.2.0.2 . 53"
            }
        ),
    }
}

/// TCP options, IP options and extension headers.
fn options(rng: &mut Rng, place: Place<'_>) -> String {
    if place.proto == "tcp" && rng.one_in(2) {
        return rng
            .pick(&[
                "tcp option maxseg exists",
                "tcp option maxseg size > 1000",
                "tcp option maxseg size 1460",
                "tcp option window missing",
                "tcp option window count 7",
                "tcp option sack-perm exists",
                "tcp option timestamp exists",
                "tcp option timestamp tsval > 1000",
                "tcp option sack left > 1",
                "tcp option nop exists",
                "tcp option sack0 right > 1",
                "tcp option sack1 left exists",
                "tcp option sack-perm kind 4",
                "tcp option maxseg length 4",
                "tcp option maxseg size { 536, 1460 }",
                "tcp option window count 0-7",
                "tcp option timestamp tsecr 0",
                "tcp option md5sig missing",
                "tcp option fastopen exists",
                "tcp option mptcp subtype 1",
                "tcp option @3,16,8 7",
                "tcp option 2 missing",
                "tcp option 8 exists",
                "tcp option eol missing",
            ])
            .into();
    }
    if !place.six {
        return rng
            .pick(&[
                "ip option ra exists",
                "ip option rr missing",
                "ip option ra value 0",
                "ip option ra length 4",
                "ip option lsrr exists",
                "ip option ssrr missing",
                "ip option rr ptr 4",
                "ip hdrlength 5",
                "ip hdrlength > 5",
            ])
            .into();
    }
    rng.pick(&[
        "exthdr hbh exists",
        "exthdr dst missing",
        "exthdr frag exists",
        "exthdr rt exists",
        "hbh nexthdr 6",
        "hbh hdrlength 0",
        "dst nexthdr { 6, 17 }",
        "frag more-fragments 1",
        "frag frag-off > 0",
        "frag nexthdr 17",
        "rt type 0",
        "rt seg-left 0",
        "rt0 addr[1] fd02::2",
        "rt2 addr fd02::2",
        "srh tag 0",
        "rt nexthdr { 6, 17, 58 }",
        "rt hdrlength 2",
        "dst hdrlength > 0",
        "hbh nexthdr . hbh hdrlength { 17 . 0, 43 . 0 }",
        "frag id != 0",
        "frag reserved 0",
        "exthdr mh missing",
        "mh type 1",
        "ip6 nexthdr 0",
    ])
    .into()
}

/// Values that are worked out.
fn arithmetic(rng: &mut Rng, place: Place<'_>) -> String {
    let mut choices = vec![
        "meta mark & 3 != 0".to_string(),
        "meta mark or 1 == 1".to_string(),
        "numgen inc mod 3 1".to_string(),
        "numgen inc mod 4 < 2".to_string(),
        "numgen inc mod 6 offset 4 { 4, 7-8 }".to_string(),
        "meta mark & 0xff | 0x100 == 0x105".to_string(),
        format!(
            "{} saddr . meta mark {{ {} . 1, {} . 0-9 }}",
            place.header(),
            if place.six {
                "fd10::10"
            } else {
                "192.168.1.10"
            },
            if place.six {
                "fd10::/16"
            } else {
                "192.168.0.0/16"
            }
        ),
        format!(
            "jhash {} daddr . {} mod 8 seed 3 offset 100 {{ 100-103, 106 }}",
            place.header(),
            if place.proto == "icmp" {
                "meta mark"
            } else {
                "meta l4proto"
            }
        ),
        format!("jhash {} saddr mod 4 seed 7 2", place.header()),
        format!("jhash {0} saddr . {0} daddr mod 2 seed 1 0", place.header()),
    ];
    if place.proto != "icmp" {
        choices.push(format!("{} dport & 0xff00 == 0", place.proto));
        choices.push(format!(
            "{0} sport . {0} dport {{ 1024-65535 . 53, 5353-40001 . 80 }}",
            place.proto
        ));
    }
    choices.swap_remove(rng.below(choices.len()))
}

fn routes(rng: &mut Rng, place: Place<'_>) -> String {
    let fixed: &[&str] = match place.hook {
        Some("prerouting") => &[
            "meta ipsec missing",
            "meta ipsec exists",
            "fib saddr . mark . iif oif exists",
            "fib saddr . iif oifname \"lan0\"",
            "fib daddr . mark oif missing",
            "fib daddr oif \"wan0\"",
            "fib daddr oifname != \"lan*\"",
            "fib daddr type { broadcast, multicast, local }",
            "fib saddr . iif type != unicast",
            "fib daddr . iif oif { \"lan0\", \"wan0\" }",
            "fib daddr type vmap { local : continue, unicast : return }",
            "fib saddr . iif oif missing",
            "fib saddr . iif oif exists",
            "fib daddr type local",
            "fib daddr . iif type { local, unicast }",
            "fib saddr type unicast",
            "fib daddr oifname \"wan0\"",
        ],
        Some("forward" | "input") if rng.one_in(2) => &[
            "fib daddr oif exists",
            "meta sdifname \"lan0\"",
            "fib saddr oifname \"wan0\"",
            "fib saddr . mark oif exists",
            "fib daddr . iif oif missing",
            "fib saddr . iif oif exists",
            "fib daddr . iif type { local, unicast }",
        ],
        Some("forward" | "postrouting") => &[
            "rt mtu 1500",
            "rt mtu 1460",
            "rt mtu { 1440, 1460 }",
            "rt tcpmss > 1400",
            "rt classid 0",
            "rt ipsec missing",
            "fib daddr type unicast",
            "fib saddr . oif type unicast",
            "fib daddr . oif type local",
        ],
        _ => &["meta l4proto { tcp, 58 }", "meta length 60"],
    };
    if fixed.contains(&"rt mtu 1500") && rng.one_in(3) {
        // Beside the other family, nft takes it and redan does not.
        return if place.six {
            "rt ip6 nexthop fd02::2".into()
        } else {
            "rt ip nexthop 10.1.0.2".into()
        };
    }
    rng.pick(fixed).into()
}

fn address(rng: &mut Rng, six: bool) -> String {
    let header = if six { "ip6" } else { "ip" };
    let side = rng.choose(&["saddr", "daddr"]);
    let value = if six {
        rng.pick(&[
            "fd10::10",
            "fd10::/16",
            "2001:db8::7",
            "!= 2001:db8::/32",
            "fd10::-fd10::ff",
            "{ fd02::2, fd10::11 }",
            "& ffff:: == fd10::",
            "2001:db8::/33",
        ])
    } else {
        rng.pick(&[
            "192.168.1.10",
            "192.168.0.0/16",
            "198.51.100.0/24",
            "!= 198.51.100.0/25",
            "192.168.1.10-192.168.1.20",
            "{ 10.2.0.2, 192.168.1.11, 203.0.113.0/24 }",
            "& 255.255.0.0 == 192.168.0.0",
            "198.51.100.0/27",
        ])
    };
    format!("{header} {side} {value}")
}

fn network(rng: &mut Rng, six: bool) -> String {
    if six {
        rng.pick(&[
            "ip6 dscp cs0",
            "ip6 dscp { cs1, af21, 0x20 }",
            "ip6 dscp != cs1",
            "ip6 ecn not-ect",
            "ip6 ecn ce",
            "ip6 flowlabel > 0",
            "ip6 length . ip6 nexthdr { 8-60 . tcp, 20-40 . udp }",
            "ip6 saddr . ip6 daddr vmap { fd10::10 . 2001:db8::7 : continue }",
            "ip6 hoplimit { 1, 33-64 }",
            "ip6 hoplimit 64",
            "ip6 hoplimit > 10",
            "ip6 nexthdr tcp",
            "ip6 nexthdr { udp, 58 }",
            "ip6 length < 100",
            "ip6 version 6",
            "ip6 flowlabel 0",
        ])
        .into()
    } else {
        rng.pick(&[
            "ip dscp cs0",
            "ip dscp { cs1, af21, 0x20 }",
            "ip dscp != cs1",
            "ip dscp cs1-af31",
            "ip ecn not-ect",
            "ip ecn ce",
            "ip id != 4660",
            "ip frag-off & 0x4000 != 0",
            "ip frag-off 0x4000",
            "ip checksum != 0",
            "ip hdrlength . ip protocol { 5 . tcp, 6 . udp }",
            "ip saddr . ip daddr vmap { 192.168.1.10 . 198.51.100.7 : continue }",
            "ip ttl { 1, 33-64 }",
            "ip ttl 64",
            "ip ttl > 10",
            "ip protocol tcp",
            "ip protocol { udp, icmp }",
            "ip length < 100",
            "ip length 28-60",
            "ip version 4",
            "ip frag-off & 0x1fff == 0",
        ])
        .into()
    }
}

/// ICMP and ICMPv6, and protocols that have no ports.
fn icmp(rng: &mut Rng, six: bool) -> String {
    if six {
        return rng
            .pick(&[
                "icmpv6 type echo-request",
                "icmpv6 type { echo-reply, destination-unreachable }",
                "icmpv6 code 0",
                "icmpv6 id > 1024",
                "icmpv6 sequence 0",
                "icmpv6 mtu 1400",
                "icmpv6 checksum != 0",
                "icmpv6 type . icmpv6 code { 128 . 0, 1 . 4, 1 . 1 }",
                "icmpv6 type vmap { 129 : continue, 1-4 : return }",
                "ah spi 1-100",
                "esp spi 0",
                "comp cpi != 4",
                "meta l4proto { 47, 89 }",
                "icmpv6 type { 128, 129 }",
            ])
            .into();
    }
    rng.pick(&[
        "icmp type echo-request",
        "icmp type { echo-reply, destination-unreachable }",
        "icmp code 0",
        "icmp id > 1024",
        "icmp sequence 0",
        "icmp mtu 1400",
        "icmp gateway 0",
        "icmp checksum != 0",
        "icmp type . icmp code { 8 . 0, 3 . 3, 3 . 1 }",
        "icmp type vmap { echo-reply : continue, 3-5 : return }",
        "ah spi 1-100",
        "esp spi 0",
        "comp cpi != 4",
        "meta l4proto { 47, 89 }",
        "icmp type { 0, 8 }",
    ])
    .into()
}

fn transport(rng: &mut Rng, six: bool, proto: &str) -> String {
    if proto == "icmp" {
        return icmp(rng, six);
    }
    let ports = rng.pick(&[
        "dport 80",
        "sport 80",
        "dport { 22, 53, 80 }",
        "dport { 22, 1000-9000 }",
        "dport @ports",
        "sport @ports",
        "dport @ranges",
        "dport != 53",
        "dport != @ports",
        "sport 1024-65535",
        "dport >= 1024",
        "dport vmap { 23 : drop, 8080 : accept }",
        "sport & 1 == 1",
        "sport & 0xf0 == 0x40",
        "dport . ct state { 22 . new, 53 . established, 80 . new }",
        "dport 1-1023",
        "dport < 1024",
        "sport 40000-40001",
    ]);
    let flags = [
        "flags syn",
        "flags & (syn|ack) == syn",
        "flags syn,ack",
        "flags == syn",
        "flags != syn",
        "flags syn / syn,ack,fin,rst",
        "flags ! rst",
        "window > 0",
        "sequence > 0x80000000",
        "ackseq 0",
        "checksum != 0",
        "urgptr 0",
        "reserved 0",
        "flags & (fin | syn | rst | ack) == syn | ack",
        "flags { syn, ack, syn | ack }",
        "flags vmap { syn : continue, rst : return }",
        "flags & (fin | psh) != 0",
        "doff 5",
    ];
    if proto == "tcp" && rng.one_in(3) {
        format!("tcp {}", rng.pick(&flags))
    } else {
        format!("{proto} {ports}")
    }
}
