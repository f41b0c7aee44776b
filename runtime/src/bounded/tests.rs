//! The table against a plain model of it, and its bound.

use proptest::prelude::*;

use super::*;

type Table = Bounded<u16, u32, 2>;

fn table(most: usize) -> Table {
    Bounded::new(Secret::new(7, 1), most)
}

/// Keys of a rank from the oldest on.
fn order(table: &Table, rank: usize) -> Vec<u16> {
    let mut keys = Vec::new();
    let mut at = table.ranks[rank].oldest;
    while let Some(slot) = table.slots.get(at as usize) {
        keys.push(slot.key);
        at = slot.younger;
    }
    keys
}

#[test]
fn the_oldest_of_the_lowest_rank_makes_room() {
    let mut table = table(4);
    for (key, rank) in [(1, 1), (2, 0), (3, 0), (4, 1)] {
        assert_eq!(table.make_room(|_| false), Ok(None));
        assert_eq!(table.insert(key, 0, Rank::At(rank)), Ok(()));
    }
    assert_eq!(table.insert(5, 9, Rank::At(0)), Err(9));
    assert_eq!(table.insert(6, 0, Rank::Pinned), Ok(()));
    assert_eq!(table.make_room(|_| false), Ok(Some((2, 0))));
    table.renew(&1, Rank::At(1));
    assert_eq!(order(&table, 1), [4, 1]);
    assert_eq!(table.len(), 3);
    assert_eq!(table.get(&6), Some(&0));
}

#[test]
fn what_is_used_makes_room_for_few_newcomers_unless_it_is_in_use() {
    let mut table = table(4);
    for key in 1..5 {
        assert_eq!(table.insert(key, 0, Rank::At(1)), Ok(()));
    }
    assert_eq!(table.make_room(|_| true), Err(Full));
    assert_eq!(table.make_room(|_| false), Ok(Some((1, 0))));
    assert_eq!(table.insert(5, 0, Rank::At(0)), Ok(()));
    assert_eq!(table.make_room(|_| false), Ok(Some((5, 0))));
}

#[test]
fn strangers_fill_it_up_to_its_cap() {
    let mut table = table(100);
    let mut evicted = 0;
    for key in 0..50_000 {
        evicted += usize::from(table.make_room(|_| false) != Ok(None));
        assert_eq!(table.insert(key, 0, Rank::At(0)), Ok(()));
        table.renew(&0, Rank::At(1));
    }
    assert_eq!((table.len(), table.slots(), evicted), (100, 100, 49_900));
    assert!(table.index.capacity() < 400);
    assert_eq!(table.get(&0), Some(&0));
}

/// Takes a key out of the model.
fn forget(model: &mut [Vec<u16>; 2], key: u16) {
    for rank in model {
        rank.retain(|other| *other != key);
    }
}

proptest! {
    #[test]
    fn it_is_a_map_with_an_order(steps in prop::collection::vec((0..5_u8, 0..12_u16), 1..200)) {
        let mut table = table(8);
        let mut model: [Vec<u16>; 2] = Default::default();
        for (step, key) in steps {
            let held = model.iter().position(|rank| rank.contains(&key));
            match step {
                0 | 1 if held.is_none() => {
                    let full = model[0].len() + model[1].len() == 8;
                    let fits = table.insert(key, u32::from(key), Rank::At(step));
                    prop_assert_eq!(fits.is_err(), full);
                    if !full {
                        model[usize::from(step)].push(key);
                    }
                }
                2 if held.is_some() => {
                    table.renew(&key, Rank::At(1));
                    forget(&mut model, key);
                    model[1].push(key);
                }
                3 => {
                    prop_assert_eq!(table.remove(&key).is_some(), held.is_some());
                    forget(&mut model, key);
                }
                _ => {
                    let used = model[1].first().filter(|_| model[0].len() < 2);
                    let oldest = used.or(model[0].first()).copied();
                    let full = model[0].len() + model[1].len() == 8;
                    let gone = table.make_room(|_| false).unwrap().map(|(key, _)| key);
                    prop_assert_eq!(gone, oldest.filter(|_| full));
                    if let Some(gone) = gone {
                        forget(&mut model, gone);
                    }
                }
            }
            for rank in [0, 1] {
                prop_assert_eq!(order(&table, rank), model[rank].clone());
            }
            prop_assert_eq!(table.get(&key).is_some(), model.iter().flatten().any(|k| *k == key));
        }
    }
}
