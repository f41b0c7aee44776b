//! Who waits, who is asked, and who goes when strangers fill a table.

use super::*;
use crate::frame::Offload;
use crate::site::{Neighbor, Port};

const PORT: PortId = PortId(0);
const START: Instant = Instant::from_secs(1);

fn frame(bytes: usize) -> OutFrame {
    OutFrame {
        port: PORT,
        bytes: vec![0; bytes],
        offload: Offload::default(),
    }
}

fn peer(n: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 + n).into()
}

/// Two ports, and one neighbour that the site names.
fn table(live: bool) -> Neighbors {
    let site = Site {
        ports: vec![Port::new("lan0", 0), Port::new("wan0", 1)],
        neighbors: vec![Neighbor {
            address: peer(7),
            mac: Mac([7; 6]),
        }],
        ..Site::default()
    };
    Neighbors::new(&site, live, 5, |_| Some(PORT))
}

#[test]
fn frames_wait_for_the_answer_and_the_oldest_goes_first() {
    let (mut table, at) = (table(true), START);
    assert_eq!(
        table.resolve(at, PORT, peer(2)),
        Resolved::Hold { ask: true }
    );
    assert_eq!(
        table.resolve(at, PORT, peer(2)),
        Resolved::Hold { ask: false }
    );
    for n in 0..17 {
        assert_eq!(table.take_lost(), Lost::default());
        table.hold(PORT, peer(2), frame(n));
    }
    assert_eq!(table.take_lost().frames, 1);
    let mac = Mac([2, 0, 0, 0, 0, 9]);
    let waited = table.learn(at, PORT, peer(2), mac, false);
    assert_eq!(waited, (1..17).map(frame).collect::<VecDeque<_>>());
    assert_eq!(table.links[0].held, 0);
    assert_eq!(table.resolve(at, PORT, peer(2)), Resolved::Send(mac));
    let later = at + Duration::from_secs(40);
    assert_eq!(
        table.resolve(later, PORT, peer(2)),
        Resolved::SendAndAsk(mac)
    );
    assert_eq!(table.resolve(later, PORT, peer(2)), Resolved::Send(mac));
}

#[test]
fn silence_gives_the_frames_back_after_three_questions() {
    let mut table = table(true);
    table.resolve(START, PORT, peer(2));
    table.hold(PORT, peer(2), frame(1));
    for asked in [1, 1, 0] {
        let at = table.poll_timeout().unwrap();
        let due = table.handle_timeout(at);
        assert_eq!((due.ask.len(), due.failed.len()), (asked, 1 - asked));
    }
    assert_eq!((table.poll_timeout(), table.links[0].held), (None, 0));
}

#[test]
fn a_replay_makes_addresses_up() {
    let made = table(false).resolve(START, PORT, "10.0.7.2".parse().unwrap());
    assert_eq!(made, Resolved::Send(Mac([2, 0, 10, 0, 7, 2])));
}

#[test]
fn a_scan_costs_nobody_a_neighbour_in_use() {
    let (mut table, mac) = (table(true), Mac([2; 6]));
    let mut now = START;
    table.resolve(now, PORT, peer(2));
    table.learn(now, PORT, peer(2), mac, false);
    let mut asked = 0;
    for n in 0..20_000 {
        now = now + Duration::from_millis(1);
        let resolved = table.resolve(now, PORT, peer(1_000 + n));
        asked += u32::from(resolved == Resolved::Hold { ask: true });
        table.hold(PORT, peer(1_000 + n), frame(60));
        table.handle_timeout(now);
        if n % 1000 == 0 {
            assert!(table.resolve(now, PORT, peer(2)).mac().is_some(), "{n}");
            assert_eq!(table.resolve(now, PORT, peer(7)).mac(), Some(Mac([7; 6])));
        }
    }
    let link = &table.links[0];
    assert_eq!((link.table.len(), link.table.slots()), (MOST, MOST + 1));
    assert!(link.held <= MOST * 60, "{}", link.held);
    assert_eq!(asked, 20_000, "newcomers are asked for");
    let lost = table.take_lost();
    assert!(lost.neighbors > 18_000);
    assert_eq!(lost.frames, lost.neighbors, "a frame waited for each");
}

#[test]
fn whoever_claims_to_be_there_makes_room_before_those_that_are_asked_for() {
    let (mut table, mac) = (table(true), Mac([2; 6]));
    table.resolve(START, PORT, peer(2));
    for n in 0..5_000 {
        table.learn(START, PORT, peer(1_000 + n), mac, true);
    }
    assert_eq!(table.links[0].table.len(), MOST);
    assert_eq!(
        table.resolve(START, PORT, peer(2)),
        Resolved::Hold { ask: false }
    );
    assert_eq!(
        table.resolve(START, PortId(1), peer(2)),
        Resolved::Hold { ask: true }
    );
}

#[test]
fn a_table_full_of_neighbours_in_use_takes_no_more_until_one_has_not_been_used_for_a_while() {
    let (mut table, mac) = (table(true), Mac([2; 6]));
    for n in 0..1024 {
        table.resolve(START, PORT, peer(1_000 + n));
        table.learn(START, PORT, peer(1_000 + n), mac, false);
    }
    assert_eq!(
        table.resolve(START, PORT, peer(2)),
        Resolved::Hold { ask: false }
    );
    let later = START + IN_USE;
    table.resolve(later, PORT, peer(1_000));
    assert_eq!(
        table.resolve(later, PORT, peer(2)),
        Resolved::Hold { ask: true }
    );
    assert_eq!(table.resolve(later, PORT, peer(1_000)), Resolved::Send(mac));
    assert_eq!(
        table.resolve(later, PORT, peer(1_001)),
        Resolved::Hold { ask: true }
    );
}

#[test]
fn what_waits_is_bounded_in_bytes_for_each_neighbour_and_each_port() {
    let mut table = table(true);
    for n in 0..100 {
        table.resolve(START, PORT, peer(1_000 + n));
        for _ in 0..5 {
            table.hold(PORT, peer(1_000 + n), frame(65_000));
        }
        assert!(table.links[0].held <= PORT_BYTES);
    }
    // Three of five for each neighbour, and of the neighbours the youngest.
    assert_eq!(table.links[0].held, 21 * 3 * 65_000);
    assert_eq!(table.links[0].table.len(), 21);
    assert_eq!(table.take_lost().frames, 500 - 63);
}
