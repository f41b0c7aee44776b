//! Helpers of the tests of sets.

use std::time::Duration;

use super::*;
use crate::Data;
use crate::ids::{ChainId, TableId};
use crate::instr::ObjectKind;
use crate::ruleset::{Element, SetData};

mod cases;
mod props;

const NOW: Instant = Instant::from_secs(1_000_000);

fn after(ms: u64) -> Instant {
    NOW + Duration::from_millis(ms)
}

fn set(flags: u32, parts: &[u8]) -> Set {
    Set {
        table: TableId(0),
        name: "s".into(),
        flags,
        key_len: parts.iter().map(|len| len.next_multiple_of(4)).sum(),
        key_parts: parts.to_vec(),
        key_types: Vec::new(),
        data: SetData::None,
        timeout_ms: None,
        size: None,
        exprs: Vec::new(),
        elements: Elements::default(),
    }
}

/// A set of one part, which is not padded.
fn plain(flags: u32, key_len: u8) -> Set {
    Set {
        key_len,
        ..set(flags, &[key_len])
    }
}

fn push(set: &mut Set, key: &[u8], flags: u8) {
    assert_eq!(key.len(), usize::from(set.key_len));
    set.elements.keys.extend_from_slice(key);
    set.elements.flags.push(flags);
}

fn found(table: &SetTable, key: &[u8], now: Instant) -> Option<u32> {
    table.lookup(key, now).map(|hit| hit.element)
}

#[track_caller]
fn check(set: &Set, cases: &[(&[u8], Option<u32>)]) {
    let table = SetTable::build(set, NOW, 7);
    for (key, expected) in cases {
        assert_eq!(found(&table, key, NOW), *expected, "{key:?}");
    }
}
