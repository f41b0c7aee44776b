//! Statements.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::rule::RuleCheck;
use super::stateful::{narrow, synproxy_spec};
use super::{Constant, stateful_spec};
use crate::ast::{self, Expr, ExprKind, Number, Stmt, StmtKind as Written, Word};
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::{Dynset, Load, StmtKind, Value, ValueKind};
use redan_vm::Verdict;
use redan_vm::ct::CtKey;
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, Hook, nfproto};
use redan_vm::instr::{DynsetOp, ExthdrOp, Log};
use redan_vm::meta::{ByteOrder, MetaKey};

/// Level of log that goes to the audit daemon.
const LEVEL_AUDIT: u8 = 8;

impl<'a> RuleCheck<'_, 'a> {
    /// Types one statement of a rule.
    pub(super) fn stmt(&mut self, stmt: &'a Stmt) -> Option<()> {
        if let Some(end) = self.terminal {
            self.cx.report(
                crate::diag::Diagnostic::new(
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
            Written::Tproxy { family, addr, port } => {
                self.tproxy(span, *family, addr.as_deref(), port.as_deref())
            }
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
            Written::Fwd { family, to, device } => self.fwd(span, *family, to, device.as_deref()),
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

    fn log(&mut self, span: Span, log: &'a ast::Log) -> Option<()> {
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
    fn log_prefix(&mut self, prefix: &'a Expr) -> Option<String> {
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

    /// `meta mark set 1`, `ip ttl set 64`, ...
    fn set(&mut self, span: Span, field: &'a Expr, value: &'a Expr) -> Option<()> {
        let target = match &field.kind {
            ExprKind::Meta { key, .. } if matches!(self.cx.text(*key), "secpath" | "ipsec") => {
                return self
                    .cx
                    .error(Code::BadFlag, field.span, "this meta key cannot be set");
            }
            ExprKind::Ct {
                key, family: None, ..
            } if self.cx.text(*key) == "zone" || self.cx.text(*key) == "event" => {
                self.field(field)??
            }
            _ => match self.field(field)? {
                Some(target) => target,
                None => {
                    return self
                        .cx
                        .error(Code::NotConstant, field.span, "only a field can be set");
                }
            },
        };
        let ValueKind::Load(load) = &target.kind else {
            return None;
        };
        self.check_settable(load, field.span)?;
        let mut want = target.ty;
        if matches!(load.as_ref(), Load::Meta(MetaKey::Nftrace)) {
            want = Type::new(DataType::Boolean, 1, ByteOrder::Host);
        }
        let (resolved, scope) = self.cx.resolve(value)?;
        let value = match &resolved.kind {
            ExprKind::List(items) => {
                let flags =
                    self.scoped(scope, |check| check.cx.flags(resolved.span, items, want))?;
                Value::constant(resolved.span, want, flags)
            }
            _ => self.value(value, want)?,
        };
        self.check_stored(&value, want)?;
        if is_secmark(load) && matches!(value.kind, ValueKind::Const(_)) {
            return self.cx.error_help(
                Code::NotConstant,
                value.span,
                "secmark must not be set to constant value",
                "numbers of security marks change: name a secmark object, or copy the other secmark",
            );
        }
        let target = load.clone();
        self.push(
            span,
            StmtKind::Set {
                target,
                value: Box::new(value),
            },
        );
        Some(())
    }

    fn check_settable(&mut self, load: &Load, span: Span) -> Option<()> {
        let settable = match load {
            Load::Meta(key) => matches!(
                key,
                MetaKey::Mark
                    | MetaKey::Priority
                    | MetaKey::Nftrace
                    | MetaKey::Pkttype
                    | MetaKey::Secmark
                    | MetaKey::Broute
            ),
            Load::Ct { key, .. } => matches!(
                key,
                CtKey::Mark | CtKey::Zone | CtKey::Event | CtKey::Label | CtKey::Secmark
            ),
            Load::Payload { .. } => true,
            Load::Exthdr { op, present, .. } => *op == ExthdrOp::Tcpopt && !present,
            Load::Inner { .. } => {
                return self.cx.error(
                    Code::BadFlag,
                    span,
                    "fields of packets inside a tunnel cannot be set",
                );
            }
            Load::Fib { .. }
            | Load::Rt(_)
            | Load::Socket(_)
            | Load::Osf { .. }
            | Load::Xfrm { .. }
            | Load::Numgen(_)
            | Load::Symhash { .. } => false,
        };
        if !settable {
            return self.cx.error(
                Code::BadFlag,
                span,
                format!("`{}` can be read, but not set", self.cx.sources.text(span)),
            );
        }
        Some(())
    }

    /// Whether a value's type may be stored there.
    fn check_stored(&mut self, value: &Value, want: Type) -> Option<()> {
        if matches!(value.kind, ValueKind::Const(_))
            || super::matching::compatible(value.ty, want)
            || super::map::fits_mark(value.ty, want)
        {
            return Some(());
        }
        let message = format!(
            "datatype mismatch: expected {}, expression has type {}",
            super::describe(want),
            super::describe(value.ty)
        );
        self.cx.error(Code::WrongType, value.span, message)
    }

    fn reset_option(&mut self, span: Span, kind: Word) -> Option<()> {
        let found = self.tcp_option(span, kind, None)?;
        match found.0 {
            Load::Exthdr { kind, .. } => {
                self.push(span, StmtKind::ResetTcpOption(kind));
                Some(())
            }
            _ => None,
        }
    }

    fn dynset(&mut self, span: Span, dynset: &'a ast::Dynset) -> Option<()> {
        let set = self.cx.find_set(self.place.table, dynset.set)?;
        let op = match dynset.op {
            ast::DynsetOp::Add => DynsetOp::Add,
            ast::DynsetOp::Update => DynsetOp::Update,
            ast::DynsetOp::Delete => DynsetOp::Delete,
        };
        let types = self
            .cx
            .set_info(set)
            .map(|info| info.key.clone())
            .unwrap_or_default();
        let key = self.key_of(&dynset.element.key, &types)?;
        self.check_set_key(&key, set, dynset.set)?;
        let data = self.dynset_data(set, dynset)?;
        let exprs: Vec<Option<_>> = dynset
            .element
            .stmts
            .iter()
            .map(|stmt| stateful_spec(self.cx, stmt))
            .collect();
        let exprs = exprs.into_iter().collect::<Option<Vec<_>>>()?;
        if let Some(target) = self.cx.ruleset.sets.get_mut(set.index()) {
            target.flags |= redan_vm::ruleset::set_flags::EVAL;
            target.size = target.size.or(Some(65535));
        }
        let typed = Dynset {
            op,
            set,
            key,
            data,
            timeout_ms: dynset.element.timeout_ms,
            exprs,
        };
        self.push(span, StmtKind::Dynset(Box::new(typed)));
        Some(())
    }

    fn dynset_data(
        &mut self,
        set: redan_vm::ids::SetId,
        dynset: &'a ast::Dynset,
    ) -> Option<Option<Value>> {
        let types = self
            .cx
            .set_info(set)
            .map(|info| info.data.clone())
            .unwrap_or_default();
        match (&dynset.element.data, types.as_slice()) {
            (None, []) => Some(None),
            (None, _) => self.cx.error(
                Code::DataMismatch,
                dynset.element.span,
                "an element of a map needs data: `key : data`",
            ),
            (Some(data), []) => self.cx.error(
                Code::DataMismatch,
                data.span,
                "a set's elements have no data; only those of maps do",
            ),
            (Some(data), [want]) => {
                let value = self.value(data, *want)?;
                self.check_stored(&value, *want)?;
                Some(Some(value))
            }
            (Some(data), many) => {
                let ExprKind::Concat(items) = &data.kind else {
                    return self.cx.error(
                        Code::WrongType,
                        data.span,
                        "the map's data is a concatenation",
                    );
                };
                let many = many.to_vec();
                let parts: Vec<Option<Value>> = items
                    .iter()
                    .zip(many)
                    .map(|(item, want)| self.value(item, want))
                    .collect();
                let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
                self.concat(data.span, parts).map(Some)
            }
        }
    }

    fn meter(&mut self, span: Span, meter: &'a ast::Meter) -> Option<()> {
        let key = self.key(&meter.element.key)?;
        let exprs: Vec<Option<_>> = meter
            .element
            .stmts
            .iter()
            .map(|stmt| stateful_spec(self.cx, stmt))
            .collect();
        let exprs = exprs.into_iter().collect::<Option<Vec<_>>>()?;
        let size = match meter.size {
            Some(number) => Some(narrow(self.cx, number, u32::MAX)?),
            None => None,
        };
        let name = self.cx.text(meter.name).to_owned();
        let shape = self.shape(&key, crate::sets::DataShape::None);
        let set = crate::resolve::meter_set(
            self,
            meter.name,
            &name,
            &shape,
            meter.element.timeout_ms,
            size,
        )?;
        let op = if meter.element.timeout_ms.is_some() {
            DynsetOp::Update
        } else {
            DynsetOp::Add
        };
        let typed = Dynset {
            op,
            set,
            key,
            data: None,
            timeout_ms: meter.element.timeout_ms,
            exprs,
        };
        self.push(span, StmtKind::Dynset(Box::new(typed)));
        Some(())
    }

    fn flow(&mut self, span: Span, flowtable: Word) -> Option<()> {
        let name = self.cx.text(flowtable).trim_start_matches('@');
        if let Some((chain_type, hook)) = self.place.base
            && hook != Hook::Forward
        {
            return self.cx.error(
                Code::WrongHook,
                span,
                format!("flow offload needs hook forward, this {chain_type} chain is at {hook}"),
            );
        }
        let known: Vec<String> = self
            .cx
            .names
            .of(self.place.table)
            .map(|names| names.flowtables.iter().cloned().collect())
            .unwrap_or_default();
        if !known.iter().any(|known| known == name) {
            return self.cx.unknown(
                Code::UnknownObject,
                flowtable.span,
                "flowtable",
                name,
                known.iter().map(String::as_str),
            );
        }
        self.push(span, StmtKind::Flow(name.to_owned()));
        Some(())
    }

    fn queue(&mut self, span: Span, num: Option<&'a Expr>, flags: &[Word]) -> Option<()> {
        let (mut bypass, mut fanout) = (false, false);
        for word in flags {
            match self.cx.text(*word) {
                "bypass" => bypass = true,
                "fanout" => fanout = true,
                other => {
                    return self.cx.unknown(
                        Code::BadFlag,
                        word.span,
                        "queue flag",
                        other,
                        ["bypass", "fanout"],
                    );
                }
            }
        }
        let want = Type::new(DataType::Integer, 16, ByteOrder::Host);
        let mut value = None;
        let mut range = (0, 0);
        if let Some(num) = num {
            let (resolved, scope) = self.cx.resolve(num)?;
            let computed = matches!(
                resolved.kind,
                ExprKind::Numgen { .. }
                    | ExprKind::Jhash { .. }
                    | ExprKind::Symhash { .. }
                    | ExprKind::Map(_)
            );
            if computed {
                let before = Span::new(span.source, span.start, num.span.start.max(span.start));
                if self
                    .cx
                    .sources
                    .text(before)
                    .split_whitespace()
                    .any(|word| word == "num")
                {
                    return self.cx.error_help(
                        Code::NotConstant,
                        num.span,
                        "`queue num` takes a number or a range",
                        "write `queue to` in front of an expression",
                    );
                }
                self.check_queue_modulus(resolved)?;
                value = Some(Box::new(
                    self.scoped(scope, |check| check.value(resolved, want))?,
                ));
            } else if self.is_field(resolved) {
                return self.cx.error(
                    Code::NotConstant,
                    resolved.span,
                    "queue numbers come from numgen, a hash, a map or a constant",
                );
            } else {
                range = self.queue_numbers(resolved, want)?;
            }
        }
        if fanout && range.0 == range.1 && value.is_none() {
            return self.cx.error(
                Code::BadFlag,
                span,
                "fanout requires a range to be specified",
            );
        }
        self.terminal(span);
        self.push(
            span,
            StmtKind::Queue {
                num: range,
                value,
                bypass,
                fanout,
            },
        );
        Some(())
    }

    fn check_queue_modulus(&mut self, expr: &Expr) -> Option<()> {
        let (modulus, offset) = match &expr.kind {
            ExprKind::Numgen {
                modulus, offset, ..
            }
            | ExprKind::Jhash {
                modulus, offset, ..
            }
            | ExprKind::Symhash { modulus, offset } => {
                (modulus.value(), offset.map_or(0, ast::Integer::value))
            }
            _ => return Some(()),
        };
        if modulus.saturating_add(offset) > 65536 {
            return self.cx.error(
                Code::ValueOutOfRange,
                expr.span,
                "queue numbers exceed valid range 0-65535",
            );
        }
        Some(())
    }

    fn queue_numbers(&mut self, expr: &Expr, want: Type) -> Option<(u16, u16)> {
        let (low, high) = match self.cx.constant(expr, want)? {
            Constant::Prefix { .. } => {
                return self.cx.error(
                    Code::NotConstant,
                    expr.span,
                    "a queue number or a range of them is wanted",
                );
            }
            constant => constant.bounds(want),
        };
        Some((u16::try_from(low).ok()?, u16::try_from(high).ok()?))
    }

    fn dup(&mut self, span: Span, to: &'a Expr, device: Option<&'a Expr>) -> Option<()> {
        let device_type = Type::of(DataType::IfaceIndex);
        let (addr, device) = match self.place.family {
            Family::Netdev => (None, Some(self.value(to, device_type)?)),
            Family::Ip | Family::Ip6 => {
                let want = Type::of(if self.place.family == Family::Ip {
                    DataType::Ipv4Addr
                } else {
                    DataType::Ipv6Addr
                });
                let addr = self.value(to, want)?;
                let device = match device {
                    Some(device) => Some(self.value(device, device_type)?),
                    None => None,
                };
                (Some(addr), device)
            }
            Family::Inet | Family::Arp | Family::Bridge => {
                return self.cx.error(
                    Code::WrongFamily,
                    span,
                    "dup is for tables of family ip, ip6 and netdev",
                );
            }
        };
        self.push(
            span,
            StmtKind::Dup {
                addr: addr.map(Box::new),
                device: device.map(Box::new),
            },
        );
        Some(())
    }

    fn fwd(
        &mut self,
        span: Span,
        family: Option<Word>,
        to: &'a Expr,
        device: Option<&'a Expr>,
    ) -> Option<()> {
        if self.place.family != Family::Netdev {
            return self.cx.error(
                Code::WrongFamily,
                span,
                "unsupported family: fwd is for tables of family netdev",
            );
        }
        let device_type = Type::of(DataType::IfaceIndex);
        let (device, addr, nfproto) = match (family, device) {
            (Some(family), Some(device)) => {
                let (want, number) = if self.cx.text(family) == "ip" {
                    (DataType::Ipv4Addr, nfproto::IPV4)
                } else {
                    (DataType::Ipv6Addr, nfproto::IPV6)
                };
                let device = self.value(device, device_type)?;
                let addr = self.value(to, Type::of(want))?;
                (device, Some(Box::new(addr)), number)
            }
            (Some(_), None) => {
                return self.cx.error(
                    Code::MissingProtocol,
                    span,
                    "fwd to an address needs a device",
                );
            }
            (None, _) => (self.value(to, device_type)?, None, 0),
        };
        self.terminal(span);
        self.push(
            span,
            StmtKind::Fwd {
                device: Box::new(device),
                addr,
                nfproto,
            },
        );
        Some(())
    }
}

/// Whether a load is a security mark, whose numbers mean something only at run time.
pub(super) fn is_secmark(load: &Load) -> bool {
    matches!(
        load,
        Load::Meta(MetaKey::Secmark)
            | Load::Ct {
                key: CtKey::Secmark,
                ..
            }
    )
}
