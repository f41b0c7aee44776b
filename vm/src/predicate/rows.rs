//! A set's elements as numbers, part by part of a concatenation.

use super::Subject;
use super::read::number_of;
use crate::ct::CtKey;
use crate::datatype::DataType;
use crate::meta::ByteOrder;
use crate::ruleset::{ElementData, Elements, Set, set_flags};

/// An element, or an interval of elements: for each part of the key the lowest and the highest value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From and to, as people write them, a pair for each part.
    pub parts: Vec<(u128, u128)>,
    /// What a map gives for it.
    pub data: Option<ElementData>,
}

/// The elements that the file gives a set which is asked for `subject`; those that match everything else are left out.
pub fn rows(set: &Set, subject: &Subject) -> Vec<Row> {
    match subject {
        Subject::Concat(parts) => concatenations(set, parts),
        Subject::Payload { .. } | Subject::Meta(_) | Subject::Ct(..) | Subject::Other(..) => {
            singles(set, subject)
        }
    }
}

fn order(set: &Set, subject: &Subject) -> ByteOrder {
    if set.flags & set_flags::INTERVAL != 0 {
        return ByteOrder::Network;
    }
    match subject {
        Subject::Meta(key) if key.datatype() != DataType::Ifname => key.byte_order(),
        Subject::Ct(key, _) if *key != CtKey::Helper => key.byte_order(),
        Subject::Meta(_)
        | Subject::Ct(..)
        | Subject::Payload { .. }
        | Subject::Concat(_)
        | Subject::Other(..) => ByteOrder::Network,
    }
}

fn singles(set: &Set, subject: &Subject) -> Vec<Row> {
    let order = order(set, subject);
    let is_interval = set.flags & set_flags::INTERVAL != 0;
    let most = super::max_of(u32::from(set.key_len) * 8);
    let keys: Vec<u128> = set
        .elements
        .keys
        .chunks_exact(usize::from(set.key_len).max(1))
        .map(|key| number_of(key, order))
        .collect();
    let mut rows = Vec::new();
    for (at, (key, flags)) in keys.iter().zip(&set.elements.flags).enumerate() {
        if flags & (Elements::CATCHALL | Elements::END) != 0 {
            continue;
        }
        let end = match keys.get(at + 1) {
            _ if !is_interval => *key,
            Some(next) => next.saturating_sub(1),
            None => most,
        };
        rows.push(Row {
            parts: vec![(*key, end)],
            data: set.elements.data.get(at).copied(),
        });
    }
    rows
}

fn concatenations(set: &Set, subjects: &[Subject]) -> Vec<Row> {
    let size = usize::from(set.key_len).max(1);
    let mut rows = Vec::new();
    for (at, (key, flags)) in set
        .elements
        .keys
        .chunks_exact(size)
        .zip(&set.elements.flags)
        .enumerate()
    {
        if flags & Elements::CATCHALL != 0 {
            continue;
        }
        let end = set
            .elements
            .key_ends
            .get(at * size..(at + 1) * size)
            .unwrap_or(key);
        let mut parts = Vec::new();
        let mut from = 0;
        for (len, subject) in set.key_parts.iter().zip(subjects) {
            let order = order(set, subject);
            let to = from + usize::from(*len);
            if let (Some(low), Some(high)) = (key.get(from..to), end.get(from..to)) {
                parts.push((number_of(low, order), number_of(high, order)));
            }
            // Each part begins in a register of its own.
            from = to.next_multiple_of(4);
        }
        rows.push(Row {
            parts,
            data: set.elements.data.get(at).copied(),
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TableId;
    use crate::instr::Base;
    use crate::meta::MetaKey;
    use crate::ruleset::SetData;

    fn set(flags: u32, parts: &[u8], keys: &[u8], element_flags: &[u8]) -> Set {
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
            elements: Elements {
                keys: keys.to_vec(),
                flags: element_flags.to_vec(),
                ..Elements::default()
            },
        }
    }

    const ADDRESS: Subject = Subject::Payload {
        base: Base::Network,
        offset: 12,
        len: 4,
    };

    #[track_caller]
    fn check(set: &Set, subject: &Subject, wanted: &[&[(u128, u128)]]) {
        let found: Vec<_> = rows(set, subject)
            .into_iter()
            .map(|row| row.parts)
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn intervals_end_before_their_end_mark() {
        let keys = [10, 0, 0, 0, 11, 0, 0, 0, 255, 0, 0, 0];
        let set = set(set_flags::INTERVAL, &[4], &keys, &[0, Elements::END, 0]);
        check(
            &set,
            &ADDRESS,
            &[&[(0x0a00_0000, 0x0aff_ffff)], &[(0xff00_0000, 0xffff_ffff)]],
        );
    }

    #[test]
    fn values_of_the_host_are_read_in_its_order() {
        let set = set(0, &[4], &[7, 0, 0, 0], &[0]);
        check(&set, &Subject::Meta(MetaKey::Mark), &[&[(7, 7)]]);
        check(&set, &ADDRESS, &[&[(0x0700_0000, 0x0700_0000)]]);
    }

    #[test]
    fn parts_of_a_concatenation_begin_on_four_bytes() {
        let port = Subject::Payload {
            base: Base::Transport,
            offset: 2,
            len: 2,
        };
        let keys = [0, 80, 0, 0, 10, 1, 0, 1];
        let set = set(0, &[2, 4], &keys, &[0]);
        let subject = Subject::Concat(vec![port, ADDRESS]);
        check(&set, &subject, &[&[(80, 80), (0x0a01_0001, 0x0a01_0001)]]);
    }

    #[test]
    fn what_matches_everything_else_is_no_row() {
        let set = set(0, &[4], &[0; 4], &[Elements::CATCHALL]);
        check(&set, &ADDRESS, &[]);
    }
}
