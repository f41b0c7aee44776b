//! What a ruleset has counted when all frames are through: rules, named counters, elements of sets.

use redan_runtime::Datapath;
use redan_vm::ids::SetId;
use redan_vm::ruleset::set_flags;
use redan_vm::state::Stateful;
use redan_vm::{Instant, Instr, Ruleset};

/// Sets whose elements count.
const COUNTING: [&str; 2] = ["counted", "everything"];

/// Sets that packets change: their elements are numbered and compared, too.
const CHANGING: [&str; 8] = [
    "met", "late", "flows", "rated", "learned", "budgeted", "trios", "met_ways",
];

/// Reads what `nft list ruleset` prints: packets and bytes of each rule's counter, then of each named one; then of each set that packets
/// change the number of its elements and the sum of their counters.
pub(crate) fn of_linux(listing: &str) -> Vec<(u64, u64)> {
    let (mut rules, mut named, mut sets) = (Vec::new(), Vec::new(), Vec::new());
    let mut lines = listing.lines().map(str::trim);
    // The probe's own rules count nothing, but its table could get objects.
    while let Some(line) = lines.next() {
        if matches!(line.split(' ').collect::<Vec<_>>()[..], ["counter", _, "{"]) {
            let inner = lines.find(|l| l.starts_with("packets")).unwrap_or_default();
            named.extend(counts(&format!("counter {inner}")));
        } else if let Some(name) = set_name(line) {
            sets.extend(set(name, &mut lines));
        } else {
            rules.extend(counts(line));
        }
    }
    [rules, named, sets].concat()
}

fn set_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let kind = words.next()?;
    (matches!(kind, "set" | "map") && line.ends_with('{'))
        .then(|| words.next())
        .flatten()
}

/// The rest of a set's lines.
fn set<'a>(name: &str, lines: &mut impl Iterator<Item = &'a str>) -> Vec<(u64, u64)> {
    let (mut elements, mut inside) = (String::new(), false);
    for line in lines {
        if let Some((_, first)) = line.split_once("elements = {") {
            inside = true;
            elements += first;
        } else if line == "}" {
            break;
        } else if inside {
            elements += " ";
            elements += line;
        }
    }
    let changes = CHANGING.contains(&name);
    if !changes && !COUNTING.contains(&name) {
        return Vec::new();
    }
    let elements = elements.trim().trim_end_matches('}').trim();
    let all: Vec<&str> = elements.split(',').filter(|e| !e.is_empty()).collect();
    let number = if changes { all.len() as u64 } else { 0 };
    vec![(number, 0), sum(all.iter().flat_map(|e| counts(e)))]
}

fn counts(text: &str) -> Vec<(u64, u64)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .windows(5)
        .filter(|w| w[0] == "counter" && w[1] == "packets" && w[3] == "bytes")
        .filter_map(|w| Some((w[2].parse().ok()?, w[4].parse().ok()?)))
        .collect()
}

fn sum(counters: impl Iterator<Item = (u64, u64)>) -> (u64, u64) {
    counters.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
}

/// The same of redan.
pub(crate) fn of_redan(ruleset: &Ruleset, datapath: &Datapath, now: Instant) -> Vec<(u64, u64)> {
    let state = datapath.state();
    let mut all = Vec::new();
    for rule in ruleset.chains.iter().flat_map(|chain| &chain.rules) {
        let code = ruleset.rules.get(rule.index()).map(|rule| &rule.code);
        for instr in code.into_iter().flatten() {
            if let Instr::Counter { state: id } = instr {
                let counter = state.counter(*id).expect("a counter's state");
                all.push((counter.packets, counter.bytes));
            }
        }
    }
    all.extend(
        state
            .named_counters(ruleset)
            .map(|(_, counter)| (counter.packets, counter.bytes)),
    );
    for (id, set) in (0..).zip(&ruleset.sets) {
        let name = set.name.as_str();
        let changes = CHANGING.contains(&name);
        if !changes && !COUNTING.contains(&name) {
            continue;
        }
        let packets_change = set.flags & set_flags::EVAL != 0;
        let set = state.set(SetId(id)).expect("a set's state");
        let elements: Vec<u32> = if packets_change {
            set.table.entries(now).map(|e| e.element).collect()
        } else {
            (0..set.table.slots() as u32).collect()
        };
        let number = if changes { elements.len() as u64 } else { 0 };
        all.push((number, 0));
        all.push(sum(elements
            .iter()
            .flat_map(|e| set.element(*e))
            .filter_map(|stateful| match stateful {
                Stateful::Counter(counter) => Some((counter.packets, counter.bytes)),
                Stateful::Limit(_)
                | Stateful::Quota { .. }
                | Stateful::Last { .. }
                | Stateful::Connlimit { .. }
                | Stateful::Numgen(_)
                | Stateful::Object(_) => None,
            })));
    }
    all
}
