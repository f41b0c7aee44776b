//! What the host knows of a packet beside its bytes: metadata, routes, its socket, the operating system that sent it.

use super::Loaded;
use crate::ast::{Integer, Word};
use crate::check::rule::{RuleCheck, meta_type};
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::Load;
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, Hook, nfproto};
use redan_vm::field::Header;
use redan_vm::instr::{FibResult, RtKey, SocketKey, fib_flags};
use redan_vm::meta::{ByteOrder, MetaKey};

/// Families whose packets are routed.
const ROUTED: [Family; 3] = [Family::Ip, Family::Ip6, Family::Inet];
/// Families that can ask the routing table (`nft_fib_*.c`).
const FIB: [Family; 4] = [Family::Ip, Family::Ip6, Family::Inet, Family::Netdev];

impl RuleCheck<'_, '_> {
    pub(super) fn meta(&mut self, word: Word) -> Option<Loaded> {
        let text = self.cx.text(word);
        let canonical = match text {
            "ibriport" | "ibriname" => "ibrname",
            "obriport" => "obrname",
            "secpath" => "ipsec",
            other => other,
        };
        let Some(key) = MetaKey::from_word(canonical) else {
            return self.cx.unknown(
                Code::UnknownField,
                word.span,
                "meta key",
                text,
                MetaKey::ALL.iter().map(|key| key.word()),
            );
        };
        let bridge_only = matches!(
            key,
            MetaKey::Ibrname
                | MetaKey::Obrname
                | MetaKey::Ibrpvid
                | MetaKey::Ibrvproto
                | MetaKey::Broute
                | MetaKey::Ibrhwaddr
        );
        if bridge_only && self.place.family != Family::Bridge && !self.protocols.any {
            return self.cx.error(
                Code::WrongFamily,
                word.span,
                format!("meta {text} exists in tables of family bridge only"),
            );
        }
        if key == MetaKey::Nfproto && self.place.family != Family::Inet && !self.protocols.any {
            return self.cx.error_help(
                Code::WrongFamily,
                word.span,
                "meta nfproto is only useful in tables of family inet",
                "tables of other families see one protocol; leave the match out, or use meta protocol",
            );
        }
        Some((Load::Meta(key), meta_type(key)))
    }

    /// Whether the kernel has something for the table's family.
    fn has_family(&mut self, span: Span, what: &str, families: &[Family]) -> Option<()> {
        if self.protocols.any || families.contains(&self.place.family) {
            return Some(());
        }
        let words: Vec<&str> = families.iter().map(|family| family.word()).collect();
        let (last, first) = words.split_last()?;
        self.cx.error(
            Code::WrongFamily,
            span,
            format!(
                "{what} exists in tables of family {} and {last} only",
                first.join(", ")
            ),
        )
    }

    pub(super) fn fib(&mut self, span: Span, flags: &[Word], result: Word) -> Option<Loaded> {
        self.has_family(span, "fib", &FIB)?;
        let mut bits = 0;
        for word in flags {
            bits |= match self.cx.text(*word) {
                "saddr" => fib_flags::SADDR,
                "daddr" => fib_flags::DADDR,
                "mark" => fib_flags::MARK,
                "iif" => fib_flags::IIF,
                "oif" => fib_flags::OIF,
                other => {
                    return self.cx.unknown(
                        Code::UnknownKeyword,
                        word.span,
                        "fib key",
                        other,
                        ["saddr", "daddr", "mark", "iif", "oif"],
                    );
                }
            };
        }
        let (result, ty) = match self.cx.text(result) {
            "oif" => (FibResult::Oif, Type::of(DataType::IfaceIndex)),
            "oifname" => (
                FibResult::Oifname,
                Type::new(DataType::String, 128, ByteOrder::Network),
            ),
            "check" => {
                bits |= fib_flags::PRESENT;
                (FibResult::Oif, Type::of(DataType::Boolean))
            }
            "type" => (FibResult::Type, Type::of(DataType::FibAddrtype)),
            other => {
                return self.cx.unknown(
                    Code::UnknownKeyword,
                    result.span,
                    "fib result",
                    other,
                    ["oif", "oifname", "type", "check"],
                );
            }
        };
        let both = |pair: u32| bits & pair == pair;
        if both(fib_flags::SADDR | fib_flags::DADDR) || both(fib_flags::IIF | fib_flags::OIF) {
            return self.cx.error(
                Code::BadFlag,
                span,
                "fib takes one address and one device: saddr or daddr, iif or oif",
            );
        }
        if bits & (fib_flags::SADDR | fib_flags::DADDR) == 0 {
            return self
                .cx
                .error(Code::BadFlag, span, "fib needs an address: saddr or daddr");
        }
        if bits & fib_flags::OIF != 0
            && result == FibResult::Type
            && self.place.base.is_none_or(|(_, hook)| {
                !matches!(hook, Hook::Output | Hook::Postrouting | Hook::Forward)
            })
        {
            return self.cx.error(Code::WrongHook, span, "fib with oif needs a hook that knows the output device: forward, output or postrouting");
        }
        // nft_fib.c: nft_fib_validate. `nft -c` does not see it.
        if (bits & fib_flags::IIF != 0 || result != FibResult::Type)
            && self
                .place
                .base
                .is_some_and(|(_, hook)| matches!(hook, Hook::Output | Hook::Postrouting))
        {
            return self.cx.error(Code::WrongHook, span, "fib with iif, or for a device, needs a hook in front of the output device: prerouting, input or forward");
        }
        Some((
            Load::Fib {
                flags: bits,
                result,
            },
            ty,
        ))
    }

    pub(super) fn rt(&mut self, span: Span, family: Option<Word>, key: Word) -> Option<Loaded> {
        self.has_family(span, "rt", &ROUTED)?;
        let family = family.map(|word| self.cx.text(word));
        let (key, ty) = match (self.cx.text(key), family) {
            ("classid", None) => (RtKey::Classid, Type::of(DataType::Realm)),
            ("mtu", None) => (
                RtKey::Tcpmss,
                Type::new(DataType::Integer, 16, ByteOrder::Host),
            ),
            ("ipsec", None) => (RtKey::Ipsec, Type::of(DataType::Boolean)),
            ("nexthop", Some("ip")) => {
                self.check_network(Header::Ip, span)?;
                (RtKey::Nexthop4, Type::of(DataType::Ipv4Addr))
            }
            ("nexthop", Some("ip6")) => {
                self.check_network(Header::Ip6, span)?;
                (RtKey::Nexthop6, Type::of(DataType::Ipv6Addr))
            }
            ("nexthop", None) => match self.protocols.nfproto() {
                Some(nfproto::IPV4) => (RtKey::Nexthop4, Type::of(DataType::Ipv4Addr)),
                Some(nfproto::IPV6) => (RtKey::Nexthop6, Type::of(DataType::Ipv6Addr)),
                _ => {
                    return self.cx.error_help(
                        Code::MissingProtocol,
                        span,
                        "the family of rt nexthop is not known here",
                        "write `rt ip nexthop` or `rt ip6 nexthop`",
                    );
                }
            },
            (other, _) => {
                return self.cx.unknown(
                    Code::UnknownField,
                    key.span,
                    "rt key",
                    other,
                    ["classid", "nexthop", "mtu", "ipsec"],
                );
            }
        };
        Some((Load::Rt(key), ty))
    }

    pub(super) fn socket(&mut self, key: Word, level: Option<Integer>) -> Option<Loaded> {
        self.has_family(key.span, "socket", &ROUTED)?;
        let (key, ty) = match self.cx.text(key) {
            "transparent" => (
                SocketKey::Transparent,
                Type::new(DataType::Integer, 8, ByteOrder::Host),
            ),
            "wildcard" => (
                SocketKey::Wildcard,
                Type::new(DataType::Integer, 8, ByteOrder::Host),
            ),
            "mark" => (SocketKey::Mark, Type::of(DataType::Mark)),
            "cgroupv2" => {
                let level = level.map_or(0, Integer::value);
                (
                    SocketKey::Cgroupv2(u32::try_from(level).unwrap_or(255)),
                    Type::of(DataType::Cgroupsv2),
                )
            }
            other => {
                return self.cx.unknown(
                    Code::UnknownField,
                    key.span,
                    "socket key",
                    other,
                    ["transparent", "mark", "wildcard", "cgroupv2"],
                );
            }
        };
        // 0 and 1 are all that there is, though the register holds a byte
        let ty = if matches!(key, SocketKey::Transparent | SocketKey::Wildcard) {
            Type::new(DataType::Boolean, 8, ByteOrder::Host)
        } else {
            ty
        };
        Some((Load::Socket(key), ty))
    }

    pub(super) fn osf(&mut self, span: Span, ttl: Option<Word>, key: Word) -> Option<Loaded> {
        self.has_family(span, "osf", &ROUTED)?;
        let ttl = match ttl.map(|word| self.cx.text(word)) {
            None => 0,
            Some("loose") => 1,
            Some("skip") => 2,
            Some(other) => {
                return self.cx.unknown(
                    Code::UnknownKeyword,
                    span,
                    "osf ttl mode",
                    other,
                    ["loose", "skip"],
                );
            }
        };
        let version = self.cx.text(key) == "version";
        Some((
            Load::Osf { ttl, version },
            Type::new(DataType::String, 128, ByteOrder::Network),
        ))
    }
}
