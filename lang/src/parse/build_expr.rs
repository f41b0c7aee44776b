//! Building expressions and set elements.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "pest's enum of rules has a variant for every token"
)]

use super::build::{Builder, literal_kind};
use super::literal;
use super::tree::{At, Rule};
use crate::ast::{BinaryOp, Element, Expr, ExprKind, Integer, Verdict, Word};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;

/// How tightly an operator binds; as in C.
fn binding(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::Xor => 2,
        BinaryOp::And => 3,
        BinaryOp::Shl | BinaryOp::Shr => 4,
    }
}

fn bit_op(rule: Rule) -> Option<BinaryOp> {
    match rule {
        Rule::op_and => Some(BinaryOp::And),
        Rule::op_or => Some(BinaryOp::Or),
        Rule::op_xor => Some(BinaryOp::Xor),
        Rule::op_shl => Some(BinaryOp::Shl),
        Rule::op_shr => Some(BinaryOp::Shr),
        _ => None,
    }
}

fn reduce(terms: &mut Vec<Expr>, op: BinaryOp) -> Option<()> {
    let right = terms.pop()?;
    let left = terms.pop()?;
    let span = left.span.to(right.span);
    terms.push(Expr {
        span,
        kind: ExprKind::Binary(op, Box::new((left, right))),
    });
    Some(())
}

impl Builder<'_> {
    fn expr_of(&self, at: At<'_>, kind: ExprKind) -> Expr {
        Expr {
            span: self.span(at),
            kind,
        }
    }

    /// Several parts as one expression, or the only one.
    fn joined(
        &mut self,
        at: At<'_>,
        join: fn(Vec<Expr>) -> ExprKind,
        part: fn(&mut Self, At<'_>) -> Option<Expr>,
    ) -> Option<Expr> {
        let mut kids = at.kids();
        let first = part(self, kids.next()?)?;
        let Some(second) = kids.next() else {
            return Some(first);
        };
        let mut parts = vec![first, part(self, second)?];
        for kid in kids {
            parts.push(part(self, kid)?);
        }
        Some(self.expr_of(at, join(parts)))
    }

    pub(super) fn list(&mut self, at: At<'_>) -> Option<Expr> {
        self.joined(at, ExprKind::List, Self::concat)
    }

    pub(super) fn concat(&mut self, at: At<'_>) -> Option<Expr> {
        let part = if at.rule() == Rule::l_concat {
            Self::left_part
        } else {
            Self::range
        };
        self.joined(at, ExprKind::Concat, part)
    }

    /// A field, or a constant beside fields.
    fn left_part(&mut self, at: At<'_>) -> Option<Expr> {
        if at.rule() == Rule::lit {
            return Some(self.lit(at));
        }
        self.binary(at)
    }

    fn range(&mut self, at: At<'_>) -> Option<Expr> {
        let mut kids = at.kids();
        let first = self.binary(kids.next()?)?;
        let Some(tail) = kids.next() else {
            return Some(first);
        };
        let kind = if tail.rule() == Rule::prefix_len {
            let num = tail.first()?;
            let value = self.integer(num);
            let len = self.expr_of(num, ExprKind::Number(value));
            ExprKind::Prefix(Box::new((first, len)))
        } else {
            let last = self.binary(tail.first()?)?;
            ExprKind::Range(Box::new((first, last)))
        };
        Some(self.expr_of(at, kind))
    }

    fn binary(&mut self, at: At<'_>) -> Option<Expr> {
        let mut kids = at.kids();
        let first = self.term(kids.next()?)?;
        let Some(mut op_node) = kids.next() else {
            return Some(first);
        };
        let mut terms = vec![first];
        let mut ops: Vec<BinaryOp> = Vec::new();
        loop {
            let op = bit_op(op_node.rule())?;
            while let Some(&before) = ops.last()
                && binding(before) >= binding(op)
            {
                ops.pop();
                reduce(&mut terms, before)?;
            }
            ops.push(op);
            let term = self.term(kids.next()?)?;
            terms.push(term);
            match kids.next() {
                Some(next) => op_node = next,
                None => break,
            }
        }
        while let Some(op) = ops.pop() {
            reduce(&mut terms, op)?;
        }
        terms.pop()
    }

    fn term(&mut self, at: At<'_>) -> Option<Expr> {
        match at.rule() {
            Rule::lit => Some(self.lit(at)),
            Rule::v_list | Rule::r_list => self.list(at),
            Rule::l_concat => self.concat(at),
            Rule::v_range | Rule::r_range => self.range(at),
            _ => {
                let kind = self.field(at)?;
                Some(self.expr_of(at, kind))
            }
        }
    }

    pub(super) fn lit(&mut self, at: At<'_>) -> Expr {
        let span = self.span(at);
        let kind = match self.tok(at).and_then(literal_kind) {
            Some(kind) => {
                self.check_literal(kind, span);
                literal::literal(kind, span, self.slice(span))
            }
            None => ExprKind::Var(self.signed_word(at)),
        };
        Expr { span, kind }
    }

    /// A set literal, a reference to a set, or a variable.
    pub(super) fn map_ref(&mut self, at: At<'_>) -> Option<Expr> {
        let kind = match at.rule() {
            Rule::set => ExprKind::Set(Box::new(self.take_set(at)?)),
            Rule::set_ref => ExprKind::SetRef(self.signed_word(at)),
            _ => ExprKind::Var(self.signed_word(at)),
        };
        Some(self.expr_of(at, kind))
    }

    /// `left` and `value`: a concatenation, perhaps looked up in a map, perhaps a list.
    pub(super) fn value(&mut self, at: At<'_>) -> Option<Expr> {
        let mut kids = at.kids();
        let mut first = self.concat(kids.next()?)?;
        let mut list = Vec::new();
        for kid in kids {
            if matches!(kid.rule(), Rule::set | Rule::set_ref | Rule::var) {
                let map = self.map_ref(kid)?;
                let span = first.span.to(map.span);
                first = Expr {
                    span,
                    kind: ExprKind::Map(Box::new((first, map))),
                };
            } else {
                list.push(self.concat(kid)?);
            }
        }
        if list.is_empty() {
            return Some(first);
        }
        list.insert(0, first);
        Some(self.expr_of(at, ExprKind::List(list)))
    }

    pub(super) fn right(&mut self, at: At<'_>) -> Option<Expr> {
        let mut kids = at.kids();
        let first = kids.next()?;
        if first.rule() != Rule::r_list {
            return self.map_ref(first);
        }
        let value = self.list(first)?;
        let Some(mask) = kids.next() else {
            return Some(value);
        };
        let mask = self.list(mask.first()?)?;
        Some(self.expr_of(at, ExprKind::FlagMatch(Box::new((value, mask)))))
    }

    fn words(&self, at: At<'_>) -> (Word, Option<Word>) {
        let mut kids = at.kids();
        let first = kids.next().map(|kid| self.word(kid)).unwrap_or_default();
        (first, kids.next().map(|kid| self.word(kid)))
    }

    fn field(&mut self, at: At<'_>) -> Option<ExprKind> {
        Some(match at.rule() {
            Rule::f_payload | Rule::f_header => {
                let (header, field) = self.words(at);
                ExprKind::Payload {
                    header,
                    field: field?,
                    of: None,
                }
            }
            Rule::f_arp => {
                let (field, of) = self.words(at);
                let mut span = self.span(at);
                span.end = span.start + 3; // "arp"
                ExprKind::Payload {
                    header: Word { span },
                    field,
                    of,
                }
            }
            Rule::f_inner => {
                let mut kids = at.kids();
                let tunnel = self.word(kids.next()?);
                let inside = kids.next()?;
                let kind = self.field(inside)?;
                ExprKind::Inner {
                    tunnel,
                    field: Box::new(self.expr_of(inside, kind)),
                }
            }
            Rule::f_meta | Rule::f_meta_bare => {
                let explicit = at.rule() == Rule::f_meta;
                let key = at.first().unwrap_or(at);
                ExprKind::Meta {
                    key: self.word(key),
                    explicit,
                }
            }
            Rule::f_ct => ExprKind::Ct {
                dir: at.kid(Rule::ct_dir).map(|kid| self.word(kid)),
                family: at.kid(Rule::family_l3).map(|kid| self.word(kid)),
                key: self.word(at.kid(Rule::field_word)?),
            },
            Rule::f_raw | Rule::f_tcp_option_raw => self.raw_field(at)?,
            Rule::f_tcp_option | Rule::f_ip_option | Rule::f_sctp_chunk => self.option_field(at),
            Rule::f_dccp_option => {
                ExprKind::DccpOption(self.number_in(at).map(|n| Integer::new(n.value.into()))?)
            }
            Rule::f_exthdr | Rule::f_rt | Rule::f_exthdr_present => self.exthdr_field(at)?,
            _ => self.other_field(at)?,
        })
    }

    fn raw_field(&mut self, at: At<'_>) -> Option<ExprKind> {
        let mut numbers = Vec::new();
        for kid in at.kids().filter(|kid| kid.rule() == Rule::num) {
            numbers.push(self.integer(kid));
        }
        match (at.kid(Rule::raw_base), numbers.as_slice()) {
            (Some(base), &[offset, len]) => Some(ExprKind::RawPayload {
                base: self.signed_word(base),
                offset,
                len,
            }),
            (None, &[kind, offset, len]) => Some(ExprKind::RawTcpOption {
                kind: Box::new(kind),
                offset,
                len,
            }),
            _ => None,
        }
    }

    fn option_field(&mut self, at: At<'_>) -> ExprKind {
        let (kind, field) = self.words(at);
        match at.rule() {
            Rule::f_tcp_option => ExprKind::TcpOption { kind, field },
            Rule::f_ip_option => ExprKind::IpOption { kind, field },
            _ => ExprKind::SctpChunk { kind, field },
        }
    }

    fn exthdr_field(&mut self, at: At<'_>) -> Option<ExprKind> {
        let field = self.word(at.kid(Rule::field_word)?);
        Some(match at.rule() {
            Rule::f_rt => ExprKind::Rt {
                family: at.kid(Rule::family_l3).map(|kid| self.word(kid)),
                key: field,
            },
            Rule::f_exthdr_present => ExprKind::ExthdrPresent(field),
            _ => {
                let header = self.word(at.first()?);
                let routing = matches!(
                    self.slice(field.span),
                    "classid" | "nexthop" | "mtu" | "ipsec"
                );
                if self.slice(header.span) == "rt" && routing {
                    return Some(ExprKind::Rt {
                        family: None,
                        key: field,
                    });
                }
                let index = self
                    .number_in(at)
                    .map(|number| Integer::new(number.value.into()));
                ExprKind::Exthdr {
                    header,
                    field,
                    index,
                }
            }
        })
    }

    fn other_field(&mut self, at: At<'_>) -> Option<ExprKind> {
        Some(match at.rule() {
            Rule::f_fib => ExprKind::Fib {
                flags: at
                    .kids()
                    .filter(|kid| kid.rule() == Rule::fib_flag)
                    .map(|kid| self.word(kid))
                    .collect(),
                result: self.word(at.kid(Rule::fib_result)?),
            },
            Rule::f_socket => ExprKind::Socket {
                key: self.word(at.first()?),
                level: self
                    .number_in(at)
                    .map(|number| Integer::new(number.value.into())),
            },
            Rule::f_osf => ExprKind::Osf {
                ttl: at.kid(Rule::osf_ttl).map(|kid| self.word(kid)),
                key: self.word(at.kid(Rule::field_word)?),
            },
            Rule::f_ipsec => ExprKind::Ipsec {
                dir: self.word(at.first()?),
                spnum: self.integer_of(at, Rule::spnum).map(Box::new),
                family: at.kid(Rule::family_l3).map(|kid| Box::new(self.word(kid))),
                key: self.word(at.kid(Rule::field_word)?),
            },
            Rule::f_tunnel => ExprKind::Tunnel {
                key: self.word(at.first()?),
            },
            Rule::f_numgen => ExprKind::Numgen {
                mode: self.word(at.first()?),
                modulus: self.integer_of(at, Rule::modulus)?,
                offset: self.integer_of(at, Rule::offset),
            },
            Rule::f_jhash => ExprKind::Jhash {
                key: Box::new((self.concat(at.first()?)?, self.integer_of(at, Rule::seed))),
                modulus: self.integer_of(at, Rule::modulus)?,
                offset: self.integer_of(at, Rule::offset),
            },
            Rule::f_symhash => ExprKind::Symhash {
                modulus: self.integer_of(at, Rule::modulus)?,
                offset: self.integer_of(at, Rule::offset),
            },
            _ => return None,
        })
    }

    /// The element whose parts are the children of `at`.
    pub(super) fn element(&mut self, at: At<'_>) -> Option<Element> {
        self.element_of(at.kids(), self.span(at))
    }

    pub(super) fn element_of<'n>(
        &mut self,
        kids: impl Iterator<Item = At<'n>>,
        span: Span,
    ) -> Option<Element> {
        let mut element: Option<Element> = None;
        for kid in kids {
            if kid.rule() == Rule::element_key {
                let key = self.element_key(kid.first()?)?;
                element = Some(Element {
                    span,
                    ..Element::plain(key)
                });
                continue;
            }
            let element = element.as_mut()?;
            match kid.rule() {
                Rule::element_timeout => element.timeout_ms = self.element_timeout(kid.first()?),
                Rule::element_expires => element.expires_ms = Some(self.time_ms(kid.first()?)),
                Rule::element_comment => element.comment = Some(self.string(kid.first()?)),
                Rule::element_data => element.data = Some(self.element_data(kid.first()?)?),
                _ => element.stmts.push(self.stmt(kid)?),
            }
        }
        element
    }

    /// 0 for `never`; nft passes over `timeout 0s`.
    fn element_timeout(&mut self, at: At<'_>) -> Option<u64> {
        if at.rule() == Rule::never {
            return Some(0);
        }
        Some(self.time_ms(at)).filter(|ms| *ms > 0)
    }

    fn element_key(&mut self, at: At<'_>) -> Option<Expr> {
        match at.rule() {
            Rule::catch_all => Some(self.expr_of(at, ExprKind::CatchAll)),
            Rule::set => self.map_ref(at),
            _ => self.concat(at),
        }
    }

    fn element_data(&mut self, at: At<'_>) -> Option<Expr> {
        match at.rule() {
            Rule::v_concat => self.concat(at),
            Rule::class => self.class(at),
            _ => {
                let verdict = self.verdict(at)?;
                Some(self.expr_of(at, ExprKind::Verdict(Box::new(verdict))))
            }
        }
    }

    /// A traffic class is one word to nft, though here it has several tokens.
    fn class(&mut self, at: At<'_>) -> Option<Expr> {
        let word = self.word(at);
        if self.slice(word.span).contains(char::is_whitespace) {
            let finding = Diagnostic::new(
                Code::SyntaxError,
                word.span,
                "a traffic class has no blanks around its colon",
            );
            self.findings.push(finding.help("such as `1:11`"));
            return None;
        }
        Some(self.expr_of(at, ExprKind::Symbol(word)))
    }

    pub(super) fn verdict(&mut self, at: At<'_>) -> Option<Verdict> {
        Some(match at.rule() {
            Rule::v_accept => Verdict::Accept,
            Rule::v_drop => Verdict::Drop,
            Rule::v_continue => Verdict::Continue,
            Rule::v_return => Verdict::Return,
            Rule::v_queue => Verdict::Queue,
            Rule::v_jump => Verdict::Jump(self.target(at.first()?)?),
            Rule::v_goto => Verdict::Goto(self.target(at.first()?)?),
            _ => return None,
        })
    }

    /// A single element of `{ ... }`, for statements whose braces hold one.
    pub(super) fn only_element(&mut self, at: At<'_>) -> Option<Element> {
        let set = self.take_set(at)?;
        let span = set.span;
        let count = set.len();
        let mut items = set.items.into_iter();
        let first = items.next();
        if count != 1 {
            let finding = Diagnostic::new(
                Code::SyntaxError,
                span,
                format!("expected one element, found {count}"),
            );
            self.findings.push(finding);
        }
        match first? {
            crate::ast::SetItem::Full(element) => Some(*element),
            crate::ast::SetItem::Plain { first, count } => {
                let start = first as usize;
                let tokens = set.tokens.get(start..start + count as usize)?;
                Some(Element::plain(crate::ast::set_lit::plain_key(
                    tokens,
                    span.source,
                    self.text,
                )))
            }
        }
    }
}
