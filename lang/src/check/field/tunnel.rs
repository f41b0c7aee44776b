//! Fields of tunnel headers, and of the packets inside tunnels.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::Loaded;
use crate::ast::{Expr, ExprKind, Word};
use crate::check::Protocols;
use crate::check::rule::{InnerPacket, RuleCheck, payload};
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::{Load, ValueKind};
use redan_vm::family::Family;
use redan_vm::field::{self, Header};
use redan_vm::instr::Base;
use redan_vm::meta::ByteOrder;

impl RuleCheck<'_, '_> {
    /// A field of the tunnel header itself: `vxlan vni`.
    pub(super) fn tunnel_field(
        &mut self,
        span: Span,
        row: &'static field::Field,
    ) -> Option<Loaded> {
        let header = row.header;
        let Some(tunnel) = header.info().tunnel else {
            return self.cx.error(
                Code::UnknownField,
                span,
                format!("{} is no tunnel", header.word()),
            );
        };
        self.require_tunnel(header, span)?;
        let ty = Type::new(row.datatype, u32::from(row.bit_width), ByteOrder::Network);
        Some((
            Load::Inner {
                tunnel,
                load: Box::new(payload(row, 0)),
            },
            ty,
        ))
    }

    /// UDP tunnels need a match on UDP in front of them; GRE is matched by its protocol number.
    fn require_tunnel(&mut self, header: Header, span: Span) -> Option<()> {
        let udp = header.info().base == Base::Tunnel;
        if udp && self.protocols.transport.is_empty() {
            return self.cx.error_help(
                Code::MissingProtocol,
                span,
                format!(
                    "{} needs a match on its UDP port in front of it",
                    header.word()
                ),
                format!("for example `udp dport 4789 {} ...`", header.word()),
            );
        }
        self.require(header, span)
    }

    pub(super) fn inner_field(&mut self, span: Span, tunnel: Word, field: &Expr) -> Option<Loaded> {
        let header = self.header(tunnel)?;
        let Some(info) = header.info().tunnel else {
            return self.cx.error(
                Code::UnknownField,
                tunnel.span,
                format!("{} is no tunnel", header.word()),
            );
        };
        self.require_tunnel(header, span)?;
        let at = if let Some(at) = self.inner.iter().position(|inner| inner.header == header) {
            at
        } else {
            let family = if header == Header::Gre {
                Family::Netdev
            } else {
                Family::Bridge
            };
            self.inner.push(InnerPacket {
                header,
                tunnel: info,
                protocols: Protocols::new(family),
            });
            self.inner.len() - 1
        };
        if header == Header::Gre
            && matches!(&field.kind, ExprKind::Payload { header, .. } if matches!(self.cx.text(*header), "ether" | "vlan"))
        {
            return self.cx.error(
                Code::WrongFamily,
                field.span,
                "gre carries no Ethernet header; gretap does",
            );
        }
        let before = self.in_tunnel.replace(at);
        let found = self.field(field);
        self.in_tunnel = before;
        match found??.kind {
            ValueKind::Load(load) => Some((*load, self.type_of_field(field)?)),
            _ => self.cx.error(
                Code::UnknownField,
                span,
                "only header fields can be read inside a tunnel",
            ),
        }
    }

    /// The type of a payload field that was found before.
    fn type_of_field(&mut self, field: &Expr) -> Option<Type> {
        let ExprKind::Payload {
            header,
            field: name,
            ..
        } = &field.kind
        else {
            return self.cx.error(
                Code::UnknownField,
                field.span,
                "only header fields can be read inside a tunnel",
            );
        };
        let header = self.header(*header)?;
        let name = self.cx.text(*name);
        let row = field::find(header, if name == "cfi" { "dei" } else { name })?;
        Some(Type::new(
            row.datatype,
            u32::from(row.bit_width),
            ByteOrder::Network,
        ))
    }
}
