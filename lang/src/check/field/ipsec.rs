//! IPsec transformations that a packet came through or is to go through.

use super::Loaded;
use crate::ast::{Integer, Word};
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::Load;
use redan_vm::datatype::DataType;
use redan_vm::family::Family;
use redan_vm::instr::XfrmKey;
use redan_vm::meta::ByteOrder;

impl RuleCheck<'_, '_> {
    pub(super) fn ipsec(
        &mut self,
        span: Span,
        dir: Word,
        spnum: Option<Integer>,
        family: Option<Word>,
        key: Word,
    ) -> Option<Loaded> {
        if !matches!(self.place.family, Family::Ip | Family::Ip6 | Family::Inet) {
            return self.cx.error(
                Code::WrongFamily,
                span,
                "ipsec expression is only valid in tables of family ip, ip6 and inet",
            );
        }
        let outbound = match self.cx.text(dir) {
            "in" => false,
            "out" => true,
            other => {
                return self.cx.unknown(
                    Code::UnknownKeyword,
                    dir.span,
                    "ipsec direction",
                    other,
                    ["in", "out"],
                );
            }
        };
        let Ok(spnum) = u8::try_from(spnum.map_or(0, Integer::value)) else {
            return self.cx.error(
                Code::ValueOutOfRange,
                span,
                "spnum exceeds valid range 0-255",
            );
        };
        let host = Type::new(DataType::Integer, 32, ByteOrder::Host);
        let (v4, v6) = (Type::of(DataType::Ipv4Addr), Type::of(DataType::Ipv6Addr));
        let (key, ty) = match (self.cx.text(key), family.map(|word| self.cx.text(word))) {
            ("reqid", None) => (XfrmKey::Reqid, host),
            ("spi", None) => (
                XfrmKey::Spi,
                Type::new(DataType::Integer, 32, ByteOrder::Network),
            ),
            ("saddr", Some("ip")) => (XfrmKey::Saddr4, v4),
            ("daddr", Some("ip")) => (XfrmKey::Daddr4, v4),
            ("saddr", Some("ip6")) => (XfrmKey::Saddr6, v6),
            ("daddr", Some("ip6")) => (XfrmKey::Daddr6, v6),
            (other, _) => {
                return self.cx.unknown(
                    Code::UnknownField,
                    key.span,
                    "ipsec key",
                    other,
                    [
                        "reqid",
                        "spi",
                        "ip saddr",
                        "ip daddr",
                        "ip6 saddr",
                        "ip6 daddr",
                    ],
                );
            }
        };
        Some((
            Load::Xfrm {
                outbound,
                spnum,
                key,
            },
            ty,
        ))
    }
}
