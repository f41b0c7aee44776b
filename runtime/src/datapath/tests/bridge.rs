//! A wire of three ports, which does with frames what a bridge does; as seen from the kernel's.

use super::*;

/// Whether a packet is on its way out of a port.
fn goes_to(packet: &Packet, port: &[u8]) -> bool {
    packet.meta.oifname.starts_with(port)
}

/// A UDP frame between two stations.
fn between(src: u8, dst: u8) -> Vec<u8> {
    let mut frame = udp(&format!("10.0.0.{src}"), &format!("10.0.0.{dst}"), 64);
    let address = |n| {
        if n == 255 {
            [255; 6]
        } else {
            [2, 0, 0, 0, 0, n]
        }
    };
    frame[..6].copy_from_slice(&address(dst));
    frame[6..12].copy_from_slice(&address(src));
    frame
}

/// What became of the frame, and the ports that it left by.
fn ports(datapath: &mut Datapath, port: u16, frame: Vec<u8>) -> String {
    let fate = fate(datapath, port, frame);
    let mut parts = fate.split(" | ");
    let mut line = parts.next().unwrap().to_owned();
    for part in parts {
        line.push(' ');
        line.push_str(part.split(' ').next().unwrap());
    }
    line
}

#[test]
fn frames_for_nobody_or_for_all_go_everywhere_but_back() {
    let mut wire = datapath(wire(&[], 3), none, false, false);
    for (port, src, dst, expected) in [
        (0, 1, 9, "accept policy - - wan0 dmz0"),
        (1, 2, 1, "accept policy - - lan0"),
        (0, 3, 1, "drop no-port - -"),
        (2, 4, 255, "accept policy - - lan0 wan0"),
        (1, 2, 4, "accept policy - - dmz0"),
        (1, 4, 255, "accept policy - - lan0 dmz0"),
        (0, 1, 4, "accept policy - - wan0"),
    ] {
        assert_eq!(ports(&mut wire, port, between(src, dst)), expected);
    }
    for source in [[0; 6], [3, 0, 0, 0, 0, 1]] {
        let mut frame = between(1, 255);
        frame[6..12].copy_from_slice(&source);
        assert_eq!(ports(&mut wire, 0, frame), "drop martian - -");
    }
}

#[test]
fn stations_are_learned_from_what_prerouting_lets_in() {
    fn rules(hook: Hook, packet: &Packet) -> Option<Final> {
        let from = packet.ipv4()?.src().octets()[3];
        let dropped = [(5, Hook::Prerouting), (7, Hook::Forward)];
        dropped.contains(&(from, hook)).then_some(Final::Drop)
    }
    let mut wire = datapath(wire(&[], 3), rules, false, false);
    for (port, src, dst, expected) in [
        (2, 5, 255, "drop - prerouting -"),
        (0, 1, 5, "accept policy - - wan0 dmz0"),
        (0, 7, 255, "drop - forward -"),
        (1, 2, 7, "accept policy - - lan0"),
    ] {
        assert_eq!(ports(&mut wire, port, between(src, dst)), expected);
    }
}

#[test]
fn each_copy_meets_the_rules_of_its_own_way_and_all_are_one_connection() {
    fn not_to_wan(hook: Hook, packet: &Packet) -> Option<Final> {
        (hook == Hook::Forward && goes_to(packet, b"wan0")).then_some(Final::Drop)
    }
    fn not_to_dmz(hook: Hook, packet: &Packet) -> Option<Final> {
        (hook == Hook::Postrouting && goes_to(packet, b"dmz0")).then_some(Final::Drop)
    }
    fn nowhere(hook: Hook, _: &Packet) -> Option<Final> {
        (hook == Hook::Forward).then_some(Final::Drop)
    }
    let cases: [(Rules, &str, &str, usize, u64); 4] = [
        (none, "accept policy - new wan0 dmz0", "est", 1, 0),
        (not_to_wan, "accept policy - new dmz0", "est", 1, 1),
        (not_to_dmz, "accept policy - new wan0", "est", 1, 1),
        (nowhere, "drop - forward new", "drop", 0, 2),
    ];
    for (rules, expected, answer, entries, dropped) in cases {
        let mut wire = datapath(wire(&[], 3), rules, false, true);
        assert_eq!(ports(&mut wire, 0, between(1, 9)), expected);
        assert_eq!(wire.conntrack().unwrap().count(), entries, "{expected}");
        let gone = wire.counters().dropped(Reason::Policy);
        assert_eq!(gone + u64::from(entries == 0), dropped, "{expected}");
        let mut back = between(9, 1);
        back[34..38].copy_from_slice(&[0, 53, 3, 232]);
        back[40..42].fill(0);
        let state = ports(&mut wire, 2, back);
        assert!(state.contains(answer), "{state}");
        assert_eq!(wire.conntrack().unwrap().count(), entries, "{expected}");
    }
}
