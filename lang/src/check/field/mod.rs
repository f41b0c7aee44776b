//! Fields: what the left side of a match, the key of a map or the value of a statement loads.
//!
//! [`RuleCheck::field`] sorts by kind; each kind of field has a file.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

mod ct;
mod generator;
mod host;
mod ipsec;
mod option;
mod payload;
mod tunnel;
mod tunnel_key;

use crate::ast::{Expr, ExprKind};
use crate::check::Proto;
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::{Load, Value, ValueKind};
use redan_vm::field::Header;

/// A load and its type.
pub(in crate::check) type Loaded = (Load, Type);

impl RuleCheck<'_, '_> {
    /// Types a field; `None` (after an error) where it is none, `Some(None)` where the expression is no field at all.
    pub(in crate::check) fn field(&mut self, expr: &Expr) -> Option<Option<Value>> {
        let span = expr.span;
        let loaded = match &expr.kind {
            ExprKind::Payload { header, field, of } => self.payload(span, *header, *field, *of),
            ExprKind::RawPayload { base, offset, len } => {
                self.raw_payload(span, *base, *offset, *len)
            }
            ExprKind::Inner { tunnel, field } => self.inner_field(span, *tunnel, field),
            ExprKind::Meta { key, .. } => self.meta(*key),
            ExprKind::Ct { dir, family, key } => self.ct(span, *dir, *family, *key),
            ExprKind::Fib { flags, result } => self.fib(span, flags, *result),
            ExprKind::Rt { family, key } => self.rt(span, *family, *key),
            ExprKind::Socket { key, level } => self.socket(*key, *level),
            ExprKind::Osf { ttl, key } => self.osf(span, *ttl, *key),
            ExprKind::Ipsec {
                dir,
                spnum,
                family,
                key,
            } => self.ipsec(
                span,
                *dir,
                spnum.as_deref().copied(),
                family.as_deref().copied(),
                *key,
            ),
            ExprKind::Tunnel { key } => self.tunnel(span, *key),
            ExprKind::Numgen {
                mode,
                modulus,
                offset,
            } => self.numgen(span, *mode, *modulus, *offset),
            ExprKind::Symhash { modulus, offset } => self.symhash(span, *modulus, *offset),
            ExprKind::Exthdr {
                header,
                field,
                index,
            } => self.exthdr(span, *header, *field, *index),
            ExprKind::ExthdrPresent(header) => self.exthdr_present(span, *header),
            ExprKind::TcpOption { kind, field } => self.tcp_option(span, *kind, *field),
            ExprKind::RawTcpOption { kind, offset, len } => {
                self.raw_tcp_option(span, **kind, *offset, *len)
            }
            ExprKind::IpOption { kind, field } => self.ip_option(span, *kind, *field),
            ExprKind::SctpChunk { kind, field } => self.sctp_chunk(span, *kind, *field),
            ExprKind::DccpOption(kind) => self.dccp_option(span, *kind),
            _ => return Some(None),
        };
        let (load, ty) = loaded?;
        Some(Some(Value {
            span,
            ty,
            kind: ValueKind::Load(Box::new(load)),
        }))
    }

    /// Refuses what contradicts the network protocol that is known, without implying one.
    pub(in crate::check) fn check_network(&mut self, header: Header, span: Span) -> Option<()> {
        match self.protocols.network {
            Some(known) if known != Proto::Header(header) => {
                let message = format!(
                    "conflicting protocols specified: {} vs. {}",
                    known.name(),
                    header.word()
                );
                self.cx.error(Code::ConflictingProtocols, span, message)
            }
            _ => Some(()),
        }
    }
}
