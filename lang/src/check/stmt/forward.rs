//! Statements that choose the way of a packet, or of its copy: `dup`, `fwd`, `flow add`.

use crate::ast::{Expr, Word};
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::StmtKind;
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, Hook, nfproto};

impl RuleCheck<'_, '_> {
    pub(super) fn dup(&mut self, span: Span, to: &Expr, device: Option<&Expr>) -> Option<()> {
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

    pub(super) fn fwd(
        &mut self,
        span: Span,
        family: Option<Word>,
        to: &Expr,
        device: Option<&Expr>,
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

    pub(super) fn flow(&mut self, span: Span, flowtable: Word) -> Option<()> {
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
            .map(|names| names.flowtables.keys().cloned().collect())
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
}
