//! The sets, maps and objects of a table.

use super::random::Scope;
use crate::rng::Rng;

/// Ones that never change, ones that rules fill, maps and named objects. Every table has all of them.
pub(super) fn random(rng: &mut Rng, scope: Scope) -> Vec<String> {
    let mut all = constant(rng, scope);
    all.extend(maps(scope));
    all.extend(dynamic(rng, scope));
    all.extend(
        [
            "counter seen { }",
            "counter other { }",
            "quota over_some { over 3000 bytes }",
            "quota until_some { 5 kbytes }",
            "limit few { rate 5/day burst 3 packets }",
            "limit over_few { rate over 4/day burst 6 packets }",
            "limit some_bytes { rate 2000 bytes/day burst 900 bytes }",
        ]
        .map(str::to_string),
    );
    all
}

/// Type of the table's addresses, three of them, and three ranges.
fn addresses(scope: Scope) -> (&'static str, [&'static str; 3], [&'static str; 3]) {
    if scope.v4 {
        (
            "ipv4_addr",
            ["10.2.0.2", "192.168.1.10", "198.51.100.7"],
            [
                "192.168.0.0/20",
                "198.51.100.0-198.51.100.99",
                "203.0.113.8",
            ],
        )
    } else {
        (
            "ipv6_addr",
            ["fd02::2", "fd10::10", "2001:db8::7"],
            ["fd10::/24", "2001:db8::-2001:db8::99", "2001:db8:1::8"],
        )
    }
}

fn constant(rng: &mut Rng, scope: Scope) -> Vec<String> {
    let (kind, [a, b, c], [net, range, one]) = addresses(scope);
    let port = if rng.one_in(2) { "53" } else { "8080" };
    vec![
        format!("set hosts {{ type {kind}; elements = {{ {a}, {b}, {c} }}; }}"),
        format!(
            "set nets {{ type {kind}; flags interval; elements = {{ {net}, {range}, {one} }}; }}"
        ),
        format!("set ports {{ type inet_service; elements = {{ 22, 80, {port} }}; }}"),
        "set ranges { type inet_service; flags interval; elements = { 20-25, 1024-49151 }; }"
            .into(),
        format!(
            "set pairs {{ type {kind} . inet_service; elements = {{ {a} . 53, {a} . 80, {c} . 22 }}; }}"
        ),
        format!(
            "set boxes {{ type {kind} . inet_service; flags interval; elements = {{ {net} . 0-1023, {a} . 80-8080, {range} . 22 }}; }}"
        ),
        format!(
            "set triples {{ type inet_proto . {kind} . inet_service; flags interval; elements = {{ tcp . {net} . 20-90, udp . {range} . 53 }}; }}"
        ),
        format!("set counted {{ type {kind}; counter; elements = {{ {a}, {b}, {c} }}; }}"),
        format!(
            "set quoted {{ type {kind}; quota over 600 bytes; elements = {{ {a}, {b}, {c} }}; }}"
        ),
        format!(
            "set limited {{ type {kind}; limit rate 2/day burst 3 packets; elements = {{ {a}, {b} }}; }}"
        ),
        format!(
            "set fading {{ type {kind}; flags timeout; elements = {{ {a} timeout 1d, {b}, {c} timeout 2h }}; }}"
        ),
        format!(
            "set everything {{ type {kind}; flags interval; counter; elements = {{ {net}, * }}; }}"
        ),
    ]
}

fn maps(scope: Scope) -> Vec<String> {
    let (kind, [a, b, c], [net, range, one]) = addresses(scope);
    vec![
        format!("map marks {{ type {kind} : mark; elements = {{ {a} : 1, {b} : 0x22, {c} : 0xff000003 }}; }}"),
        format!("map net_marks {{ type {kind} : mark; flags interval; elements = {{ {net} : 4, {range} : 5 }}; }}"),
        "map port_marks { type inet_service : mark; flags interval; elements = { 0-1023 : 7, 8080 : 9 }; }".into(),
        format!("map anything {{ type {kind} : mark; flags interval; elements = {{ {net} : 3, {one} : 0x22, * : 8 }}; }}"),
        format!("map port_pairs {{ type {kind} . inet_service : mark; flags interval; elements = {{ {net} . 0-1023 : 6, {range} . 1024-65535 : 2 }}; }}"),
        format!("map ways {{ type {kind} : verdict; elements = {{ {a} : accept, {c} : drop }}; }}"),
        format!("map net_ways {{ type {kind} . inet_service : verdict; flags interval; elements = {{ {net} . 53 : drop, {one} . 1-100 : accept }}; }}"),
        "map port_counters { type inet_service : counter; elements = { 22 : \"seen\", 80 : \"other\" }; }".into(),
    ]
}

fn dynamic(rng: &mut Rng, scope: Scope) -> Vec<String> {
    let (kind, ..) = addresses(scope);
    let size = rng.choose(&[1, 3, 100]);
    vec![
        format!("set met {{ type {kind}; size {size}; flags dynamic; }}"),
        format!("set late {{ type {kind}; size 100; flags dynamic,timeout; timeout 1d; }}"),
        format!("set flows {{ type {kind} . inet_service; size {size}; flags dynamic; }}"),
        // packets delete from it, and Linux never has the room of those again: more room than there are frames
        format!("set rated {{ type {kind}; size 5000; flags dynamic; }}"),
        format!("set budgeted {{ type {kind}; size 50; flags dynamic; }}"),
        format!(
            "set trios {{ type {kind} . inet_service . mark; size {size}; flags dynamic,timeout; }}"
        ),
        format!("map met_ways {{ type {kind} : verdict; size 9; flags dynamic; }}"),
        format!("map learned {{ type {kind} : mark; size {size}; flags dynamic; }}"),
    ]
}
