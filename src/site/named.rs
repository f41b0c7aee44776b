//! The interfaces that rules speak of.

use redan_runtime::site::is_interface_name;
use redan_vm::Ruleset;
use redan_vm::datatype::DataType;
use redan_vm::ids::RuleId;
use redan_vm::meta::MetaKey;
use redan_vm::predicate::{self, Intervals, Pass, Subject};
use redan_vm::ruleset::{Elements, Set};

/// Bytes of an interface's name in a register.
const NAME: usize = 16;

/// The names of a ruleset's interfaces but `lo`, in the order in which the rules name them: in matches, in sets, as devices. A name with a
/// wildcard gives one that it takes.
pub(crate) fn interfaces(ruleset: &Ruleset) -> Vec<String> {
    let mut names = Names::default();
    for chain in &ruleset.chains {
        for device in chain.base.iter().flat_map(|base| &base.devices) {
            names.add(device.as_bytes());
        }
        for rule in &chain.rules {
            names.rule(ruleset, *rule);
        }
    }
    for set in &ruleset.sets {
        names.set(set);
    }
    for name in &ruleset.interfaces {
        names.add(name.as_bytes());
    }
    names.0
}

#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    /// Adds a name, which may end in zeros.
    fn add(&mut self, padded: &[u8]) {
        let end = padded.iter().position(|byte| *byte == 0);
        let bytes = padded.get(..end.unwrap_or(padded.len()));
        let name = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let is_new = |name: &&str| {
            is_interface_name(name) && *name != "lo" && !self.0.iter().any(|known| known == name)
        };
        if let Some(name) = name.filter(is_new) {
            self.0.push(name.to_owned());
        }
    }

    fn rule(&mut self, ruleset: &Ruleset, rule: RuleId) {
        for test in &predicate::read(ruleset, rule).tests {
            match (&test.subject, &test.pass) {
                (Subject::Meta(MetaKey::Iifname | MetaKey::Oifname), Pass::In(values)) => {
                    self.values(values);
                }
                (Subject::Meta(MetaKey::Iif | MetaKey::Oif), Pass::In(values)) => {
                    for (low, high) in values.ranges().iter().filter(|(low, high)| low == high) {
                        let at = usize::try_from(*low.max(high)).unwrap_or(0).checked_sub(1);
                        if let Some(name) = at.and_then(|at| ruleset.interfaces.get(at)) {
                            self.add(name.as_bytes());
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Names that a match takes, or the one that it does not take.
    fn values(&mut self, values: &Intervals) {
        let mut before = None;
        for (low, high) in values.ranges() {
            if low == high {
                self.add(&low.to_be_bytes());
            } else if *low != 0 && before.is_none() {
                self.wildcard(*low, *high);
            }
            // All but one name.
            if let Some(gap) = before.filter(|gap| gap + 1 == *low) {
                self.add(&u128::to_be_bytes(gap));
            }
            before = high.checked_add(1);
        }
    }

    /// One of the names that begin so.
    fn wildcard(&mut self, low: u128, high: u128) {
        let (low, high) = (low.to_be_bytes(), high.to_be_bytes());
        let shared = low.iter().zip(high).take_while(|(a, b)| **a == *b).count();
        let mut name = low.get(..shared).unwrap_or(&[]).to_vec();
        name.push(b'0');
        self.add(&name);
    }

    fn set(&mut self, set: &Set) {
        let is_name = |ty: &DataType| *ty == DataType::Ifname;
        if !set.key_types.iter().any(is_name) || set.key_len == 0 {
            return;
        }
        let mut at = 0;
        for (ty, len) in set.key_types.iter().zip(&set.key_parts) {
            let len = usize::from(*len);
            if is_name(ty) {
                let keys = set.elements.keys.chunks_exact(usize::from(set.key_len));
                for (key, flags) in keys.zip(&set.elements.flags) {
                    let part = key.get(at..at + NAME.min(len));
                    if let Some(part) = part.filter(|_| flags & Elements::END == 0) {
                        self.add(part);
                    }
                }
            }
            at += len.next_multiple_of(4);
        }
    }
}
