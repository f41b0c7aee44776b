//! Rules from typed statements.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::model::{Element, Expr, Nat, Stmt};
use super::value::{self, Known};
use super::{depend, set};
use crate::compile::Compiled;
use crate::datatype::{Base, Type};
use crate::peephole;
use crate::typed::{self, Match, NatArg, NatStmt, Operand, Relation, StmtKind, Value, ValueKind};
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, nfproto};
use redan_vm::ids::{ChainId, SetId, StateId};
use redan_vm::instr::{NatKind, ObjectKind, Reject, Verdict, nat_flags};
use redan_vm::ruleset::{StateSpec, set_flags};
use std::borrow::Cow;

/// Lists one rule's statements.
pub(super) struct Lister<'a> {
    pub(super) compiled: &'a Compiled,
    pub(super) family: Family,
    pub(super) known: Known,
}

/// Everything of a rule that nft shows.
pub(super) fn rule(compiled: &Compiled, family: Family, rule: &typed::Rule) -> Vec<Stmt> {
    let stmts: Vec<&typed::Stmt> = peephole::order(&rule.stmts, family)
        .into_iter()
        .filter_map(|at| rule.stmts.get(at))
        .collect();
    let shown = depend::shown(family, &stmts);
    let mut lister = Lister {
        compiled,
        family,
        known: Known::default(),
    };
    lister.known.network = match family {
        Family::Ip => Some(redan_vm::field::Header::Ip),
        Family::Ip6 => Some(redan_vm::field::Header::Ip6),
        Family::Arp => Some(redan_vm::field::Header::Arp),
        Family::Inet | Family::Bridge | Family::Netdev => None,
    };
    lister.known.link = (family == Family::Bridge).then_some(redan_vm::field::Header::Ether);
    lister.known.fixed = matches!(family, Family::Ip | Family::Ip6);
    let mut out = Vec::new();
    for (stmt, shown) in stmts.into_iter().zip(shown) {
        if shown {
            out.push(lister.stmt(&stmt.kind));
        }
        depend::learn(&mut lister.known, &stmt.kind);
    }
    out
}

/// A verdict in words.
pub(super) fn verdict(compiled: &Compiled, verdict: Verdict) -> (&'static str, Option<String>) {
    let chain = |id: ChainId| {
        let chain = compiled.ruleset.chains.get(id.index());
        chain.map(|chain| chain.name.clone())
    };
    match verdict {
        Verdict::Accept => ("accept", None),
        Verdict::Drop => ("drop", None),
        Verdict::Continue => ("continue", None),
        Verdict::Return => ("return", None),
        Verdict::Jump(id) => ("jump", chain(id)),
        Verdict::Goto(id) => ("goto", chain(id)),
    }
}

/// The name of a stateful object.
pub(super) fn object_name(compiled: &Compiled, state: StateId) -> String {
    let objects = &compiled.ruleset.objects;
    let found = objects.iter().find(|object| object.state == state);
    found.map_or_else(String::new, |object| object.name.clone())
}

/// A flip of all bits moves to the other side.
fn flipped(found: &Match) -> Option<(&Value, u128)> {
    let ValueKind::Bits { from, mask, xor } = &found.left.kind else {
        return None;
    };
    let Operand::Value(value) = found.right else {
        return None;
    };
    let equal = matches!(found.relation, Relation::Eq | Relation::Ne);
    (equal && *mask == from.ty.max()).then_some((from, value ^ xor))
}

impl Lister<'_> {
    fn value(&self, found: &Value) -> Expr {
        let compiled = self.compiled;
        value::value(compiled, &self.known, found, &mut |set, key| {
            self.set_of(set, key)
        })
    }

    /// A set by its name, or in full where it has none.
    fn set_of(&self, id: SetId, key: &Value) -> Expr {
        let Some(found) = self.compiled.ruleset.sets.get(id.index()) else {
            return Expr::Set(Vec::new());
        };
        if found.flags & set_flags::ANONYMOUS == 0 {
            return Expr::SetRef(found.name.clone());
        }
        Expr::Set(set::elements(self.compiled, id, Some(key)))
    }

    #[expect(clippy::too_many_lines, reason = "one arm a kind of statement")]
    fn stmt(&self, kind: &StmtKind) -> Stmt {
        match kind {
            StmtKind::Match(found) => self.matching(found),
            StmtKind::Verdict(found) => {
                let (word, chain) = verdict(self.compiled, *found);
                match (self.block(*found), chain) {
                    (Some(rules), Some(chain)) => Stmt::Block(word, chain, rules),
                    (_, chain) => Stmt::Verdict(word, chain),
                }
            }
            StmtKind::Vmap { key, set } => Stmt::Vmap(self.value(key), self.set_of(*set, key)),
            StmtKind::Stateful { spec, .. } => Stmt::State(spec.clone()),
            StmtKind::Objref { kind, state } => {
                Stmt::Objref(*kind, Expr::Quoted(object_name(self.compiled, *state)))
            }
            StmtKind::ObjrefMap { key, set } => {
                let sides = (self.value(key), self.set_of(*set, key));
                let kind = match self
                    .compiled
                    .ruleset
                    .sets
                    .get(set.index())
                    .map(|set| set.data)
                {
                    Some(redan_vm::ruleset::SetData::Object(kind)) => kind,
                    _ => ObjectKind::Counter,
                };
                Stmt::Objref(kind, Expr::Map(Box::new(sides)))
            }
            StmtKind::Log(log) => Stmt::Log(log.as_ref().clone()),
            StmtKind::Reject(found) => self.reject(*found),
            StmtKind::Nat(nat) => Stmt::Nat(self.nat(nat)),
            StmtKind::Tproxy {
                nfproto,
                addr,
                port,
            } => {
                let family = self.family_word(*nfproto);
                let addr = addr.as_ref().map(|addr| self.value(addr));
                let port = port.as_ref().map(|port| self.value(port));
                Stmt::Tproxy(family, addr, port)
            }
            StmtKind::Notrack => Stmt::Notrack,
            StmtKind::Set { target, value } => self.set(target, value),
            StmtKind::ResetTcpOption(kind) => {
                let load = typed::Load::Exthdr {
                    op: redan_vm::instr::ExthdrOp::Tcpopt,
                    kind: *kind,
                    bit_offset: 0,
                    bits: 8,
                    present: true,
                };
                Stmt::Reset(Expr::Field(value::field(&self.known, &load)))
            }
            StmtKind::Dynset(dynset) => self.dynset(dynset),
            StmtKind::Flow(name) => Stmt::Flow(name.clone()),
            StmtKind::Queue {
                num,
                value,
                bypass,
                fanout,
            } => self.queue(*num, value.as_deref(), *bypass, *fanout),
            StmtKind::Dup { addr, device } => Stmt::Dup(
                addr.as_ref().map(|addr| self.value(addr)),
                device.as_ref().map(|device| self.value(device)),
            ),
            StmtKind::Fwd {
                device,
                addr,
                nfproto,
            } => Stmt::Fwd(
                self.value(device),
                addr.as_ref().map(|addr| {
                    let family = if *nfproto == nfproto::IPV6 {
                        "ip6"
                    } else {
                        "ip"
                    };
                    (family, self.value(addr))
                }),
            ),
            StmtKind::Synproxy { mss, wscale, flags } => Stmt::State(StateSpec::Synproxy {
                mss: *mss,
                wscale: *wscale,
                flags: *flags,
            }),
        }
    }

    /// The rules of a chain that was written in place.
    fn block(&self, verdict: Verdict) -> Option<Vec<super::model::Rule>> {
        let (Verdict::Jump(id) | Verdict::Goto(id)) = verdict else {
            return None;
        };
        let chain = self.compiled.ruleset.chains.get(id.index())?;
        let live = self.compiled.program.notes.live.get(&chain.table)?;
        if live.chains.contains(&id) {
            return None;
        }
        super::chain(self.compiled, self.family, id).map(|chain| chain.rules)
    }

    fn matching(&self, found: &Match) -> Stmt {
        let compiled = self.compiled;
        let resolved = value::with_row(&self.known, &found.left);
        let ty = resolved.ty;
        let style = value::style(&resolved);
        let plain = !matches!(
            found.left.kind,
            ValueKind::Bits { .. } | ValueKind::Shift { .. } | ValueKind::BitsOf { .. }
        );
        let sign = match found.relation {
            Relation::Eq if plain => "=",
            Relation::Eq => "==",
            Relation::Ne => "!=",
            Relation::Lt => "<",
            Relation::Le => "<=",
            Relation::Gt => ">",
            Relation::Ge => ">=",
        };
        if let Some(stmt) = self.bits_match(found, sign) {
            return stmt;
        }
        if let Some((from, value)) = flipped(found) {
            let right = value::constant(compiled, ty, style, value);
            let sign = if sign == "==" { "=" } else { sign };
            return Stmt::Match(sign, self.value(from), right);
        }
        if let (Some((whole, shift)), Operand::Value(value)) =
            (value::whole_bytes(&resolved), &found.right)
        {
            let bits = |value: u128| value::constant(compiled, whole.ty, style, value << shift);
            let sides = (self.value(&whole), bits(ty.max()));
            let sign = if sign == "=" { "==" } else { sign };
            return Stmt::Match(sign, Expr::Binary("&", Box::new(sides)), bits(*value));
        }
        let left = self.value(&found.left);
        let right = match &found.right {
            // without a sign it would ask for any of the bits
            Operand::Value(value) if ty.base() == Base::Bitmask => {
                let sign = if sign == "=" { "==" } else { sign };
                let right = value::or_list(value::constant(compiled, ty, style, *value));
                return Stmt::Match(sign, left, right);
            }
            Operand::Value(value) => value::constant(compiled, ty, style, *value),
            Operand::Range(low, high) => value::ends(compiled, ty, style, *low, *high),
            Operand::Prefix { value, len } if *len >= ty.bits => {
                value::constant(compiled, ty, style, *value)
            }
            Operand::Prefix { value, len } => match (ty.datatype, ty.base()) {
                (DataType::Ipv4Addr | DataType::Ipv6Addr, _) | (_, Base::String) => {
                    value::prefix(compiled, ty, style, *value, *len)
                }
                _ => {
                    let keep = ty.max() ^ crate::datatype::mask(ty.bits.saturating_sub(*len));
                    let keep = value::constant(compiled, ty, style, keep);
                    let left = Expr::Binary("&", Box::new((left, value::or_list(keep))));
                    let sign = if sign == "=" { "==" } else { sign };
                    return Stmt::Match(sign, left, value::constant(compiled, ty, style, *value));
                }
            },
            Operand::Flags(value) => {
                let sign = if found.relation == Relation::Ne {
                    "!"
                } else {
                    ""
                };
                return Stmt::Match(sign, left, value::constant(compiled, ty, style, *value));
            }
            Operand::Set(set) => self.set_of(*set, &resolved),
        };
        Stmt::Match(sign, left, right)
    }

    /// `flags & mask == value` in the shapes that nft gives it.
    fn bits_match(&self, found: &Match, sign: &'static str) -> Option<Stmt> {
        let ValueKind::Bits { from, mask, xor: 0 } = &found.left.kind else {
            return None;
        };
        let Operand::Value(wanted) = found.right else {
            return None;
        };
        if !matches!(found.relation, Relation::Eq | Relation::Ne) {
            return None;
        }
        let compiled = self.compiled;
        let ty: Type = from.ty;
        let style = value::style(from);
        let left = self.value(from);
        // an address under a mask of leading bits is one of a network
        let host = (mask ^ ty.max()).trailing_ones();
        let is_prefix = *mask != 0 && mask ^ ty.max() == crate::datatype::mask(host);
        if value::has_prefixes(ty.datatype) && is_prefix && wanted & !mask == 0 {
            let sign = if sign == "==" { "=" } else { sign };
            let right = value::prefix(compiled, ty, style, wanted, ty.bits - host);
            return Some(Stmt::Match(sign, left, right));
        }
        if ty.base() != Base::Bitmask {
            return None;
        }
        let mask_expr = value::constant(compiled, ty, style, *mask);
        if wanted == 0 {
            let sign = if found.relation == Relation::Ne {
                ""
            } else {
                "!"
            };
            return Some(Stmt::Match(sign, left, mask_expr));
        }
        if mask.count_ones() <= 1 {
            return None;
        }
        let wanted = value::constant(compiled, ty, style, wanted);
        Some(Stmt::FlagMatch(sign, left, wanted, mask_expr))
    }

    fn reject(&self, found: Reject) -> Stmt {
        let code = |datatype: DataType, code: u8| {
            let ty = Type::of(datatype);
            let style = value::Style::Plain;
            value::constant(self.compiled, ty, style, u128::from(code))
        };
        let v6 = match self.family {
            Family::Ip6 => true,
            Family::Ip | Family::Arp => false,
            Family::Inet | Family::Bridge | Family::Netdev => {
                self.known.network == Some(redan_vm::field::Header::Ip6)
            }
        };
        let by_default = match found {
            Reject::TcpReset => false,
            Reject::Icmpx(number) => number == 1,
            Reject::Icmp(number) => {
                matches!((self.family, number), (Family::Ip6, 4) | (Family::Ip, 3))
            }
        };
        let (word, code) = match found {
            Reject::TcpReset => ("tcp reset", None),
            Reject::Icmpx(number) => ("icmpx", Some(code(DataType::IcmpxCode, number))),
            Reject::Icmp(number) if v6 => ("icmpv6", Some(code(DataType::Icmpv6Code, number))),
            Reject::Icmp(number) => ("icmp", Some(code(DataType::IcmpCode, number))),
        };
        Stmt::Reject(word, code, by_default)
    }

    fn family_word(&self, number: u8) -> Option<&'static str> {
        if self.family != Family::Inet {
            return None;
        }
        match number {
            nfproto::IPV4 => Some("ip"),
            nfproto::IPV6 => Some("ip6"),
            _ => None,
        }
    }

    /// nft names the family where the table does not, and where a map gives more than addresses.
    fn nat_family(&self, nat: &typed::Nat) -> Option<&'static str> {
        if nat.layout.with_port || nat.layout.interval {
            return Some(if nat.nfproto == nfproto::IPV6 {
                "ip6"
            } else {
                "ip"
            });
        }
        self.family_word(nat.nfproto).filter(|_| nat.addr.is_some())
    }

    fn nat(&self, nat: &typed::Nat) -> Nat {
        const FLAGS: &[(u32, &str)] = &[
            (nat_flags::RANDOM, "random"),
            (nat_flags::FULLY_RANDOM, "fully-random"),
            (nat_flags::PERSISTENT, "persistent"),
        ];
        let word = match nat.kind {
            NatStmt::Nat(NatKind::Snat) => "snat",
            NatStmt::Nat(NatKind::Dnat) => "dnat",
            NatStmt::Masquerade => "masquerade",
            NatStmt::Redirect => "redirect",
        };
        // an IPv6 prefix would run into the port behind it
        let as_prefix = |low: &Value| low.ty.datatype != DataType::Ipv6Addr || nat.port.is_none();
        let arg = |arg: &NatArg| match arg {
            NatArg::One(one) => self.value(one),
            NatArg::Range(low, high) => match (&low.kind, &high.kind) {
                (ValueKind::Const(first), ValueKind::Const(last)) if as_prefix(low) => {
                    let compiled = self.compiled;
                    value::range(compiled, low.ty, value::Style::Plain, *first, *last)
                }
                _ => Expr::Range(Box::new((self.value(low), self.value(high)))),
            },
        };
        let mode = if nat.flags & nat_flags::NETMAP != 0 {
            Some("prefix")
        } else if nat.layout.with_port {
            Some("addr . port")
        } else if nat.layout.interval {
            Some("interval")
        } else {
            None
        };
        Nat {
            word,
            family: self.nat_family(nat),
            addr: nat.addr.as_ref().map(arg),
            port: nat.port.as_ref().map(arg),
            mode,
            flags: FLAGS
                .iter()
                .filter(|(bit, _)| nat.flags & bit != 0)
                .map(|(_, word)| *word)
                .collect(),
        }
    }

    fn set(&self, target: &typed::Load, value: &Value) -> Stmt {
        let field = Expr::Field(value::field(&self.known, target));
        let is_number = matches!(
            target,
            typed::Load::Meta(redan_vm::meta::MetaKey::Nftrace | redan_vm::meta::MetaKey::Broute)
        );
        let written = Value {
            span: value.span,
            ty: Type::of(DataType::Integer),
            kind: ValueKind::Load(Box::new(target.clone())),
        };
        let value = match (&value.kind, value::with_row(&self.known, &written)) {
            (ValueKind::Const(number), Cow::Owned(resolved)) => {
                let style = value::style(&resolved);
                value::constant(self.compiled, resolved.ty, style, *number)
            }
            _ => self.value(value),
        };
        let value = match value {
            Expr::Present(on) if is_number => {
                Expr::Number(u128::from(on), u8::from(on).to_string())
            }
            other => other,
        };
        Stmt::Set(field, value)
    }

    fn dynset(&self, dynset: &typed::Dynset) -> Stmt {
        let set = self.compiled.ruleset.sets.get(dynset.set.index());
        let name = set.map_or_else(String::new, |set| set.name.clone());
        let element = Element {
            key: self.value(&dynset.key),
            // what the set itself says the kernel does not give back here
            stmts: match set {
                Some(set) if !set.exprs.is_empty() => Vec::new(),
                _ => dynset.exprs.iter().cloned().map(Stmt::State).collect(),
            },
            timeout_ms: dynset.timeout_ms,
            comment: None,
            data: dynset.data.as_ref().map(|data| self.value(data)),
        };
        if !self.compiled.program.notes.sets.contains_key(&dynset.set) {
            return Stmt::Meter(name, set.and_then(|set| set.size), Box::new(element));
        }
        Stmt::Dynset(dynset.op, name, Box::new(element))
    }

    fn queue(&self, num: (u16, u16), value: Option<&Value>, bypass: bool, fanout: bool) -> Stmt {
        let number = |number: u16| Expr::Number(u128::from(number), number.to_string());
        let target = match value {
            Some(value) => self.value(value),
            None if num.0 == num.1 => number(num.0),
            None => Expr::Range(Box::new((number(num.0), number(num.1)))),
        };
        let flags = [(bypass, "bypass"), (fanout, "fanout")];
        let flags = flags.iter().filter(|(on, _)| *on).map(|(_, word)| *word);
        Stmt::Queue(Some(target), flags.collect())
    }
}
