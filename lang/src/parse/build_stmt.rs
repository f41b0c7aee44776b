//! Building rules and statements.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "pest's enum of rules has a variant for every token"
)]

use super::build::Builder;
use super::tree::{At, Rule as R};
use crate::ast::{
    Dynset, DynsetOp, Expr, ExprKind, Limit, Log, LogFlag, LogFlagKind, Match, MatchOp, Meter, Nat,
    NatKind, NatMode, Number, ObjectKind, Quota, RejectWith, Rule, Stmt, StmtKind, Synproxy,
    Target, Word,
};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::token;

/// The kind of object that a node names.
pub(super) fn object_kind(rule: R) -> Option<ObjectKind> {
    Some(match rule {
        R::o_counter => ObjectKind::Counter,
        R::o_quota => ObjectKind::Quota,
        R::o_limit => ObjectKind::Limit,
        R::o_secmark => ObjectKind::Secmark,
        R::o_synproxy => ObjectKind::Synproxy,
        R::o_tunnel => ObjectKind::Tunnel,
        R::o_ct_helper => ObjectKind::CtHelper,
        R::o_ct_timeout => ObjectKind::CtTimeout,
        R::o_ct_expectation => ObjectKind::CtExpectation,
        _ => return None,
    })
}

fn match_op(rule: R) -> Option<MatchOp> {
    Some(match rule {
        R::m_eq => MatchOp::Eq,
        R::m_ne => MatchOp::Ne,
        R::m_lt => MatchOp::Lt,
        R::m_gt => MatchOp::Gt,
        R::m_le => MatchOp::Le,
        R::m_ge => MatchOp::Ge,
        R::m_not => MatchOp::Not,
        _ => return None,
    })
}

impl Builder<'_> {
    pub(super) fn rule(&mut self, at: At<'_>) -> Option<Rule> {
        let mut rule = Rule {
            span: self.span(at),
            stmts: Vec::new(),
            comment: None,
        };
        for kid in at.kids() {
            if kid.rule() == R::rule_comment {
                rule.comment = Some(self.string(kid.first()?));
            } else {
                rule.stmts.push(self.stmt(kid)?);
            }
        }
        Some(rule)
    }

    pub(super) fn stmt(&mut self, at: At<'_>) -> Option<Stmt> {
        let kind = match at.rule() {
            R::s_field => self.field_stmt(at)?,
            R::s_verdict => StmtKind::Verdict(self.verdict(at.first()?)?),
            R::s_counter => StmtKind::Counter {
                packets: at
                    .kid(R::count_packets)
                    .and_then(|kid| self.number_in(kid))
                    .map(Box::new),
                bytes: at
                    .kid(R::count_bytes)
                    .and_then(|kid| self.number_in(kid))
                    .map(Box::new),
            },
            R::s_limit => StmtKind::Limit(Box::new(self.limit(at.first()?)?)),
            R::s_quota => StmtKind::Quota(Box::new(self.quota(at.first()?)?)),
            R::s_last => StmtKind::Last {
                used_ms: at.kid(R::time).map(|kid| self.time_ms(kid)),
            },
            R::s_ct_count => StmtKind::CtCount {
                over: at.kid(R::over).is_some(),
                count: self.number_in(at)?,
            },
            R::s_log => StmtKind::Log(Box::new(self.log(at)?)),
            R::s_reject => StmtKind::Reject(self.reject(at)?),
            R::s_nat => StmtKind::Nat(Box::new(self.nat(at)?)),
            R::s_dynset | R::s_dynset_old => self.dynset(at)?,
            R::s_meter => self.meter(at)?,
            R::s_objref | R::s_ct_object => {
                let mut kids = at.kids();
                let kind = object_kind(kids.next()?.rule())?;
                StmtKind::Objref {
                    kind,
                    name: Box::new(self.value(kids.next()?)?),
                }
            }
            _ => self.small_stmt(at)?,
        };
        Some(Stmt {
            span: self.span(at),
            kind,
        })
    }

    fn small_stmt(&mut self, at: At<'_>) -> Option<StmtKind> {
        Some(match at.rule() {
            R::s_notrack => StmtKind::Notrack,
            R::s_tproxy => {
                let (addr, port) = self.nat_target(at)?;
                StmtKind::Tproxy {
                    family: self.nat_family(at).map(Box::new),
                    addr: addr.map(Box::new),
                    port: port.map(Box::new),
                }
            }
            R::s_flow => StmtKind::Flow {
                flowtable: self.signed_word(at.first()?),
            },
            R::s_queue => self.queue(at)?,
            R::s_dup | R::s_fwd => {
                let mut values = Vec::new();
                for kid in at.kids().filter(|kid| kid.rule() == R::value) {
                    values.push(Box::new(self.value(kid)?));
                }
                let mut values = values.into_iter();
                let (to, device) = (values.next()?, values.next());
                if at.rule() == R::s_dup {
                    StmtKind::Dup { to, device }
                } else {
                    StmtKind::Fwd {
                        family: self.nat_family(at).map(Box::new),
                        to,
                        device,
                    }
                }
            }
            R::s_synproxy => StmtKind::Synproxy(Box::new(self.synproxy(at.kids()))),
            R::s_reset_option => StmtKind::ResetTcpOption {
                kind: self.word(at.first()?),
            },
            R::s_xt => StmtKind::Xt(at.kids().map(|kid| self.word(kid)).collect()),
            _ => return None,
        })
    }

    fn field_stmt(&mut self, at: At<'_>) -> Option<StmtKind> {
        let mut kids = at.kids();
        let left = self.value(kids.next()?)?;
        let second = kids.next()?;
        Some(match second.rule() {
            R::assign => {
                let value = self.value(second.first()?)?;
                StmtKind::Set {
                    field: Box::new(left),
                    value: Box::new(value),
                }
            }
            R::vmap => {
                let map = self.map_ref(second.first()?)?;
                StmtKind::Vmap {
                    key: Box::new(left),
                    map: Box::new(map),
                }
            }
            R::match_op => {
                let op = match_op(second.first()?.rule())?;
                let right = self.right(kids.next()?)?;
                StmtKind::Match(Box::new(Match {
                    left,
                    op,
                    op_span: self.span(second),
                    right,
                }))
            }
            _ => {
                let right = self.right(second)?;
                let mut op_span = right.span;
                op_span.end = op_span.start;
                StmtKind::Match(Box::new(Match {
                    left,
                    op: MatchOp::Implicit,
                    op_span,
                    right,
                }))
            }
        })
    }

    pub(super) fn target(&mut self, at: At<'_>) -> Option<Target> {
        let tok = self.tok(at)?;
        if tok.kind == token::CHAIN_BLOCK {
            return Some(Target::Block(Box::new(self.take_chain(tok)?)));
        }
        let kind = if tok.kind == token::VAR {
            ExprKind::Var(self.signed_word(at))
        } else {
            ExprKind::Symbol(self.word(at))
        };
        Some(Target::Chain(Box::new(Expr {
            span: self.span(at),
            kind,
        })))
    }

    /// `limit_body`.
    pub(super) fn limit(&mut self, at: At<'_>) -> Option<Limit> {
        let burst = match at.kid(R::burst) {
            Some(kid) => {
                let unit = kid.kid(R::burst_unit).map(|unit| self.word(unit));
                let number = self.number_in(kid)?;
                if unit.is_none() {
                    let span = self.span(kid);
                    let after = Span::new(span.source, span.end, span.end);
                    let finding =
                        Diagnostic::new(Code::SyntaxError, span, "a burst needs its unit")
                            .help("write `packets` behind it, or bytes as the rate does")
                            .fix("add `packets`", after, " packets");
                    self.findings.push(finding);
                }
                Some((number, unit))
            }
            None => None,
        };
        Some(Limit {
            over: at.kid(R::over).is_some(),
            rate: self.number_in(at)?,
            unit: at.kid(R::unit).map(|kid| self.word(kid)),
            per: self.word(at.kid(R::per)?),
            burst,
        })
    }

    /// `quota_body`.
    pub(super) fn quota(&mut self, at: At<'_>) -> Option<Quota> {
        let used = match at.kid(R::used) {
            Some(kid) => Some((self.number_in(kid)?, self.word(kid.kid(R::unit)?))),
            None => None,
        };
        Some(Quota {
            over: at.kid(R::over).is_some(),
            size: self.number_in(at)?,
            unit: self.word(at.kid(R::unit)?),
            used,
        })
    }

    fn log(&mut self, at: At<'_>) -> Option<Log> {
        let mut log = Log::default();
        for kid in at.kids() {
            match kid.rule() {
                R::log_prefix => {
                    let text = kid.first()?;
                    let kind = if text.rule() == R::var {
                        ExprKind::Var(self.signed_word(text))
                    } else {
                        ExprKind::Str(self.string(text))
                    };
                    log.prefix = Some(Expr {
                        span: self.span(text),
                        kind,
                    });
                }
                R::log_level => log.level = Some(self.word(kid.first()?)),
                R::log_group => log.group = self.number_in(kid),
                R::log_snaplen => log.snaplen = self.number_in(kid),
                R::log_threshold => log.queue_threshold = self.number_in(kid),
                _ => {
                    for flag in kid.kids() {
                        log.flags.push(self.log_flag(flag)?);
                    }
                }
            }
        }
        Some(log)
    }

    fn log_flag(&self, at: At<'_>) -> Option<LogFlag> {
        let span = self.span(at);
        let kind = match (at.rule(), self.slice(span)) {
            (R::log_ip, _) => LogFlagKind::IpOptions,
            (R::log_tcp, "sequence") => LogFlagKind::TcpSequence,
            (R::log_tcp, _) => LogFlagKind::TcpOptions,
            (R::log_other, "skuid") => LogFlagKind::Skuid,
            (R::log_other, "ether") => LogFlagKind::Ether,
            (R::log_other, _) => LogFlagKind::All,
            _ => return None,
        };
        Some(LogFlag { span, kind })
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is the builder's own failure"
    )]
    fn reject(&mut self, at: At<'_>) -> Option<Option<RejectWith>> {
        let Some(with) = at.first() else {
            return Some(None);
        };
        if with.rule() == R::reject_tcp {
            return Some(Some(RejectWith::TcpReset));
        }
        let code = Box::new(self.lit(with.first()?));
        Some(Some(match with.rule() {
            R::reject_icmp => RejectWith::Icmp(code),
            R::reject_icmpv6 => RejectWith::Icmpv6(code),
            _ => RejectWith::Icmpx(code),
        }))
    }

    fn nat_family(&self, at: At<'_>) -> Option<Word> {
        at.kid(R::nat_family).map(|kid| self.word(kid))
    }

    fn nat_target(&mut self, at: At<'_>) -> Option<(Option<Expr>, Option<Expr>)> {
        let mut part = |rule| match at.kid(rule) {
            Some(kid) => self.value(kid.first()?).map(Some),
            None => Some(None),
        };
        let addr = part(R::nat_addr)?;
        Some((addr, part(R::nat_port)?))
    }

    fn nat(&mut self, at: At<'_>) -> Option<Nat> {
        let kind = match at.first()?.rule() {
            R::n_snat => NatKind::Snat,
            R::n_dnat => NatKind::Dnat,
            R::n_masquerade => NatKind::Masquerade,
            _ => NatKind::Redirect,
        };
        let mode = at
            .kid(R::nat_mode)
            .and_then(At::first)
            .map(|mode| match mode.rule() {
                R::nat_interval => NatMode::Interval,
                R::nat_prefix => NatMode::Prefix,
                _ => NatMode::AddrPort,
            });
        let (addr, port) = self.nat_target(at)?;
        let flags = at
            .kid(R::nat_flags)
            .map(|flags| flags.kids().map(|flag| self.word(flag)).collect());
        Some(Nat {
            kind,
            family: self.nat_family(at),
            mode,
            addr,
            port,
            flags: flags.unwrap_or_default(),
        })
    }

    fn queue(&mut self, at: At<'_>) -> Option<StmtKind> {
        let mut num = None;
        let mut flags = Vec::new();
        for kid in at.kids() {
            if kid.rule() == R::queue_num {
                num = Some(Box::new(self.value(kid.first()?)?));
            } else {
                flags.extend(kid.kids().map(|flag| self.word(flag)));
            }
        }
        Some(StmtKind::Queue {
            num,
            flags: flags.into(),
        })
    }

    /// Children like `syn_mss`.
    pub(super) fn synproxy<'n>(&mut self, kids: impl Iterator<Item = At<'n>>) -> Synproxy {
        let mut synproxy = Synproxy::default();
        for kid in kids {
            match kid.rule() {
                R::syn_mss => synproxy.mss = self.number_in(kid),
                R::syn_wscale => synproxy.wscale = self.number_in(kid),
                R::syn_timestamp => synproxy.timestamp = true,
                R::syn_sack_perm => synproxy.sack_perm = true,
                _ => {}
            }
        }
        synproxy
    }

    fn dynset(&mut self, at: At<'_>) -> Option<StmtKind> {
        let op = match at.first()?.rule() {
            R::d_add => DynsetOp::Add,
            R::d_update => DynsetOp::Update,
            _ => DynsetOp::Delete,
        };
        let element = match at.kid(R::set) {
            Some(set) => self.only_element(set)?,
            None => self.element(at.kid(R::dynset_element)?)?,
        };
        let set = self.signed_word(at.kid(R::set_ref)?);
        Some(StmtKind::Dynset(Box::new(Dynset { op, set, element })))
    }

    fn meter(&mut self, at: At<'_>) -> Option<StmtKind> {
        let name = self.word(at.kid(R::word)?);
        let size: Option<Number> = at.kid(R::meter_size).and_then(|kid| self.number_in(kid));
        let element = self.only_element(at.kid(R::set)?)?;
        Some(StmtKind::Meter(Box::new(Meter {
            name,
            size,
            element,
        })))
    }
}
