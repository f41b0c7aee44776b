//! Address translation and transparent proxying.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use crate::ast::{self, Expr, ExprKind, NatKind, NatMode, Word};
use crate::check::rule::RuleCheck;
use crate::check::{Constant, Proto};
use crate::datatype::Type;
use crate::diag::Code;
use crate::sets::DataShape;
use crate::source::Span;
use crate::typed::{Nat, NatArg, NatLayout, NatStmt, StmtKind, Value};
use redan_vm::datatype::DataType;
use redan_vm::family::{ChainType, Family, Hook, nfproto};
use redan_vm::field::Header;
use redan_vm::instr::{self, nat_flags};

/// nfproto's number for both families.
const NFPROTO_INET: u8 = 1;

impl RuleCheck<'_, '_> {
    /// Types `snat`, `dnat`, `masquerade`, `redirect`.
    pub(super) fn nat(&mut self, span: Span, nat: &ast::Nat) -> Option<()> {
        self.check_nat_place(span, nat.kind)?;
        let (nfproto, addr, layout) = match &nat.addr {
            Some(addr) => {
                let family = self.nat_family(span, nat.family, Some(addr))?;
                let (arg, layout) = self.nat_addr(addr, family, nat.mode)?;
                (family, Some(arg), layout)
            }
            None => (self.port_family(nat.family), None, NatLayout::default()),
        };
        let mut flags = self.nat_flags(&nat.flags)?;
        if layout.with_port {
            self.need_transport(span)?;
        }
        let port = match &nat.port {
            None => None,
            Some(port) => {
                let arg = self.nat_port(port)?;
                self.need_transport(port.span)?;
                flags |= nat_flags::PROTO_SPECIFIED;
                Some(arg)
            }
        };
        if nat.mode == Some(NatMode::Prefix) {
            flags |= nat_flags::NETMAP;
        }
        let kind = match nat.kind {
            NatKind::Snat => NatStmt::Nat(instr::NatKind::Snat),
            NatKind::Dnat => NatStmt::Nat(instr::NatKind::Dnat),
            NatKind::Masquerade => NatStmt::Masquerade,
            NatKind::Redirect => NatStmt::Redirect,
        };
        if addr.is_none() && port.is_none() && matches!(kind, NatStmt::Nat(_)) {
            return self.cx.error(
                Code::MissingProtocol,
                span,
                "snat and dnat need an address or a port",
            );
        }
        self.terminal(span);
        self.push(
            span,
            StmtKind::Nat(Box::new(Nat {
                kind,
                nfproto,
                addr,
                port,
                layout,
                flags,
            })),
        );
        Some(())
    }

    fn check_nat_place(&mut self, span: Span, kind: NatKind) -> Option<()> {
        if !matches!(self.place.family, Family::Ip | Family::Ip6 | Family::Inet) {
            return self.cx.error(
                Code::WrongFamily,
                span,
                "NAT is for tables of family ip, ip6 and inet",
            );
        }
        let Some((chain_type, hook)) = self.place.base else {
            return Some(());
        };
        let (word, hooks): (&str, &[Hook]) = match kind {
            NatKind::Snat => ("snat", &[Hook::Postrouting, Hook::Input]),
            NatKind::Dnat => ("dnat", &[Hook::Prerouting, Hook::Output]),
            NatKind::Masquerade => ("masquerade", &[Hook::Postrouting]),
            NatKind::Redirect => ("redirect", &[Hook::Prerouting, Hook::Output]),
        };
        if chain_type != ChainType::Nat {
            return self.cx.error_help(
                Code::WrongChainType,
                span,
                format!("{word} cannot stand in a chain of type {chain_type}"),
                "only chains of type nat see the first packet of each connection",
            );
        }
        if !hooks.contains(&hook) {
            let names = hooks
                .iter()
                .map(|hook| hook.word())
                .collect::<Vec<_>>()
                .join(" or ");
            return self.cx.error_help(
                Code::WrongHook,
                span,
                format!("{word} cannot run at hook {hook}"),
                format!("use a chain at {names}"),
            );
        }
        Some(())
    }

    /// The family of addresses: written, the table's, or what the rule matches.
    fn nat_family(&mut self, span: Span, written: Option<Word>, addr: Option<&Expr>) -> Option<u8> {
        let family = match written.map(|word| self.cx.text(word)) {
            Some("ip") => nfproto::IPV4,
            Some("ip6") => nfproto::IPV6,
            Some(other) => {
                return self
                    .cx
                    .unknown(Code::UnknownKeyword, span, "family", other, ["ip", "ip6"]);
            }
            None => {
                if let Some(known) = self.protocols.nfproto() {
                    known
                } else {
                    let word = match addr.map(|addr| &addr.kind) {
                        Some(ExprKind::Ipv6(_)) => "ip6",
                        _ => "ip",
                    };
                    let help = format!("write `{word} to`, or match `ip` or `ip6` before");
                    return self.cx.error_help(
                        Code::MissingProtocol,
                        span,
                        "the family of the address is not known here",
                        help,
                    );
                }
            }
        };
        let header = if family == nfproto::IPV4 {
            Header::Ip
        } else {
            Header::Ip6
        };
        self.check_network(header, span)?;
        Some(family)
    }

    /// The family where only ports are given.
    fn port_family(&mut self, written: Option<Word>) -> u8 {
        match written.map(|word| self.cx.text(word)) {
            Some("ip") => nfproto::IPV4,
            Some("ip6") => nfproto::IPV6,
            _ if self.place.family == Family::Inet => NFPROTO_INET,
            _ => self.protocols.nfproto().unwrap_or(NFPROTO_INET),
        }
    }

    /// Ports mean something only in a protocol that has them.
    pub(super) fn need_transport(&mut self, span: Span) -> Option<()> {
        let known = self
            .protocols
            .transport
            .iter()
            .any(|proto| *proto != Proto::Unknown);
        if known || self.protocols.transport_in_set {
            return Some(());
        }
        self.cx.error_help(
            Code::MissingProtocol,
            span,
            "transport protocol mapping is only valid after transport protocol match",
            "match `tcp dport`, `udp dport` or `meta l4proto { tcp, udp }` before",
        )
    }

    fn nat_addr(
        &mut self,
        addr: &Expr,
        family: u8,
        mode: Option<NatMode>,
    ) -> Option<(NatArg, NatLayout)> {
        let want = Type::of(if family == nfproto::IPV4 {
            DataType::Ipv4Addr
        } else {
            DataType::Ipv6Addr
        });
        let (resolved, scope) = self.cx.resolve(addr)?;
        self.scoped(scope, |check| match &resolved.kind {
            ExprKind::Map(sides) => check.nat_map(resolved.span, &sides.0, &sides.1, want, mode),
            _ => check
                .nat_arg(resolved, want)
                .map(|arg| (arg, NatLayout::default())),
        })
    }

    /// A map that gives addresses, with ports or ranges where its data say so.
    fn nat_map(
        &mut self,
        span: Span,
        key: &Expr,
        map: &Expr,
        want: Type,
        mode: Option<NatMode>,
    ) -> Option<(NatArg, NatLayout)> {
        let layout = self.nat_layout(map, mode)?;
        let mut types = vec![want];
        if layout.with_port {
            types.push(Type::of(DataType::InetService));
        }
        let data = DataShape::Values {
            types: types.clone(),
            interval: layout.interval,
        };
        let value = self.map_of(span, key, map, &data, want)?;
        Some((NatArg::One(value), layout))
    }

    fn nat_layout(&mut self, map: &Expr, mode: Option<NatMode>) -> Option<NatLayout> {
        let asked = NatLayout {
            with_port: mode == Some(NatMode::AddrPort),
            interval: matches!(mode, Some(NatMode::Interval | NatMode::Prefix)),
        };
        let (map, _) = self.cx.resolve(map)?;
        Some(match &map.kind {
            ExprKind::SetRef(word) => {
                let set = self.cx.find_set(self.place.table, *word)?;
                match self.cx.set_info(set) {
                    Some(info) => NatLayout {
                        with_port: info.data.len() > 1,
                        interval: info.data_interval,
                    },
                    None => asked,
                }
            }
            ExprKind::Set(lit) => {
                let concat = lit.items.iter().any(|item| match item {
                    ast::SetItem::Full(element) => element
                        .data
                        .as_ref()
                        .is_some_and(|data| matches!(data.kind, ExprKind::Concat(_))),
                    ast::SetItem::Plain { .. } => false,
                });
                NatLayout {
                    with_port: asked.with_port || concat,
                    interval: asked.interval || self.cx.has_ranges(lit, true),
                }
            }
            _ => asked,
        })
    }

    fn nat_port(&mut self, port: &Expr) -> Option<NatArg> {
        self.nat_arg(port, Type::of(DataType::InetService))
    }

    /// One value or a range of a type.
    fn nat_arg(&mut self, expr: &Expr, want: Type) -> Option<NatArg> {
        if self.is_field(expr) {
            let value = self.value(expr, want)?;
            self.check_stored(&value, want)?;
            return Some(NatArg::One(value));
        }
        let span = expr.span;
        let constant = self.cx.constant(expr, want)?;
        Some(match constant {
            Constant::Value(value) => NatArg::One(Value::constant(span, want, value)),
            Constant::Prefix { value, len } if len == want.bits => {
                NatArg::One(Value::constant(span, want, value))
            }
            Constant::Range(..) | Constant::Prefix { .. } => {
                let (low, high) = constant.bounds(want);
                NatArg::Range(
                    Value::constant(span, want, low),
                    Value::constant(span, want, high),
                )
            }
        })
    }

    fn nat_flags(&mut self, words: &[Word]) -> Option<u32> {
        let mut flags = 0;
        for word in words {
            flags |= match self.cx.text(*word) {
                "random" => nat_flags::RANDOM,
                "fully-random" => nat_flags::FULLY_RANDOM,
                "persistent" => nat_flags::PERSISTENT,
                other => {
                    return self.cx.unknown(
                        Code::BadFlag,
                        word.span,
                        "NAT flag",
                        other,
                        ["random", "fully-random", "persistent"],
                    );
                }
            };
        }
        Some(flags)
    }

    /// Types `tproxy`.
    pub(super) fn tproxy(
        &mut self,
        span: Span,
        family: Option<Word>,
        addr: Option<&Expr>,
        port: Option<&Expr>,
    ) -> Option<()> {
        if !matches!(self.place.family, Family::Ip | Family::Ip6 | Family::Inet) {
            return self.cx.error(
                Code::WrongFamily,
                span,
                "tproxy is for tables of family ip, ip6 and inet",
            );
        }
        self.need_transport(span)?;
        if addr.is_none() && port.is_none() {
            return self.cx.error(
                Code::MissingProtocol,
                span,
                "either address or port must be specified",
            );
        }
        let mut nfproto = match family.map(|word| self.cx.text(word)) {
            Some("ip") => nfproto::IPV4,
            Some("ip6") => nfproto::IPV6,
            _ if self.place.family == Family::Inet && self.protocols.network.is_some() => {
                return self.cx.error_help(
                    Code::ConflictingProtocols,
                    span,
                    "this rule matches one network protocol, tproxy would take both",
                    "write `tproxy ip to` or `tproxy ip6 to`",
                );
            }
            _ => match self.place.family {
                Family::Ip => nfproto::IPV4,
                Family::Ip6 => nfproto::IPV6,
                Family::Inet | Family::Arp | Family::Bridge | Family::Netdev => 0,
            },
        };
        let addr = match addr {
            None => None,
            Some(addr) => {
                nfproto = self.nat_family(span, family, Some(addr))?;
                let want = Type::of(if nfproto == nfproto::IPV4 {
                    DataType::Ipv4Addr
                } else {
                    DataType::Ipv6Addr
                });
                Some(Box::new(self.value(addr, want)?))
            }
        };
        if family.is_some() && addr.is_none() {
            let header = if nfproto == nfproto::IPV4 {
                Header::Ip
            } else {
                Header::Ip6
            };
            self.check_network(header, span)?;
        }
        let port = match port {
            None => None,
            Some(port) => Some(Box::new(self.value(port, Type::of(DataType::InetService))?)),
        };
        self.push(
            span,
            StmtKind::Tproxy {
                nfproto,
                addr,
                port,
            },
        );
        Some(())
    }
}
