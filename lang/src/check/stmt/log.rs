//! `log`: where it goes, and what it says.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use crate::ast::{self, Expr, ExprKind, Number, Word};
use crate::check::rule::RuleCheck;
use crate::check::stateful::narrow;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::StmtKind;
use redan_vm::instr::Log;

/// Level of log that goes to the audit daemon.
const LEVEL_AUDIT: u8 = 8;

impl RuleCheck<'_, '_> {
    pub(super) fn log(&mut self, span: Span, log: &ast::Log) -> Option<()> {
        let mut typed = Log::default();
        if let Some(prefix) = &log.prefix {
            typed.prefix = Some(self.log_prefix(prefix)?);
        }
        if let Some(level) = log.level {
            typed.level = Some(self.log_level(level)?);
        }
        for flag in &log.flags {
            typed.flags |= match flag.kind {
                ast::LogFlagKind::TcpSequence => 1,
                ast::LogFlagKind::TcpOptions => 2,
                ast::LogFlagKind::IpOptions => 4,
                ast::LogFlagKind::Skuid => 8,
                ast::LogFlagKind::Ether => 32,
                ast::LogFlagKind::All => 47,
            };
        }
        typed.group = self.small(log.group)?;
        typed.snaplen = match log.snaplen {
            Some(number) => Some(narrow(self.cx, number, u32::MAX)?),
            None => None,
        };
        typed.qthreshold = self.small(log.queue_threshold)?;
        let to_group =
            typed.group.is_some() || typed.snaplen.is_some() || typed.qthreshold.is_some();
        if to_group && (typed.level.is_some() || typed.flags != 0) {
            return self.cx.error(Code::BadFlag, span, "level and flags are for the machine's own log, group is for programs: they exclude each other");
        }
        if typed.level == Some(LEVEL_AUDIT) && (typed.flags != 0 || typed.prefix.is_some()) {
            return self.cx.error(
                Code::BadFlag,
                span,
                "log level audit does not support any log options",
            );
        }
        self.push(span, StmtKind::Log(Box::new(typed)));
        Some(())
    }

    fn small(&mut self, number: Option<Number>) -> Option<Option<u16>> {
        match number {
            None => Some(None),
            Some(number) => narrow(self.cx, number, 65535).map(|value| u16::try_from(value).ok()),
        }
    }

    fn log_level(&mut self, word: Word) -> Option<u8> {
        const LEVELS: &[&str] = &[
            "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit",
        ];
        let text = self.cx.text(word);
        match LEVELS.iter().position(|level| *level == text) {
            Some(at) => u8::try_from(at).ok(),
            None => self.cx.unknown(
                Code::UnknownKeyword,
                word.span,
                "log level",
                text,
                LEVELS.iter().copied(),
            ),
        }
    }

    /// A prefix, with the variables in it filled in.
    fn log_prefix(&mut self, prefix: &Expr) -> Option<String> {
        let (prefix, scope) = self.cx.resolve(prefix)?;
        let text = match &prefix.kind {
            ExprKind::Str(text) => {
                let star = if text.wildcard { "*" } else { "" };
                format!("{}{star}", text.text(self.cx.sources))
            }
            _ => self.cx.sources.text(prefix.span).to_owned(),
        };
        let text = self.scoped(scope, |check| check.interpolate(prefix.span, &text))?;
        if text.len() > 127 {
            return self.cx.error(
                Code::BadString,
                prefix.span,
                format!(
                    "log prefix is too long: {} bytes, 127 are the most",
                    text.len()
                ),
            );
        }
        Some(text)
    }

    fn interpolate(&mut self, span: Span, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let end = after
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(after.len());
            let (name, behind) = after.split_at(end);
            if name.is_empty() {
                out.push('$');
                rest = behind;
                continue;
            }
            let scope = self.cx.scope;
            let Some((value, _)) = self.cx.scopes.find(scope, name) else {
                let known = self.cx.scopes.names(scope);
                return self
                    .cx
                    .unknown(Code::UnknownVariable, span, "variable", name, known);
            };
            let value = self.cx.sources.text(value.span);
            out.push_str(value.trim_matches('"'));
            rest = behind;
        }
        out.push_str(rest);
        Some(out)
    }
}
