//! Lints: true things about a ruleset that compiles. One file a lint; this file runs them and holds what they share.
//!
//! A lint looks at the bytecode's meaning ([`Predicate`]) where it can, so that it does not matter how a rule is written, and at the syntax
//! tree where the way of writing is the point. Lints never stop a ruleset from being compiled.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a lint picks few kinds of instruction or expression out of many"
)]

mod accept_before_invalid;
mod bugs;
mod ct_in_raw;
mod ct_status_set;
mod drop_no_established;
mod drop_no_loopback;
mod drop_no_ndp;
mod drop_no_pmtu;
mod duplicate_rule;
mod family_dead_match;
mod features;
mod host_bits_set;
mod ifname_wildcard_literal;
mod ip6_nexthdr;
mod ip_protocol_in_inet;
mod jump_loop_or_depth;
mod kernel_only;
mod limit_fallthrough;
mod log_without_limit;
mod masquerade_unscoped;
mod miscompiled_by_old_nft;
mod nat_chain_filtering;
mod not_equal_flag_list;
mod notrack_too_late;
mod packet;
mod policy_accept_with_allow_list;
mod port_without_protocol;
mod shadowed_rule;
mod slash_zero;
mod syntax;
mod unreachable_after_terminal;
mod unused_chain;
mod unused_set;
mod version;
mod version_sensitive;
mod walk;

use std::collections::BTreeSet;

use redan_vm::Ruleset;
use redan_vm::family::{Family, Hook};
use redan_vm::ids::{ChainId, RuleId, SetId};
use redan_vm::instr::{Instr, ObjectKind, Verdict};
use redan_vm::predicate::{self, Predicate};
use redan_vm::ruleset::{BaseChain, Chain, ElementData, Policy, Rule};

use crate::ast::File;
use crate::compile::Compiled;
use crate::diag::{Code, Diagnostic};
use crate::source::{Sources, Span};
use crate::typed::{self, Program};

pub use version::{Target, Version};

/// What a run of the lints needs to know beside the ruleset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What is to load the ruleset; without it, a new nft.
    pub target: Option<Target>,
}

/// Everything that a lint may look at.
pub struct Facts<'a> {
    sources: &'a Sources,
    file: &'a File,
    ruleset: &'a Ruleset,
    program: &'a Program,
    target: Option<Target>,
    predicates: Vec<Predicate>,
    /// Chains that each chain's rules jump or go to, by [`ChainId`].
    jumps: Vec<BTreeSet<ChainId>>,
}

/// One lint.
type Lint = fn(&Facts<'_>, &mut Vec<Diagnostic>);

/// Every lint, by code.
const LINTS: &[(Code, Lint)] = &[
    (
        Code::UnreachableAfterTerminal,
        unreachable_after_terminal::check,
    ),
    (Code::ShadowedRule, shadowed_rule::check),
    (Code::DuplicateRule, duplicate_rule::check),
    (Code::DropNoEstablished, drop_no_established::check),
    (Code::DropNoLoopback, drop_no_loopback::check),
    (Code::DropNoNdp, drop_no_ndp::check),
    (Code::DropNoPmtu, drop_no_pmtu::check),
    (Code::AcceptBeforeInvalid, accept_before_invalid::check),
    (Code::LogWithoutLimit, log_without_limit::check),
    (Code::LimitFallthrough, limit_fallthrough::check),
    (Code::IpProtocolInInet, ip_protocol_in_inet::check),
    (Code::Ip6Nexthdr, ip6_nexthdr::check),
    (Code::PortWithoutProtocol, port_without_protocol::check),
    (Code::FamilyDeadMatch, family_dead_match::check),
    (Code::NotEqualFlagList, not_equal_flag_list::check),
    (Code::CtStatusSet, ct_status_set::check),
    (Code::SlashZero, slash_zero::check),
    (Code::HostBitsSet, host_bits_set::check),
    (Code::IfnameWildcardLiteral, ifname_wildcard_literal::check),
    (Code::JumpLoopOrDepth, jump_loop_or_depth::check),
    (Code::UnusedChain, unused_chain::check),
    (Code::UnusedSet, unused_set::check),
    (
        Code::PolicyAcceptWithAllowList,
        policy_accept_with_allow_list::check,
    ),
    (Code::MasqueradeUnscoped, masquerade_unscoped::check),
    (Code::NatChainFiltering, nat_chain_filtering::check),
    (Code::NotrackTooLate, notrack_too_late::check),
    (Code::CtInRaw, ct_in_raw::check),
    (Code::VersionSensitive, version_sensitive::check),
    (Code::MiscompiledByOldNft, miscompiled_by_old_nft::check),
    (Code::KernelOnly, kernel_only::check),
];

/// The names of all lints that look at a compiled ruleset.
pub fn names() -> impl Iterator<Item = &'static str> {
    LINTS.iter().map(|(code, _)| code.info().name)
}

/// What the lints find in a compiled file without errors, in order of place.
pub fn lint(
    sources: &Sources,
    file: &File,
    compiled: &Compiled,
    options: &Options,
) -> Vec<Diagnostic> {
    let ruleset = &compiled.ruleset;
    let predicates = (0..)
        .take(ruleset.rules.len())
        .map(|id| predicate::read(ruleset, RuleId(id)))
        .collect();
    let mut facts = Facts {
        sources,
        file,
        ruleset,
        program: &compiled.program,
        target: options.target,
        predicates,
        jumps: Vec::new(),
    };
    facts.jumps = facts.jumps_of_chains();
    let mut found = Vec::new();
    for (_, lint) in LINTS {
        lint(&facts, &mut found);
    }
    found.sort_by_key(|d| (d.span().source, d.span().start, d.code));
    found
}

impl<'a> Facts<'a> {
    /// Every chain that the file makes.
    fn all_chains(&self) -> impl Iterator<Item = (ChainId, &'a Chain)> {
        (0..).map(ChainId).zip(&self.ruleset.chains)
    }

    /// Chains that are there when the file has been loaded.
    fn chains(&self) -> impl Iterator<Item = (ChainId, &'a Chain)> {
        self.all_chains().filter(|(_, chain)| !chain.deleted)
    }

    fn chain(&self, id: ChainId) -> Option<&'a Chain> {
        self.ruleset.chains.get(id.index())
    }

    /// Base chains of a hook.
    fn base_chains(&self, hook: Hook) -> impl Iterator<Item = (ChainId, &'a Chain, &'a BaseChain)> {
        self.chains().filter_map(move |(id, chain)| {
            let base = chain.base.as_ref().filter(|base| base.hook == hook)?;
            Some((id, chain, base))
        })
    }

    fn family(&self, chain: &Chain) -> Option<Family> {
        self.ruleset
            .tables
            .get(chain.table.index())
            .map(|table| table.family)
    }

    fn rule(&self, id: RuleId) -> Option<&'a Rule> {
        self.ruleset.rules.get(id.index())
    }

    /// A rule with types and places.
    fn typed_rule(&self, id: RuleId) -> Option<&'a typed::Rule> {
        self.program.rules.get(id.index())
    }

    fn predicate(&self, id: RuleId) -> Option<&Predicate> {
        self.predicates.get(id.index())
    }

    fn rule_span(&self, id: RuleId) -> Span {
        self.program
            .rules
            .get(id.index())
            .map(|rule| rule.span)
            .unwrap_or_default()
    }

    fn chain_span(&self, id: ChainId) -> Span {
        self.program
            .chains
            .get(id.index())
            .copied()
            .unwrap_or_default()
    }

    /// Chains that a rule jumps or goes to, also by verdict maps.
    fn targets(&self, rule: &Rule) -> Vec<ChainId> {
        let mut targets = Vec::new();
        for instr in &rule.code {
            match instr {
                Instr::ImmediateVerdict {
                    verdict: Verdict::Jump(chain) | Verdict::Goto(chain),
                } => targets.push(*chain),
                Instr::LookupVerdict { set, .. } => targets.extend(self.map_targets(*set)),
                _ => {}
            }
        }
        targets
    }

    fn map_targets(&self, set: SetId) -> impl Iterator<Item = ChainId> {
        self.verdicts(set).filter_map(|verdict| match verdict {
            Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain),
            Verdict::Accept | Verdict::Drop | Verdict::Continue | Verdict::Return => None,
        })
    }

    /// Verdicts that a verdict map may give.
    fn verdicts(&self, set: SetId) -> impl Iterator<Item = Verdict> {
        let data = self
            .ruleset
            .sets
            .get(set.index())
            .map_or(&[][..], |set| &set.elements.data);
        data.iter().filter_map(|data| match data {
            ElementData::Verdict(verdict) => Some(*verdict),
            ElementData::None
            | ElementData::Value(_)
            | ElementData::Wide(_)
            | ElementData::Object(_) => None,
        })
    }

    fn jumps_of_chains(&self) -> Vec<BTreeSet<ChainId>> {
        let rules = |chain: &'a Chain| chain.rules.iter().filter_map(|id| self.rule(*id));
        let jumps = |chain| rules(chain).flat_map(|rule| self.targets(rule)).collect();
        self.ruleset.chains.iter().map(jumps).collect()
    }

    /// Chains that a chain's rules jump or go to.
    fn jumps(&self, from: ChainId) -> impl Iterator<Item = ChainId> {
        self.jumps.get(from.index()).into_iter().flatten().copied()
    }

    /// A chain and all that it may lead to.
    fn reachable(&self, from: ChainId) -> BTreeSet<ChainId> {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(chain) = open.pop() {
            open.extend(self.jumps(chain).filter(|target| seen.insert(*target)));
        }
        seen
    }

    fn rules_of(&self, chain: ChainId) -> impl Iterator<Item = RuleId> + use<'a> {
        self.chain(chain)
            .map_or(&[][..], |chain| &chain.rules)
            .iter()
            .copied()
    }

    /// Rules that a packet in a base chain may come to.
    fn reachable_rules(&self, from: ChainId) -> impl Iterator<Item = RuleId> {
        self.reachable(from)
            .into_iter()
            .flat_map(|chain| self.rules_of(chain))
    }

    /// Whether what no rule decides is dropped: by policy, or by a last rule that takes everything.
    fn drops_by_default(&self, chain: &Chain, base: &BaseChain) -> bool {
        base.policy == Policy::Drop
            || chain.rules.last().is_some_and(|last| {
                let refuses = self
                    .predicate(*last)
                    .is_some_and(|p| p.verdict == Some(Verdict::Drop))
                    || self.rejects(*last);
                refuses
                    && self
                        .predicate(*last)
                        .is_some_and(|p| p.is_exact && p.tests.is_empty() && !self.has_limit(*last))
            })
    }

    fn rejects(&self, rule: RuleId) -> bool {
        self.rule(rule)
            .is_some_and(|rule| rule.code.iter().any(|i| matches!(i, Instr::Reject(_))))
    }

    fn has_limit(&self, rule: RuleId) -> bool {
        self.rule(rule)
            .is_some_and(|rule| rule.code.iter().any(is_limit))
    }
}

/// Whether an instruction lets only some packets on that are alike otherwise.
fn is_limit(instr: &Instr) -> bool {
    matches!(
        instr,
        Instr::Limit { .. }
            | Instr::Quota { .. }
            | Instr::Connlimit { .. }
            | Instr::Dynset(_)
            | Instr::Objref {
                kind: ObjectKind::Limit | ObjectKind::Quota,
                ..
            }
    )
}
