//! L070: what only a kernel knows.

use std::collections::BTreeMap;

use redan_vm::ct::CtKey;
use redan_vm::ids::RuleId;
use redan_vm::instr::{Instr, ObjectKind};
use redan_vm::meta::MetaKey;

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<&str, (RuleId, &str, usize)> = BTreeMap::new();
    for (_, chain) in facts.chains() {
        for id in &chain.rules {
            for (what, becomes) in facts
                .rule(*id)
                .into_iter()
                .flat_map(|rule| &rule.code)
                .filter_map(kernel_only)
            {
                first.entry(what).or_insert((*id, becomes, 0)).2 += 1;
            }
        }
    }
    for (what, (rule, becomes, uses)) in first {
        let others = if uses > 1 {
            format!(" (and {} more)", uses - 1)
        } else {
            String::new()
        };
        found.push(
            Diagnostic::new(Code::KernelOnly, facts.rule_span(rule), format!("redan has no {what}: {becomes}{others}"))
                .help("the rule means the same as for a packet that Linux forwards; in the kernel's own use of it nothing changes"),
        );
    }
}

/// What an instruction needs of a kernel, and what becomes of its rule without one.
fn kernel_only(instr: &Instr) -> Option<(&'static str, &'static str)> {
    const NO_MATCH: &str = "the rule never matches";
    const SECMARK: (&str, &str) = ("security marks", "they are 0, and setting one does nothing");
    match instr {
        Instr::MetaLoad { key, .. } => match key {
            MetaKey::Skuid | MetaKey::Skgid => Some(("socket's owner", NO_MATCH)),
            MetaKey::Cgroup => Some(("control groups", NO_MATCH)),
            MetaKey::Secmark => Some(SECMARK),
            MetaKey::Iifkind | MetaKey::Oifkind => Some(("kinds of devices", NO_MATCH)),
            MetaKey::Ibrname
            | MetaKey::Obrname
            | MetaKey::Ibrpvid
            | MetaKey::Ibrvproto
            | MetaKey::Ibrhwaddr => Some(("bridges with names", NO_MATCH)),
            _ => None,
        },
        Instr::MetaSet {
            key: MetaKey::Secmark,
            ..
        }
        | Instr::CtLoad {
            key: CtKey::Secmark,
            ..
        }
        | Instr::CtSet {
            key: CtKey::Secmark,
            ..
        }
        | Instr::Objref {
            kind: ObjectKind::Secmark,
            ..
        } => Some(SECMARK),
        Instr::Socket { .. } => Some(("sockets", NO_MATCH)),
        Instr::Osf { .. } => Some(("fingerprints of operating systems", NO_MATCH)),
        Instr::Xfrm { .. } => Some(("IPsec", NO_MATCH)),
        Instr::Tunnel { .. } => Some(("tunnel devices", NO_MATCH)),
        Instr::Tproxy { .. } => Some(("sockets to proxy to", NO_MATCH)),
        Instr::Synproxy { .. }
        | Instr::Objref {
            kind: ObjectKind::Synproxy,
            ..
        } => Some(("SYN proxy", "the packet is dropped or taken")),
        Instr::FlowOffload { .. } => {
            Some(("fast path to offload to", "the statement does nothing"))
        }
        _ => None,
    }
}
