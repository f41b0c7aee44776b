//! Differences between two texts, as `diff -u` shows them.

use std::io::{self, Write};

use super::terminal::{Style, paint};

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// Most edits that are searched for one by one; texts that differ more are shown as replaced whole.
const MAX_EDITS: usize = 2000;

/// What happened to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Keep,
    Remove,
    Add,
}

/// Prints the difference between `old` and `new`; nothing when they are the same.
pub(crate) fn print(
    out: &mut impl Write,
    color: bool,
    name: &str,
    old: &str,
    new: &str,
) -> io::Result<()> {
    if old == new {
        return Ok(());
    }
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    writeln!(
        out,
        "{}",
        paint(color, Style::Strong, &format!("--- {name}"))
    )?;
    writeln!(
        out,
        "{}",
        paint(color, Style::Strong, &format!("+++ {name} (formatted)"))
    )?;
    let edits = edits(&old, &new);
    for hunk in hunks(&edits) {
        print_hunk(
            out,
            color,
            &old,
            &new,
            edits.get(hunk.edits.clone()).unwrap_or(&[]),
            &hunk,
        )?;
    }
    Ok(())
}

/// A stretch of edits that is shown together, and where it starts in both texts.
struct Hunk {
    edits: std::ops::Range<usize>,
    old_start: usize,
    new_start: usize,
}

fn hunks(edits: &[Edit]) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let changed = edits
        .iter()
        .enumerate()
        .filter(|(_, edit)| **edit != Edit::Keep);
    for (at, _) in changed {
        let start = at.saturating_sub(CONTEXT);
        let end = (at + CONTEXT + 1).min(edits.len());
        match hunks.last_mut() {
            Some(last) if start <= last.edits.end => last.edits.end = end,
            _ => {
                let before = edits.get(..start).unwrap_or(&[]);
                let count = |gone: Edit| before.iter().filter(|edit| **edit != gone).count();
                hunks.push(Hunk {
                    edits: start..end,
                    old_start: count(Edit::Add),
                    new_start: count(Edit::Remove),
                });
            }
        }
    }
    hunks
}

fn print_hunk(
    out: &mut impl Write,
    color: bool,
    old: &[&str],
    new: &[&str],
    edits: &[Edit],
    hunk: &Hunk,
) -> io::Result<()> {
    let count = |gone: Edit| edits.iter().filter(|edit| **edit != gone).count();
    let head = format!(
        "@@ -{},{} +{},{} @@",
        hunk.old_start + 1,
        count(Edit::Add),
        hunk.new_start + 1,
        count(Edit::Remove)
    );
    writeln!(out, "{}", paint(color, Style::Faint, &head))?;
    let mut old = old.iter().skip(hunk.old_start);
    let mut new = new.iter().skip(hunk.new_start);
    for edit in edits {
        let (sign, style, line) = match edit {
            Edit::Keep => {
                new.next();
                (' ', None, old.next())
            }
            Edit::Remove => ('-', Some(Style::Bad), old.next()),
            Edit::Add => ('+', Some(Style::Good), new.next()),
        };
        let line = line.copied().unwrap_or("");
        let text = format!("{sign}{}", line.strip_suffix('\n').unwrap_or(line));
        let text = style.map_or_else(|| text.clone(), |style| paint(color, style, &text));
        writeln!(out, "{text}")?;
        if !line.ends_with('\n') {
            writeln!(out, "\\ No newline at end of file")?;
        }
    }
    Ok(())
}

/// The edits that make `new` out of `old`: fewest, by Myers' greedy algorithm ("An O(ND) Difference Algorithm", 1986).
fn edits(old: &[&str], new: &[&str]) -> Vec<Edit> {
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let head = old.iter().zip(new).take_while(same).count();
    let (old, new) = (
        old.get(head..).unwrap_or(&[]),
        new.get(head..).unwrap_or(&[]),
    );
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(same)
        .count();
    let old = old.get(..old.len() - tail).unwrap_or(&[]);
    let new = new.get(..new.len() - tail).unwrap_or(&[]);
    let mut all = vec![Edit::Keep; head];
    if let Some(steps) = trace(old, new) {
        all.extend(backtrack(old.len(), new.len(), &steps));
    } else {
        all.extend(vec![Edit::Remove; old.len()]);
        all.extend(vec![Edit::Add; new.len()]);
    }
    all.extend(vec![Edit::Keep; tail]);
    all
}

/// For each number of edits, how far into `old` each diagonal reaches (diagonal `k - edits` at index `k`); nothing when there are too many.
fn trace(old: &[&str], new: &[&str]) -> Option<Vec<Vec<usize>>> {
    let mut steps: Vec<Vec<usize>> = Vec::new();
    for count in 0..=MAX_EDITS {
        let mut row = Vec::with_capacity(count * 2 + 1);
        for index in 0..=count * 2 {
            let mut x = match steps.last() {
                None => 0,
                Some(last) => furthest(last, index).0,
            };
            // On diagonal `index - count`, y = x - diagonal.
            let Some(mut y) = (x + count).checked_sub(index) else {
                row.push(0);
                continue;
            };
            while x < old.len() && y < new.len() && old.get(x) == new.get(y) {
                x += 1;
                y += 1;
            }
            row.push(x);
            if x >= old.len() && y >= new.len() {
                steps.push(row);
                return Some(steps);
            }
        }
        steps.push(row);
    }
    None
}

/// How far a diagonal starts from the rows before it, and by which edit it is reached.
fn furthest(last: &[usize], index: usize) -> (usize, Edit) {
    // Indices shift by one from row to row: the diagonal above (by an addition) is at `index`, the one below (by a removal) at `index - 2`.
    let by_add = last.get(index).copied();
    let by_remove = index
        .checked_sub(2)
        .and_then(|below| last.get(below))
        .map(|x| x + 1);
    match (by_add, by_remove) {
        (Some(add), Some(remove)) if remove > add => (remove, Edit::Remove),
        (Some(add), _) => (add, Edit::Add),
        (None, Some(remove)) => (remove, Edit::Remove),
        (None, None) => (0, Edit::Keep),
    }
}

fn backtrack(old: usize, new: usize, steps: &[Vec<usize>]) -> Vec<Edit> {
    let (mut x, mut y) = (old, new);
    let mut edits = Vec::new();
    for count in (1..steps.len()).rev() {
        let last = steps.get(count - 1).map_or(&[][..], Vec::as_slice);
        let index = (x + count).saturating_sub(y);
        let (start, edit) = furthest(last, index);
        while x > start {
            edits.push(Edit::Keep);
            x -= 1;
            y = y.saturating_sub(1);
        }
        edits.push(edit);
        match edit {
            Edit::Add => y = y.saturating_sub(1),
            Edit::Remove => x = x.saturating_sub(1),
            Edit::Keep => {}
        }
    }
    edits.extend(vec![Edit::Keep; x]);
    edits.reverse();
    edits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let mut out = Vec::new();
        print(&mut out, false, "x", old, new).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn changes_stand_in_their_context() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\n5\nsix\n7\n8\n9\n10";
        let want = "--- x\n+++ x (formatted)\n@@ -3,7 +3,8 @@\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n 9\n+10\n\\ No newline at end of file\n";
        assert_eq!(shown(old, new), want);
    }

    #[test]
    fn same_texts_show_nothing() {
        assert_eq!(shown("a\n", "a\n"), "");
    }

    proptest! {
        #[test]
        fn edits_make_new_out_of_old(old in "[ab\n]{0,30}", new in "[ab\n]{0,30}") {
            let old: Vec<&str> = old.split_inclusive('\n').collect();
            let new: Vec<&str> = new.split_inclusive('\n').collect();
            let (mut from, mut added) = (old.iter(), new.iter());
            let mut made: Vec<&&str> = Vec::new();
            for edit in edits(&old, &new) {
                match edit {
                    Edit::Keep => { made.extend(from.next()); added.next(); }
                    Edit::Remove => { from.next(); }
                    Edit::Add => made.extend(added.next()),
                }
            }
            prop_assert_eq!(from.next(), None);
            prop_assert_eq!(made, new.iter().collect::<Vec<_>>());
        }
    }
}
