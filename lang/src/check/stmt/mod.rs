//! Statements.
//!
//! [`RuleCheck::stmt`] sorts by kind; statements that need more than a line have a file each. Counters and limits, which sets and objects have too, are in
//! [`stateful`](super::stateful), verdict maps and object references in [`map`](super::map).

mod assign;
mod dynset;
mod forward;
mod log;
mod nat;
mod queue;
mod reject;

use crate::ast::{Stmt, StmtKind as Written};
use crate::check::rule::RuleCheck;
use crate::check::stateful::synproxy_spec;
use crate::check::stateful_spec;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::typed::StmtKind;
use redan_vm::Verdict;

impl RuleCheck<'_, '_> {
    /// Types one statement of a rule.
    pub(in crate::check) fn stmt(&mut self, stmt: &Stmt) -> Option<()> {
        if let Some(end) = self.terminal {
            self.cx.report(
                Diagnostic::new(
                    Code::StatementAfterVerdict,
                    stmt.span,
                    "statement after terminal statement has no effect",
                )
                .related(end, "the rule ends here")
                .help("move it in front of the terminal statement"),
            );
            return None;
        }
        let span = stmt.span;
        match &stmt.kind {
            Written::Match(found) => self.matching(span, found),
            Written::Verdict(verdict) => {
                let typed = self.verdict(verdict, span)?;
                if typed != Verdict::Continue {
                    self.terminal(span);
                }
                self.push(span, StmtKind::Verdict(typed));
                Some(())
            }
            Written::Vmap { key, map } => self.vmap(span, key, map),
            Written::Counter { .. }
            | Written::Limit(_)
            | Written::Quota(_)
            | Written::Last { .. }
            | Written::CtCount { .. } => {
                let spec = stateful_spec(self.cx, stmt)?;
                let state = self.cx.add_state(spec.clone());
                self.push(span, StmtKind::Stateful { state, spec });
                Some(())
            }
            Written::Log(log) => self.log(span, log),
            Written::Reject(with) => self.reject(span, with.as_ref()),
            Written::Nat(nat) => self.nat(span, nat),
            Written::Tproxy { family, addr, port } => self.tproxy(
                span,
                family.as_deref().copied(),
                addr.as_deref(),
                port.as_deref(),
            ),
            Written::Notrack => {
                self.push(span, StmtKind::Notrack);
                Some(())
            }
            Written::Set { field, value } => self.set(span, field, value),
            Written::ResetTcpOption { kind } => self.reset_option(span, *kind),
            Written::Objref { kind, name } => self.objref(span, *kind, name),
            Written::Dynset(dynset) => self.dynset(span, dynset),
            Written::Meter(meter) => self.meter(span, meter),
            Written::Flow { flowtable } => self.flow(span, *flowtable),
            Written::Queue { num, flags } => self.queue(span, num.as_deref(), flags),
            Written::Dup { to, device } => self.dup(span, to, device.as_deref()),
            Written::Fwd { family, to, device } => {
                self.fwd(span, family.as_deref().copied(), to, device.as_deref())
            }
            Written::Synproxy(synproxy) => {
                let (mss, wscale, flags) = synproxy_spec(self.cx, synproxy)?;
                self.push(span, StmtKind::Synproxy { mss, wscale, flags });
                Some(())
            }
            Written::Xt(_) => self.cx.error(
                Code::UnsupportedYet,
                span,
                "iptables' own matches and targets (xt) are not supported",
            ),
        }
    }

    /// Notes that nothing may follow.
    pub(super) fn terminal(&mut self, span: Span) {
        self.terminal = Some(span);
    }
}
