//! L002: a rule whose packets an earlier one takes, all of them.

use redan_vm::ids::RuleId;
use redan_vm::instr::{Instr, Verdict};
use redan_vm::predicate::{Pass, Predicate, Subject, Test, is_pure};
use redan_vm::ruleset::Rule;

use super::Facts;
use crate::diag::{Code, Diagnostic, Level};

/// How many pairs of rules are compared in one chain; generated rulesets of many thousand rules are not looked at to the end.
const PAIRS: usize = 2_000_000;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let chains = changes_of_chains(facts);
    for (_, chain) in facts.chains() {
        Walk {
            facts,
            chains: &chains,
            takers: Vec::new(),
            changes: Vec::new(),
            pairs: 0,
        }
        .chain(&chain.rules, found);
    }
}

/// What may change between two rules, so that one test can have two answers: a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kinds(u8);

impl Kinds {
    const SETS: Self = Self(1);
    const META: Self = Self(2);
    const CT: Self = Self(4);
    const PACKET: Self = Self(8);

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

struct Walk<'a, 'b> {
    facts: &'a Facts<'b>,
    /// What each chain may change, by chain number.
    chains: &'a [Kinds],
    /// Rules that end the chain for whatever they match, what they look at, and how many entries `changes` had then.
    takers: Vec<(RuleId, Kinds, usize)>,
    /// What each rule so far may have changed.
    changes: Vec<Kinds>,
    pairs: usize,
}

impl Walk<'_, '_> {
    fn chain(mut self, rules: &[RuleId], found: &mut Vec<Diagnostic>) {
        for id in rules {
            let Some(predicate) = self.facts.predicate(*id) else {
                continue;
            };
            if let Some(taker) = self.taker_of(*id, predicate) {
                found.push(self.finding(*id, taker));
            } else if takes_all_it_matches(self.facts, *id, predicate) {
                self.takers
                    .push((*id, looks_at(predicate), self.changes.len()));
            }
            let changes = self.changes_by(*id);
            self.changes.push(changes);
            if self.pairs > PAIRS {
                return;
            }
        }
    }

    fn taker_of(&mut self, id: RuleId, predicate: &Predicate) -> Option<RuleId> {
        // Rules that take everything are another lint's; so are rules that say the same again.
        let matches = !predicate.tests.iter().any(Test::is_never);
        if predicate.tests.is_empty() || !matches || !tests_come_first(self.facts, id) {
            return None;
        }
        self.pairs += self.takers.len();
        let (taker, ..) = self.takers.iter().find(|(taker, kinds, since)| {
            let Some(wide) = self.facts.predicate(*taker) else {
                return false;
            };
            let unchanged = || {
                let changes = self.changes.get(*since..).unwrap_or_default();
                !changes.iter().any(|change| change.meets(*kinds))
            };
            predicate.is_within(wide)
                && !(wide.is_within(predicate) && self.same_end(*taker, id))
                && unchanged()
        })?;
        Some(*taker)
    }

    /// Whether two rules decide the same.
    fn same_end(&self, a: RuleId, b: RuleId) -> bool {
        let end = |id| {
            let verdict = self.facts.predicate(id).and_then(|p| p.verdict);
            (verdict, self.facts.rejects(id))
        };
        end(a) == end(b)
    }

    fn finding(&self, id: RuleId, taker: RuleId) -> Diagnostic {
        let span = self.facts.rule_span(id);
        let by = self.facts.rule_span(taker);
        if self.same_end(id, taker) {
            let mut finding = Diagnostic::new(
                Code::ShadowedRule,
                span,
                "this rule adds nothing: an earlier one decides the same for all that it matches",
            )
            .related(by, "this one")
            .help("remove it");
            finding.level = Level::Warning;
            return finding;
        }
        Diagnostic::new(
            Code::ShadowedRule,
            span,
            "this rule is never reached: an earlier one takes all that it matches",
        )
        .related(by, "this one")
        .help("put the narrower rule first, or remove it")
    }

    /// What a rule may change for those behind it, also in chains that it leads to.
    fn changes_by(&self, id: RuleId) -> Kinds {
        let Some(rule) = self.facts.rule(id) else {
            return Kinds::default();
        };
        let targets = self.facts.targets(rule).into_iter();
        targets
            .filter_map(|target| self.chains.get(target.index()).copied())
            .fold(changed_by(rule), Kinds::with)
    }
}

/// What each chain and all that it leads to may change, by chain number: handed back along the jumps until nothing new comes.
fn changes_of_chains(facts: &Facts<'_>) -> Vec<Kinds> {
    let mut from = vec![Vec::new(); facts.ruleset.chains.len()];
    let mut kinds = vec![Kinds::default(); from.len()];
    let mut open = Vec::new();
    for (id, _) in facts.all_chains() {
        for target in facts.jumps(id) {
            if let Some(from) = from.get_mut(target.index()) {
                from.push(id);
            }
        }
        let rules = facts.rules_of(id).filter_map(|rule| facts.rule(rule));
        open.push((
            id,
            rules.map(changed_by).fold(Kinds::default(), Kinds::with),
        ));
    }
    while let Some((id, more)) = open.pop() {
        let Some(known) = kinds.get_mut(id.index()) else {
            continue;
        };
        let all = known.with(more);
        if std::mem::replace(known, all) != all {
            let callers = from.get(id.index()).into_iter().flatten();
            open.extend(callers.map(|caller| (*caller, all)));
        }
    }
    kinds
}

/// What a rule itself may change.
fn changed_by(rule: &Rule) -> Kinds {
    let kinds = rule.code.iter().map(changed);
    kinds.fold(Kinds::default(), Kinds::with)
}

/// Whether every packet that passes a rule's tests ends there: nothing in it can fail beside them.
fn takes_all_it_matches(facts: &Facts<'_>, id: RuleId, predicate: &Predicate) -> bool {
    let ends = matches!(
        predicate.verdict,
        Some(Verdict::Accept | Verdict::Drop | Verdict::Return | Verdict::Goto(_))
    ) || facts.rejects(id);
    let plain = predicate.effects.iter().all(|at| {
        let instr = facts.rule(id).and_then(|rule| rule.code.get(*at));
        matches!(
            instr,
            Some(Instr::Counter { .. } | Instr::Log(_) | Instr::Last { .. } | Instr::Reject(_))
        )
    });
    // A test that every value passes may still fail for want of the value.
    let asks = predicate.tests.iter().all(|test| !test.is_always());
    ends && plain && asks && predicate.is_exact && !predicate.tests.is_empty()
}

/// Whether a rule does nothing before all its tests have held.
pub(super) fn tests_come_first(facts: &Facts<'_>, id: RuleId) -> bool {
    let (Some(rule), Some(predicate)) = (facts.rule(id), facts.predicate(id)) else {
        return false;
    };
    let first = predicate
        .effects
        .first()
        .copied()
        .unwrap_or(rule.code.len());
    rule.code
        .get(first..)
        .is_some_and(|rest| !rest.iter().any(|instr| matches!(instr, Instr::Cmp { .. } | Instr::Range { .. } | Instr::Lookup { .. } if is_pure(instr))))
}

/// What a rule's tests look at that rules can change.
fn looks_at(predicate: &Predicate) -> Kinds {
    predicate
        .tests
        .iter()
        .map(|test| {
            let set = match test.pass {
                Pass::Set { .. } => Kinds::SETS,
                Pass::In(_) | Pass::Masked { .. } => Kinds::default(),
            };
            set.with(subject(&test.subject))
        })
        .fold(Kinds::default(), Kinds::with)
}

fn subject(subject_: &Subject) -> Kinds {
    match subject_ {
        Subject::Payload { .. } => Kinds::PACKET,
        Subject::Meta(_) => Kinds::META,
        Subject::Ct(..) => Kinds::CT,
        Subject::Concat(parts) => parts
            .iter()
            .map(subject)
            .fold(Kinds::default(), Kinds::with),
        Subject::Other(..) => Kinds(u8::MAX),
    }
}

fn changed(instr: &Instr) -> Kinds {
    match instr {
        Instr::Dynset(_) => Kinds::SETS,
        Instr::MetaSet { .. } => Kinds::META,
        Instr::CtSet { .. } | Instr::Notrack | Instr::Objref { .. } | Instr::ObjrefMap { .. } => {
            Kinds::CT
        }
        Instr::PayloadWrite { .. } | Instr::ExthdrWrite { .. } | Instr::ExthdrReset { .. } => {
            Kinds::PACKET
        }
        Instr::Nat(_) | Instr::Masq { .. } | Instr::Redir { .. } | Instr::Tproxy { .. } => {
            Kinds(u8::MAX)
        }
        _ => Kinds::default(),
    }
}
