//! Sets and their elements.

use std::fmt::{self, Write};

use super::{verdict, words};
use crate::ruleset::{ElementData, Elements, Ruleset, Set, set_flags};

/// Kind of a comment in an element's user data.
const UDATA_COMMENT: u8 = 0;
/// Kind of the flags in an element's user data.
const UDATA_FLAGS: u8 = 1;
/// The flag of an interval that reaches to the end of the value space.
const INTERVAL_OPEN: u32 = 1;

/// Prints a set: `NAME TABLE FLAGS`, `NAME TABLE 0` and one line of elements.
///
/// # Errors
/// Those of `out`.
pub fn print_set(ruleset: &Ruleset, set: &Set, out: &mut impl Write) -> fmt::Result {
    let table = ruleset
        .tables
        .get(set.table.index())
        .map_or("?", |table| table.name.as_str());
    write!(out, "{} {table} {:x}", set.name, set.flags)?;
    if let Some(timeout) = set.timeout_ms {
        write!(out, " timeout {timeout}ms")?;
    }
    if let Some(size) = set.size {
        write!(out, " size {size}")?;
    }
    write!(out, "\n{} {table} 0\n", set.name)?;
    for index in 0..set.elements.len() {
        element(ruleset, set, index, out)?;
    }
    out.write_char('\n')
}

fn element(ruleset: &Ruleset, set: &Set, index: usize, out: &mut impl Write) -> fmt::Result {
    let elements = &set.elements;
    let flags = elements.flags.get(index).copied().unwrap_or(0);
    let len = usize::from(set.key_len);
    let key = |keys: &'_ [u8]| -> Vec<u32> {
        let start = index * len;
        words(keys.get(start..start + len).unwrap_or(&[])).collect()
    };
    out.write_str("\telement ")?;
    if flags & Elements::CATCHALL == 0 {
        plain(&key(&elements.keys), out)?;
        if !elements.key_ends.is_empty() {
            out.write_str(" - ")?;
            plain(&key(&elements.key_ends), out)?;
        }
    }
    out.write_str(" : ")?;
    match elements.data.get(index) {
        Some(ElementData::Value(data)) => {
            plain(&words(data.as_bytes()).collect::<Vec<_>>(), out)?;
        }
        Some(ElementData::Wide(parts)) => {
            for part in parts {
                plain(&words(part.as_bytes()).collect::<Vec<_>>(), out)?;
            }
        }
        Some(ElementData::Verdict(value)) => {
            verdict(ruleset, *value, out)?;
            out.write_char(' ')?;
        }
        Some(ElementData::None | ElementData::Object(_)) | None => {}
    }
    write!(out, "{flags} [end]")?;
    user_data(set, index, out)
}

/// Each word and a blank.
fn plain(words: &[u32], out: &mut impl Write) -> fmt::Result {
    words.iter().try_for_each(|word| write!(out, "{word:08x} "))
}

fn user_data(set: &Set, index: usize, out: &mut impl Write) -> fmt::Result {
    let mut bytes = Vec::new();
    let comment = u32::try_from(index)
        .ok()
        .and_then(|index| set.elements.extras.get(&index))
        .and_then(|extra| extra.comment.as_deref());
    if let Some(comment) = comment {
        let len = u8::try_from(comment.len() + 1).unwrap_or(u8::MAX);
        bytes.extend([UDATA_COMMENT, len]);
        bytes.extend(comment.bytes());
        bytes.push(0);
    }
    if is_open(set, index) {
        bytes.extend([UDATA_FLAGS, 4]);
        bytes.extend(INTERVAL_OPEN.to_le_bytes());
    }
    if bytes.is_empty() {
        return Ok(());
    }
    out.write_str("  userdata = { ")?;
    for byte in bytes {
        if byte.is_ascii_graphic() || byte == b' ' {
            out.write_char(char::from(byte))?;
        } else {
            write!(out, "\\x{byte:02x}")?;
        }
    }
    out.write_str(" }")
}

/// Whether an element is the start of an interval that never ends.
fn is_open(set: &Set, index: usize) -> bool {
    const KINDS: u32 = set_flags::INTERVAL | set_flags::CONCAT;
    set.flags & KINDS == set_flags::INTERVAL
        && index + 1 == set.elements.len()
        && set.elements.flags.get(index) == Some(&0)
}
