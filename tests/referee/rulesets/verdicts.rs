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
        10 if !matches!(place.hook, None | Some("postrouting" | "ingress")) => reject(rng, place),
        11 if !place.scope.netdev() => {
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
    match rng.below(6) {
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
        4 if !place.scope.netdev() => {
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
            ])
            .into(),
        2 if six && !scope.inet() => rng
            .pick(&[
                "reject with icmpv6 admin-prohibited",
                "reject with icmpv6 addr-unreachable",
            ])
            .into(),
        2 if !six && !scope.inet() => rng
            .pick(&[
                "reject with icmp host-prohibited",
                "reject with icmp net-unreachable",
            ])
            .into(),
        _ => "reject".into(),
    }
}
