//! L001: rules behind one that takes every packet.

use redan_vm::instr::Verdict;

use super::Facts;
use crate::diag::{Code, Diagnostic};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    for (_, chain) in facts.chains() {
        let ends = chain.rules.iter().position(|id| {
            let takes_all = facts.predicate(*id).is_some_and(|p| {
                let ends = matches!(
                    p.verdict,
                    Some(Verdict::Accept | Verdict::Drop | Verdict::Return | Verdict::Goto(_))
                ) || facts.rejects(*id);
                // a number drawn at random or a hash is asked for by no test that is followed
                let all = p.is_exact && p.tests.iter().all(redan_vm::predicate::Test::is_always);
                ends && all
            });
            takes_all && !facts.has_limit(*id)
        });
        let Some(at) = ends else { continue };
        let (Some(end), Some(first)) = (chain.rules.get(at), chain.rules.get(at + 1)) else {
            continue;
        };
        let dead = chain.rules.len() - at - 1;
        let what = match dead {
            1 => "this rule is".to_owned(),
            2 => "this rule and the one below it are".to_owned(),
            _ => format!("this rule and the {} below it are", dead - 1),
        };
        found.push(
            Diagnostic::new(
                Code::UnreachableAfterTerminal,
                facts.rule_span(*first),
                format!("{what} never reached"),
            )
            .related(
                facts.rule_span(*end),
                "every packet that comes here ends here",
            )
            .help("remove what is dead, or move the rule that takes everything to the end"),
        );
    }
}
