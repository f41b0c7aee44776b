//! The cases that the kernel's set types are known for.

use super::*;

#[test]
fn interval_is_its_greatest_boundary_not_above_the_key() {
    // { 22, 80-90 } as nft writes it.
    let mut ports = plain(set_flags::INTERVAL, 2);
    for (port, flags) in [
        (0u16, Elements::END),
        (22, 0),
        (23, Elements::END),
        (80, 0),
        (91, Elements::END),
    ] {
        push(&mut ports, &port.to_be_bytes(), flags);
    }
    check(
        &ports,
        &[
            (&[0, 0], None),
            (&[0, 21], None),
            (&[0, 22], Some(1)),
            (&[0, 23], None),
            (&[0, 80], Some(3)),
            (&[0, 90], Some(3)),
            (&[0, 91], None),
            (&[255, 255], None),
        ],
    );
}

#[test]
fn interval_may_reach_the_greatest_key_and_start_where_another_ends() {
    let mut set = plain(set_flags::INTERVAL, 1);
    push(&mut set, &[10], 0);
    push(&mut set, &[20], 0);
    push(&mut set, &[20], Elements::END);
    push(&mut set, &[255], 0);
    check(
        &set,
        &[
            (&[9], None),
            (&[10], Some(0)),
            (&[20], Some(1)),
            (&[254], Some(1)),
            (&[255], Some(3)),
        ],
    );
}

#[test]
fn empty_sets_hold_nothing() {
    for flags in [
        0,
        set_flags::INTERVAL,
        set_flags::INTERVAL | set_flags::CONCAT,
        set_flags::EVAL,
    ] {
        for len in [2, 4, 8, 16, 20] {
            let table = SetTable::build(&set(flags, &[len]), NOW, 7);
            assert_eq!(found(&table, &[0; 20], NOW), None);
            assert_eq!(found(&table, &[0xff; 20], NOW), None);
            assert_eq!(found(&table, &[], NOW), None);
        }
    }
}

#[test]
fn catchall_matches_what_nothing_else_does() {
    for flags in [0, set_flags::EVAL, set_flags::INTERVAL] {
        let mut set = plain(flags, 4);
        push(&mut set, &[0; 4], Elements::CATCHALL);
        push(&mut set, &[1; 4], 0);
        push(
            &mut set,
            &[1, 1, 1, 2],
            if flags == set_flags::INTERVAL {
                Elements::END
            } else {
                0
            },
        );
        check(
            &set,
            &[(&[1; 4], Some(1)), (&[0; 4], Some(0)), (&[9; 4], Some(0))],
        );
    }
}

#[test]
fn first_of_overlapping_boxes_matches() {
    let mut set = set(set_flags::INTERVAL | set_flags::CONCAT, &[4, 2]);
    for (key, end) in [
        ([10, 1, 0, 0, 0, 80, 0, 0], [10, 1, 255, 255, 0, 80, 0, 0]),
        (
            [10, 0, 0, 0, 0, 0, 0, 0],
            [10, 255, 255, 255, 255, 255, 0, 0],
        ),
    ] {
        push(&mut set, &key, 0);
        set.elements.key_ends.extend_from_slice(&end);
    }
    check(
        &set,
        &[
            (&[10, 1, 2, 3, 0, 80, 0, 0], Some(0)),
            (&[10, 1, 2, 3, 0, 81, 0, 0], Some(1)),
            (&[10, 2, 0, 0, 0, 80, 9, 9], Some(1)), // padding does not count
            (&[11, 0, 0, 0, 0, 80, 0, 0], None),
        ],
    );
}

#[test]
fn expired_box_lets_the_next_one_match() {
    let mut set = set(
        set_flags::INTERVAL | set_flags::CONCAT | set_flags::TIMEOUT,
        &[1],
    );
    for end in [5, 9] {
        push(&mut set, &[0; 4], 0);
        set.elements.key_ends.extend_from_slice(&[end, 0, 0, 0]);
    }
    set.elements.extras.insert(
        0,
        Element {
            timeout_ms: Some(1000),
            ..Element::default()
        },
    );
    let table = SetTable::build(&set, NOW, 7);
    assert_eq!(found(&table, &[3, 0, 0, 0], after(999)), Some(0));
    assert_eq!(found(&table, &[3, 0, 0, 0], after(1000)), Some(1));
}

#[test]
fn maps_give_their_data() {
    let wide = [
        Data::new(&[1; 16]),
        Data::new(&[2; 4]),
        Some(Data::zero(0)),
        Some(Data::zero(0)),
    ]
    .map(Option::unwrap);
    let jump = Verdict::Jump(ChainId(3));
    let cases = [
        (
            SetData::Value(4),
            ElementData::Value(Data::u32_le(5)),
            Value::Bytes(&[5, 0, 0, 0]),
        ),
        (
            SetData::Value(20),
            ElementData::Wide(wide),
            Value::Bytes(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]),
        ),
        (
            SetData::Verdict,
            ElementData::Verdict(jump),
            Value::Verdict(jump),
        ),
        (
            SetData::Object(ObjectKind::Counter),
            ElementData::Object(StateId(9)),
            Value::Object(StateId(9)),
        ),
    ];
    for (kind, data, expected) in cases {
        let mut map = plain(set_flags::MAP, 2);
        map.data = kind;
        push(&mut map, &[0, 22], 0);
        push(&mut map, &[0, 80], 0);
        map.elements.data = vec![ElementData::None, data];
        let table = SetTable::build(&map, NOW, 7);
        assert_eq!(
            table.lookup(&[0, 80], NOW),
            Some(Hit {
                element: 1,
                data: expected
            })
        );
    }
}

#[test]
fn add_keeps_the_timeout_and_update_restarts_it() {
    let mut set = plain(set_flags::EVAL | set_flags::TIMEOUT, 4);
    set.timeout_ms = Some(1000);
    let mut table = SetTable::build(&set, NOW, 7);
    let key = [10, 0, 0, 1];
    assert_eq!(
        table.add(&key, None, None, false, NOW),
        Some(Changed {
            element: 0,
            created: true
        })
    );
    assert_eq!(
        table.add(&key, None, None, false, after(500)),
        Some(Changed {
            element: 0,
            created: false
        })
    );
    assert_eq!(found(&table, &key, after(1000)), None);
    assert!(
        table
            .add(&key, None, None, false, after(1000))
            .unwrap()
            .created
    );
    assert!(
        !table
            .add(&key, None, Some(5000), true, after(1500))
            .unwrap()
            .created
    );
    assert_eq!(found(&table, &key, after(6499)), Some(0));
    assert_eq!(found(&table, &key, after(6500)), None);
    assert_eq!(table.remove(&key, after(6500)), None);
    assert_eq!(table.entries(after(7000)).count(), 0);
}

#[test]
fn full_set_takes_none_until_one_expires() {
    let mut set = plain(set_flags::EVAL | set_flags::TIMEOUT, 4);
    set.timeout_ms = Some(1000);
    set.size = Some(2);
    push(&mut set, &[1; 4], 0);
    set.elements.extras.insert(
        0,
        Element {
            timeout_ms: Some(60_000),
            expires_ms: Some(300),
            ..Element::default()
        },
    );
    let mut table = SetTable::build(&set, NOW, 7);
    assert!(table.add(&[2; 4], None, None, true, NOW).is_some());
    assert_eq!(table.add(&[3; 4], None, None, true, NOW), None);
    assert_eq!(
        table.add(&[2; 4], None, None, true, after(100)),
        Some(Changed {
            element: 1,
            created: false
        })
    );
    assert_eq!(
        table.add(&[3; 4], None, None, true, after(300)),
        Some(Changed {
            element: 0,
            created: true
        })
    );
    assert_eq!(found(&table, &[1; 4], after(300)), None);
    // The first date of element 1 is past, its refreshed one is not.
    assert_eq!(table.add(&[4; 4], None, None, true, after(1050)), None);
    assert_eq!(table.remove(&[2; 4], after(1050)), Some(1));
    assert_eq!(
        table.add(&[4; 4], None, None, true, after(1050)),
        Some(Changed {
            element: 1,
            created: true
        })
    );
    assert_eq!(
        table
            .entries(after(1060))
            .map(|entry| entry.key.to_vec())
            .collect::<Vec<_>>(),
        [[3; 4], [4; 4]]
    );
}

#[test]
fn dynamic_map_takes_its_data_from_the_packet_once() {
    let mut map = plain(set_flags::EVAL | set_flags::MAP, 4);
    map.data = SetData::Value(4);
    let mut table = SetTable::build(&map, NOW, 7);
    let data = |value| Some(ElementData::Value(Data::u32_le(value)));
    table.add(&[1; 4], data(1), None, false, NOW);
    table.add(&[1; 4], data(2), None, true, NOW);
    assert_eq!(
        table.lookup(&[1; 4], NOW).unwrap().data,
        Value::Bytes(&[1, 0, 0, 0])
    );
}

#[test]
fn sets_of_the_file_cannot_be_changed() {
    let mut table = SetTable::build(&plain(0, 4), NOW, 7);
    assert_eq!(table.add(&[1; 4], None, None, false, NOW), None);
    assert_eq!(table.remove(&[1; 4], NOW), None);
}
