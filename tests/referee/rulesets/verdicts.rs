//! How a rule may end.

use super::random::Place;
use crate::rng::Rng;

pub(super) fn random(rng: &mut Rng, place: Place<'_>) -> String {
    let Place { targets, .. } = place;
    match rng.below(15) {
        0..=3 => "accept".into(),
        4 => "drop".into(),
        5 | 6 if !targets.is_empty() => format!("jump {}", targets[rng.below(targets.len())]),
        7 if !targets.is_empty() => format!("goto {}", targets[rng.below(targets.len())]),
        8 => "return".into(),
        9 => "continue".into(),
        10 if !matches!(place.hook, None | Some("postrouting" | "egress")) => reject(rng, place),
        14 if place.scope.netdev() => rng
            .pick(&[
                "fwd to \"wan0\"",
                "fwd to \"lan0\"",
                "fwd ip to 10.2.0.2 device \"wan0\"",
                "fwd ip6 to fd02::2 device \"wan0\"",
            ])
            .into(),
        14 => rng
            .pick(&[
                "jump { meta mark set 5; }",
                "goto { meta mark set 0x22; accept; }",
                "jump { meta length > 60 drop; }",
            ])
            .into(),
        11 if !place.scope.link() => {
            "ct state vmap { established : accept, invalid : drop }".into()
        }
        12 => mapped(rng, place),
        13 if rng.one_in(2) => rng
            .pick(&["queue num 3 bypass", "queue num 1-4 bypass"])
            .into(),
        _ => String::new(),
    }
}

fn mapped(rng: &mut Rng, place: Place<'_>) -> String {
    let header = place.header();
    let own = place.six != place.scope.v4;
    match rng.below(12) {
        6 => "meta l4proto . meta length vmap { tcp . 20-60 : accept, udp . 28-60 : return, icmp . 28-1500 : continue }".into(),
        7 => "numgen inc mod 4 vmap { 0 : accept, 1 : drop, 2 : return, 3 : continue }".into(),
        8 if !place.targets.is_empty() => format!("numgen inc mod 3 vmap {{ 0 : jump {0}, 1-2 : continue }}", place.targets[0]),
        9 if own => format!("{header} saddr vmap @met_ways"),
        10 if !place.scope.link() => "ct mark vmap { 0 : continue, 1-9 : accept, 0x10 : drop }".into(),
        11 if own => format!("jhash {header} saddr mod 3 seed 0x5 vmap {{ 0 : accept, 1 : drop, 2 : return }}"),
        0 if own => format!("{header} saddr vmap @ways"),
        1 if own => format!("{header} daddr . tcp dport vmap @net_ways"),
        2 if place.proto != "icmp" => format!(
            "{} dport vmap {{ 0-100 : accept, 5000 : drop, 8080 : return }}",
            place.proto
        ),
        3 if place.targets.len() > 1 => format!(
            "meta l4proto vmap {{ tcp : jump {}, udp : goto {} }}",
            place.targets[0], place.targets[1]
        ),
        4 if !place.scope.link() => {
            "ct state . meta l4proto vmap { new . tcp : accept, established . udp : drop }".into()
        }
        _ => "meta mark vmap { 1 : drop, 2-5 : accept }".into(),
    }
}

fn reject(rng: &mut Rng, place: Place<'_>) -> String {
    let Place {
        scope, six, proto, ..
    } = place;
    match rng.below(4) {
        0 if proto == "tcp" => "meta l4proto tcp reject with tcp reset".into(),
        1 if scope.inet() => rng
            .pick(&[
                "reject with icmpx admin-prohibited",
                "reject with icmpx host-unreachable",
                "reject with icmpx no-route",
                "reject with icmpx port-unreachable",
            ])
            .into(),
        2 if six && !scope.inet() => rng
            .pick(&[
                "reject with icmpv6 admin-prohibited",
                "reject with icmpv6 addr-unreachable",
                "reject with icmpv6 no-route",
                "reject with icmpv6 port-unreachable",
                "reject with icmpv6 policy-fail",
                "reject with icmpv6 reject-route",
            ])
            .into(),
        2 if !six && !scope.inet() => rng
            .pick(&[
                "reject with icmp host-prohibited",
                "reject with icmp net-unreachable",
                "reject with icmp host-unreachable",
                "reject with icmp prot-unreachable",
                "reject with icmp port-unreachable",
                "reject with icmp net-prohibited",
                "reject with icmp admin-prohibited",
            ])
            .into(),
        _ => "reject".into(),
    }
}
