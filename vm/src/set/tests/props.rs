//! Sets against slow obvious models of them.

use proptest::prelude::*;

use super::*;

/// A key of `len` bytes from a small choice, so that keys meet.
fn key(len: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(
        prop_oneof![4 => 0..3u8, 1 => Just(0xff), 1 => any::<u8>()],
        len,
    )
}

fn keys(len: usize, most: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(key(len), 0..most)
}

/// Widths on both sides of every specialised one.
fn widths() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1usize, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 36])
}

fn build(flags: u32, len: usize, keys: &[Vec<u8>]) -> SetTable {
    let mut set = plain(flags, u8::try_from(len).unwrap());
    for key in keys {
        push(&mut set, key, 0);
    }
    SetTable::build(&set, NOW, 7)
}

/// An element of a concatenation with ranges.
#[derive(Clone, Debug)]
struct Range {
    low: Vec<u8>,
    high: Vec<u8>,
}

/// Boxes over 1 to 3 parts: prefixes, points, ranges and everything, to be indexed in every way there is.
fn boxes() -> impl Strategy<Value = (Vec<u8>, Vec<Range>)> {
    let parts = prop::sample::select(vec![
        vec![1u8],
        vec![2, 1],
        vec![4, 2],
        vec![4, 4, 2],
        vec![6, 2],
        vec![16, 2],
        vec![17],
    ]);
    parts.prop_flat_map(|parts| {
        let one = parts
            .iter()
            .map(|len| {
                let len = usize::from(*len);
                (key(len), key(len), 0..4u8)
            })
            .collect::<Vec<_>>()
            .prop_map(|bounds| {
                let (mut low, mut high) = (Vec::new(), Vec::new());
                for (a, b, kind) in bounds {
                    let (mut a, mut b) = if a <= b { (a, b) } else { (b, a) };
                    match kind {
                        0 => b.clone_from(&a),
                        1 => {
                            a.fill(0);
                            b.fill(0xff);
                        }
                        _ => {}
                    }
                    for (whole, part) in [(&mut low, a), (&mut high, b)] {
                        whole.extend_from_slice(&part);
                        whole.resize(whole.len().next_multiple_of(4), 0);
                    }
                }
                Range { low, high }
            });
        (Just(parts), proptest::collection::vec(one, 0..120))
    })
}

fn first_box(parts: &[u8], boxes: &[Range], key: &[u8]) -> Option<u32> {
    let holds = |Range { low, high }: &Range| {
        let mut at = 0;
        parts.iter().all(|len| {
            let len = usize::from(*len);
            let (low, value, high) = (&low[at..at + len], &key[at..at + len], &high[at..at + len]);
            at += len.next_multiple_of(4);
            low <= value && value <= high
        })
    };
    boxes
        .iter()
        .position(holds)
        .map(|index| u32::try_from(index).unwrap())
}

/// Numbers without a pattern (the generator of Knuth's MMIX).
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

/// Address and port ranges of one kind: 0 points, 1 prefixes in prefixes, 2 ranges of any length, 3 one address under many ports.
fn shaped(kind: u64, random: &mut impl FnMut(u64) -> u64) -> [(u32, u32); 2] {
    let address = u32::try_from(random(1 << 16)).unwrap() << 8;
    let port = u32::try_from(random(1 << 16)).unwrap();
    match kind {
        0 => [(address, address), (port, port)],
        1 => {
            let mask = (1 << random(20)) - 1;
            [
                (address & !mask, address | mask),
                (port & !0xff, port | 0xff),
            ]
        }
        2 => {
            let (other, to) = (
                u32::try_from(random(1 << 24)).unwrap(),
                u32::try_from(random(1 << 16)).unwrap(),
            );
            [
                (address.min(other), address.max(other)),
                (port.min(to), port.max(to)),
            ]
        }
        _ => [(7, 7), (port, port)],
    }
}

#[test]
fn big_sets_of_ranges_find_the_first_box() {
    for kinds in [[0, 0], [1, 1], [2, 2], [3, 3], [0, 2], [1, 2]] {
        let mut random = numbers(kinds[0] * 4 + kinds[1]);
        let mut set = set(set_flags::INTERVAL | set_flags::CONCAT, &[4, 2]);
        let mut boxes = Vec::new();
        for index in 0..1500u64 {
            let [address, port] = shaped(kinds[usize::from(index % 3 == 0)], &mut random);
            let bytes = |address: u32, port: u32| {
                [address.to_be_bytes(), (port << 16).to_be_bytes()].concat()
            };
            boxes.push(Range {
                low: bytes(address.0, port.0),
                high: bytes(address.1, port.1),
            });
        }
        for Range { low, high } in &boxes {
            push(&mut set, low, 0);
            set.elements.key_ends.extend_from_slice(high);
        }
        let table = SetTable::build(&set, NOW, 7);
        for _ in 0..500 {
            let mut key = boxes[usize::try_from(random(1500)).unwrap()].low.clone();
            let at = usize::try_from(random(6)).unwrap();
            key[at] = key[at].wrapping_add(u8::try_from(random(3)).unwrap());
            assert_eq!(
                found(&table, &key, NOW),
                first_box(&[4, 2], &boxes, &key),
                "{kinds:?} {key:?}"
            );
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add {
        key: u8,
        timeout_ms: Option<u64>,
        refresh: bool,
    },
    Remove {
        key: u8,
    },
    Wait(u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0..12u8, proptest::option::of(0..50u64), any::<bool>()).prop_map(|(key, timeout_ms, refresh)| Op::Add { key, timeout_ms, refresh }),
        1 => (0..12u8).prop_map(|key| Op::Remove { key }),
        2 => (0..40u64).prop_map(Op::Wait),
    ];
    proptest::collection::vec(op, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn exact_sets_find_the_first_equal_key((len, keys, probes) in widths().prop_flat_map(|len| (Just(len), keys(len, 60), keys(len, 30)))) {
        let table = build(0, len, &keys);
        let changing = build(set_flags::EVAL, len, &keys);
        for key in keys.iter().chain(&probes) {
            let expected = keys.iter().position(|other| other == key).map(|index| u32::try_from(index).unwrap());
            prop_assert_eq!(found(&table, key, NOW), expected);
            prop_assert_eq!(found(&changing, key, NOW), expected);
        }
    }

    #[test]
    fn intervals_find_the_boundary_below((len, mut starts, probes) in widths().prop_flat_map(|len| (Just(len), keys(len, 120), keys(len, 20))), ends in any::<[bool; 120]>()) {
        starts.sort();
        starts.dedup();
        let mut set = plain(set_flags::INTERVAL, u8::try_from(len).unwrap());
        for (start, is_end) in starts.iter().zip(ends) {
            push(&mut set, start, if is_end { Elements::END } else { 0 });
        }
        let table = SetTable::build(&set, NOW, 7);
        for key in starts.iter().chain(&probes) {
            let below = starts.iter().rposition(|start| start <= key);
            let expected = below.filter(|index| !ends[*index]).map(|index| u32::try_from(index).unwrap());
            prop_assert_eq!(found(&table, key, NOW), expected);
        }
    }

    #[test]
    fn ranges_find_the_first_box((parts, boxes) in boxes(), probes in proptest::collection::vec(key(20), 10)) {
        let mut set = set(set_flags::INTERVAL | set_flags::CONCAT, &parts);
        for Range { low, high } in &boxes {
            push(&mut set, low, 0);
            set.elements.key_ends.extend_from_slice(high);
        }
        let table = SetTable::build(&set, NOW, 7);
        let corners = boxes.iter().flat_map(|Range { low, high }| [low, high]);
        for key in corners.chain(&probes) {
            prop_assert_eq!(found(&table, key, NOW), first_box(&parts, &boxes, key), "{:?}", key);
        }
    }

    #[test]
    fn changing_sets_follow_the_model(ops in ops(), size in proptest::option::of(1..8u32)) {
        let mut set = plain(set_flags::EVAL | set_flags::TIMEOUT, 4);
        set.size = size;
        let mut table = SetTable::build(&set, NOW, 7);
        // Key, number, and the moment it expires.
        let mut model: Vec<(u8, u32, Option<Instant>)> = Vec::new();
        let mut now = NOW;
        for op in ops {
            model.retain(|(_, _, expires)| expires.is_none_or(|expires| expires > now));
            match op {
                Op::Wait(ms) => now = now + Duration::from_millis(ms),
                Op::Remove { key } => {
                    let at = model.iter().position(|entry| entry.0 == key);
                    let expected = at.map(|at| model.remove(at).1);
                    prop_assert_eq!(table.remove(&[key; 4], now), expected);
                }
                Op::Add { key, timeout_ms, refresh } => {
                    let expires = timeout_ms.filter(|ms| *ms > 0).map(|ms| now + Duration::from_millis(ms));
                    let changed = table.add(&[key; 4], None, timeout_ms, refresh, now);
                    if let Some(entry) = model.iter_mut().find(|entry| entry.0 == key) {
                        prop_assert_eq!(changed, Some(Changed { element: entry.1, created: false }));
                        if refresh && entry.2.is_some() && expires.is_some() {
                            entry.2 = expires;
                        }
                    } else if size.is_some_and(|size| model.len() >= size as usize) {
                        prop_assert_eq!(changed, None);
                    } else {
                        let changed = changed.unwrap();
                        prop_assert!(changed.created && model.iter().all(|entry| entry.1 != changed.element));
                        prop_assert!((changed.element as usize) < table.slots());
                        model.push((key, changed.element, expires));
                    }
                }
            }
            for key in 0..12 {
                let live = model.iter().find(|entry| entry.0 == key && entry.2.is_none_or(|expires| expires > now));
                prop_assert_eq!(found(&table, &[key; 4], now), live.map(|entry| entry.1));
            }
        }
    }
}
