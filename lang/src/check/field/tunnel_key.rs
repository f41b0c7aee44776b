//! What a tunnel device says of a packet.

use super::Loaded;
use crate::ast::Word;
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::Load;
use redan_vm::datatype::DataType;
use redan_vm::family::Family;
use redan_vm::instr::TunnelKey;
use redan_vm::meta::ByteOrder;

impl RuleCheck<'_, '_> {
    /// Types `tunnel id`. Linux knows it in tables of netdev only (`nft_tunnel.c: nft_tunnel_type`).
    pub(super) fn tunnel(&mut self, span: Span, key: Word) -> Option<Loaded> {
        if self.place.family != Family::Netdev {
            return self.cx.error(
                Code::WrongFamily,
                span,
                "tunnel expression is only valid in tables of family netdev",
            );
        }
        let (key, ty) = match self.cx.text(key) {
            "path" => (TunnelKey::Path, Type::of(DataType::Boolean)),
            "id" => (
                TunnelKey::Id,
                Type::new(DataType::Integer, 32, ByteOrder::Host),
            ),
            other => {
                return self.cx.unknown(
                    Code::UnknownField,
                    key.span,
                    "tunnel key",
                    other,
                    ["id", "path"],
                );
            }
        };
        Some((Load::Tunnel(key), ty))
    }
}
