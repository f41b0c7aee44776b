//! What sets that packets change hold, as nft lists it: elements with their time left and what they carry.

use std::fmt::Write as _;

use redan_lang::datatype::{self, Type};
use redan_runtime::Datapath;
use redan_vm::Instant;
use redan_vm::ids::SetId;
use redan_vm::ruleset::{Set, SetData, set_flags};
use redan_vm::set::{Entry, Value};
use redan_vm::state::Stateful;

/// Every set that packets change or whose elements expire, at a time.
pub(crate) fn list(datapath: &Datapath, now: Instant) -> String {
    let ruleset = datapath.ruleset();
    let mut text = String::new();
    for (id, set) in (0..).map(SetId).zip(&ruleset.sets) {
        let changes = set.flags & (set_flags::EVAL | set_flags::TIMEOUT) != 0;
        if !changes || set.flags & set_flags::ANONYMOUS != 0 {
            continue;
        }
        let Some(table) = ruleset.tables.get(set.table.index()) else {
            continue;
        };
        let kind = if set.data == SetData::None {
            "set"
        } else {
            "map"
        };
        _ = writeln!(text, "table {} {} {{", table.family.word(), table.name);
        _ = writeln!(text, "\t{kind} {} {{", set.name);
        push_kind(&mut text, set);
        let elements = elements(datapath, id, set, now);
        if !elements.is_empty() {
            let elements = elements.join(",\n\t\t\t     ");
            _ = writeln!(text, "\t\telements = {{ {elements} }}");
        }
        text.push_str("\t}\n}\n");
    }
    text
}

/// What a set's declaration says of its elements.
fn push_kind(text: &mut String, set: &Set) {
    let types: Vec<&str> = set.key_types.iter().map(|ty| ty.word()).collect();
    // What maps map to has a width alone.
    if set.data == SetData::None {
        _ = writeln!(text, "\t\ttype {}", types.join(" . "));
    }
    let flags: Vec<&str> = [
        (set_flags::INTERVAL, "interval"),
        (set_flags::EVAL, "dynamic"),
        (set_flags::TIMEOUT, "timeout"),
    ]
    .into_iter()
    .filter(|(flag, _)| set.flags & flag != 0)
    .map(|(_, word)| word)
    .collect();
    _ = writeln!(text, "\t\tflags {}", flags.join(","));
    if let Some(ms) = set.timeout_ms {
        _ = writeln!(text, "\t\ttimeout {}", span(ms));
    }
}

/// A set's elements, in order of their keys.
fn elements(datapath: &Datapath, id: SetId, set: &Set, now: Instant) -> Vec<String> {
    let Some(state) = datapath.state().set(id) else {
        return Vec::new();
    };
    let mut entries: Vec<Entry<'_>> = state.table.entries(now).collect();
    entries.sort_by_key(|entry| entry.key);
    let one = |entry: &Entry<'_>| {
        let mut text = key(set, entry.key);
        for carried in state.element(entry.element) {
            push_carried(&mut text, carried, now);
        }
        if let Some(expires) = entry.expires {
            let left = expires.since(now).as_millis();
            _ = write!(
                text,
                " expires {}",
                span(u64::try_from(left).unwrap_or(u64::MAX))
            );
        }
        let maps_to = state.table.lookup(entry.key, now).map(|hit| hit.data);
        if let Some(Value::Bytes(bytes)) = maps_to {
            text.push_str(" : 0x");
            for byte in bytes {
                _ = write!(text, "{byte:02x}");
            }
        }
        text
    };
    entries.iter().map(one).collect()
}

/// A key in the words of its types, the parts of a concatenation with dots between.
fn key(set: &Set, bytes: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut rest = bytes;
    for (&len, &datatype) in set.key_parts.iter().zip(&set.key_types) {
        let part = rest.get(..usize::from(len)).unwrap_or(rest);
        let ty = Type {
            bits: u32::from(len) * 8,
            ..Type::of(datatype)
        };
        parts.push(datatype::write_bytes(ty, part));
        rest = rest
            .get(usize::from(len).next_multiple_of(4)..)
            .unwrap_or(&[]);
    }
    parts.join(" . ")
}

fn push_carried(text: &mut String, carried: &Stateful, now: Instant) {
    _ = match carried {
        Stateful::Counter(counter) => write!(
            text,
            " counter packets {} bytes {}",
            counter.packets, counter.bytes
        ),
        Stateful::Quota {
            bytes,
            consumed,
            over,
        } => {
            let over = if *over { "over " } else { "" };
            write!(text, " quota {over}{bytes} bytes used {consumed} bytes")
        }
        Stateful::Last { at: Some(at), .. } => {
            let ms = u64::try_from(now.since(*at).as_millis()).unwrap_or(u64::MAX);
            write!(text, " last used {}", span(ms))
        }
        Stateful::Connlimit { count, over, .. } => {
            let over = if *over { "over " } else { "" };
            write!(text, " ct count {over}{count}")
        }
        Stateful::Last { at: None, .. }
        | Stateful::Limit(_)
        | Stateful::Numgen(_)
        | Stateful::Object(_) => Ok(()),
    };
}

/// A span of time as nft writes those of elements.
fn span(ms: u64) -> String {
    let mut rest = ms;
    let mut text = String::new();
    for (unit, length) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ] {
        if rest >= length {
            _ = write!(text, "{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_nft_writes_them() {
        for (ms, wanted) in [
            (0, "0s"),
            (54_120, "54s120ms"),
            (3_600_000, "1h"),
            (90_061_001, "1d1h1m1s1ms"),
        ] {
            assert_eq!(span(ms), wanted);
        }
    }
}
