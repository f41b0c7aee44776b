//! Fields: what the left side of a match, the key of a map or the value of a statement loads.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]
#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use super::rule::{InnerPacket, RuleCheck, meta_type, payload};
use crate::ast::{Expr, ExprKind, Integer, Word};
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::{Load, Numgen, Value, ValueKind};
use redan_vm::ct::{CtKey, Direction};
use redan_vm::datatype::DataType;
use redan_vm::family::{Family, Hook, nfproto};
use redan_vm::field::{self, Header};
use redan_vm::instr::{Base, FibResult, RtKey, SocketKey, XfrmKey, fib_flags};
use redan_vm::meta::{ByteOrder, MetaKey};
use redan_vm::ruleset::StateSpec;

/// A load and its type.
pub(super) type Loaded = (Load, Type);

impl RuleCheck<'_, '_> {
    /// Types a field; `None` (after an error) where it is none, `Some(None)` where the expression is no field at all.
    pub(super) fn field(&mut self, expr: &Expr) -> Option<Option<Value>> {
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
            } => self.ipsec(span, *dir, *spnum, *family, *key),
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
                self.raw_tcp_option(span, *kind, *offset, *len)
            }
            ExprKind::IpOption { kind, field } => self.ip_option(span, *kind, *field),
            ExprKind::SctpChunk { kind, field } => self.sctp_chunk(span, *kind, *field),
            ExprKind::DccpOption(kind) => self.dccp_option(span, *kind),
            ExprKind::Symbol(_)
            | ExprKind::Str(_)
            | ExprKind::WildcardWord(_)
            | ExprKind::CatchAll
            | ExprKind::Number(_)
            | ExprKind::Ipv4(_)
            | ExprKind::Ipv6(_)
            | ExprKind::Mac(_)
            | ExprKind::Time(_)
            | ExprKind::Range(_)
            | ExprKind::Prefix(_)
            | ExprKind::SetRef(_)
            | ExprKind::Var(_)
            | ExprKind::Set(_)
            | ExprKind::Concat(_)
            | ExprKind::List(_)
            | ExprKind::Binary(..)
            | ExprKind::FlagMatch(_)
            | ExprKind::Verdict(_)
            | ExprKind::Jhash { .. }
            | ExprKind::Map(_) => return Some(None),
        };
        let (load, ty) = loaded?;
        Some(Some(Value {
            span,
            ty,
            kind: ValueKind::Load(Box::new(load)),
        }))
    }

    fn payload(
        &mut self,
        span: Span,
        header_word: Word,
        field_word: Word,
        of: Option<Word>,
    ) -> Option<Loaded> {
        let header = self.header(header_word)?;
        let name = self.cx.text(field_word);
        let name = match (of, name) {
            (Some(of), _) => format!("{name} {}", self.cx.text(of)),
            (None, "cfi") => "dei".to_owned(),
            (None, _) => name.to_owned(),
        };
        let Some(row) = field::find(header, &name) else {
            let known = field::fields(header).iter().map(|field| field.name);
            return self.cx.unknown(
                Code::UnknownField,
                field_word.span,
                &format!("{} field", header.word()),
                &name,
                known,
            );
        };
        if row.base() == Base::Tunnel {
            return self.tunnel_field(span, row);
        }
        self.require(header, span)?;
        self.require_message(row, span)?;
        let tags = self.current().tags;
        let mut ty = Type::new(row.datatype, u32::from(row.bit_width), ByteOrder::Network);
        if ty.datatype == DataType::Bitmask {
            // flags without names: compared as a number
            ty.datatype = DataType::Integer;
        }
        if matches!((header, row.name), (Header::Icmp, "gateway")) {
            ty.datatype = DataType::Ipv4Addr;
        }
        let load = self.inside(payload(row, tags));
        Some((load, ty))
    }

    fn header(&mut self, word: Word) -> Option<Header> {
        let text = self.cx.text(word);
        match Header::from_word(text) {
            Some(header) => Some(header),
            None => self.cx.unknown(
                Code::UnknownField,
                word.span,
                "header",
                text,
                Header::ALL.iter().map(|header| header.word()),
            ),
        }
    }

    /// A field of the tunnel header itself: `vxlan vni`.
    fn tunnel_field(&mut self, span: Span, row: &'static field::Field) -> Option<Loaded> {
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

    fn inner_field(&mut self, span: Span, tunnel: Word, field: &Expr) -> Option<Loaded> {
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
                protocols: super::Protocols::new(family),
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

    fn raw_payload(
        &mut self,
        span: Span,
        base: Word,
        offset: Integer,
        len: Integer,
    ) -> Option<Loaded> {
        let base = match self.cx.text(base) {
            "ll" => Base::Link,
            "nh" => Base::Network,
            "th" => Base::Transport,
            "ih" => Base::Inner,
            other => {
                return self.cx.unknown(
                    Code::UnknownKeyword,
                    base.span,
                    "payload base",
                    other,
                    ["ll", "nh", "th", "ih"],
                );
            }
        };
        let (offset, len) = (offset.value(), len.value());
        if !(1..=128).contains(&len) || offset > 2048 * 8 {
            return self
                .cx
                .error(Code::ValueOutOfRange, span, "raw payload has 1 to 128 bits");
        }
        let (bit_offset, bits) = (u32::try_from(offset).ok()?, u32::try_from(len).ok()?);
        let load = self.inside(Load::Payload {
            field: None,
            base,
            bit_offset,
            bits,
        });
        Some((load, Type::new(DataType::Integer, bits, ByteOrder::Network)))
    }

    fn meta(&mut self, word: Word) -> Option<Loaded> {
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
        );
        if bridge_only && self.place.family != Family::Bridge {
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

    #[expect(clippy::too_many_lines, reason = "one arm a key")]
    fn ct(
        &mut self,
        span: Span,
        dir: Option<Word>,
        family: Option<Word>,
        key: Word,
    ) -> Option<Loaded> {
        let direction = match dir.map(|word| self.cx.text(word)) {
            None => None,
            Some("original") => Some(Direction::Original),
            Some("reply") => Some(Direction::Reply),
            Some(other) => {
                return self.cx.unknown(
                    Code::UnknownKeyword,
                    span,
                    "direction",
                    other,
                    ["original", "reply"],
                );
            }
        };
        let text = self.cx.text(key);
        let whole = match family {
            Some(family) => format!("{} {text}", self.cx.text(family)),
            None => text.to_owned(),
        };
        let Some(found) = CtKey::ALL.iter().copied().find(|known| {
            known.word() == whole || (whole == "l3protocol" && *known == CtKey::L3proto)
        }) else {
            return self.cx.unknown(
                Code::UnknownField,
                key.span,
                "ct key",
                &whole,
                CtKey::ALL.iter().map(|key| key.word()),
            );
        };
        let mut ty = Type::new(found.datatype(), found.bits(), found.byte_order());
        match found {
            CtKey::Saddr | CtKey::Daddr => {
                self.need_direction(span, direction, text)?;
                ty = self.ct_address_type(span, text)?;
            }
            CtKey::SaddrIp | CtKey::DaddrIp | CtKey::SaddrIp6 | CtKey::DaddrIp6 => {
                self.need_direction(span, direction, text)?;
                let header = if matches!(found, CtKey::SaddrIp | CtKey::DaddrIp) {
                    Header::Ip
                } else {
                    Header::Ip6
                };
                self.check_network(header, span)?;
            }
            CtKey::ProtoSrc | CtKey::ProtoDst => {
                self.need_direction(span, direction, text)?;
                if self.protocols.transport.is_empty() && !self.protocols.any {
                    return self.cx.error_help(
                        Code::MissingProtocol,
                        span,
                        format!("ct {text} needs a match on the transport protocol in front of it"),
                        "match `meta l4proto` or `ct protocol` before",
                    );
                }
            }
            CtKey::L3proto
            | CtKey::Protocol
            | CtKey::Zone
            | CtKey::Bytes
            | CtKey::Packets
            | CtKey::Avgpkt => {}
            CtKey::State
            | CtKey::Direction
            | CtKey::Status
            | CtKey::Mark
            | CtKey::Secmark
            | CtKey::Expiration
            | CtKey::Helper
            | CtKey::Label
            | CtKey::Event
            | CtKey::Id => {
                if direction.is_some() {
                    return self.cx.error(
                        Code::UnknownField,
                        span,
                        format!("ct {text} has no direction"),
                    );
                }
            }
        }
        Some((
            Load::Ct {
                key: found,
                dir: direction,
            },
            ty,
        ))
    }

    fn need_direction(
        &mut self,
        span: Span,
        direction: Option<Direction>,
        key: &str,
    ) -> Option<()> {
        if direction.is_some() {
            return Some(());
        }
        self.cx.error_help(
            Code::UnknownField,
            span,
            format!("ct {key} needs a direction"),
            format!("`ct original {key}` or `ct reply {key}`"),
        )
    }

    fn ct_address_type(&mut self, span: Span, key: &str) -> Option<Type> {
        match self.protocols.nfproto() {
            Some(nfproto::IPV4) => Some(Type::of(DataType::Ipv4Addr)),
            Some(nfproto::IPV6) => Some(Type::of(DataType::Ipv6Addr)),
            _ => self.cx.error_help(
                Code::MissingProtocol,
                span,
                format!("the family of ct {key} is not known here"),
                format!("write `ip {key}` or `ip6 {key}`, or match `meta nfproto` first"),
            ),
        }
    }

    /// Refuses what contradicts the network protocol that is known, without implying one.
    pub(super) fn check_network(&mut self, header: Header, span: Span) -> Option<()> {
        match self.protocols.network {
            Some(known) if known != super::Proto::Header(header) => {
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

    fn fib(&mut self, span: Span, flags: &[Word], result: Word) -> Option<Loaded> {
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
            "oifname" => (FibResult::Oifname, Type::of(DataType::Ifname)),
            "type" => (FibResult::Type, Type::of(DataType::FibAddrtype)),
            other => {
                return self.cx.unknown(
                    Code::UnknownKeyword,
                    result.span,
                    "fib result",
                    other,
                    ["oif", "oifname", "type"],
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
        Some((
            Load::Fib {
                flags: bits,
                result,
            },
            ty,
        ))
    }

    fn rt(&mut self, span: Span, family: Option<Word>, key: Word) -> Option<Loaded> {
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

    fn socket(&mut self, key: Word, level: Option<Integer>) -> Option<Loaded> {
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
            Type::new(DataType::Boolean, 1, ByteOrder::Host)
        } else {
            ty
        };
        Some((Load::Socket(key), ty))
    }

    fn osf(&mut self, span: Span, ttl: Option<Word>, key: Word) -> Option<Loaded> {
        if !matches!(self.place.family, Family::Ip | Family::Ip6 | Family::Inet) {
            return self.cx.error(
                Code::WrongFamily,
                span,
                "osf exists in tables of family ip, ip6 and inet only",
            );
        }
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

    fn ipsec(
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

    fn numgen(
        &mut self,
        span: Span,
        mode: Word,
        modulus: Integer,
        offset: Option<Integer>,
    ) -> Option<Loaded> {
        let (modulus, offset) = self.generator(span, modulus, offset)?;
        let random = self.cx.text(mode) == "random";
        let state = self.cx.add_state(StateSpec::Numgen);
        let load = Load::Numgen(Numgen {
            random,
            modulus,
            offset,
            state,
        });
        Some((load, Type::new(DataType::Integer, 32, ByteOrder::Host)))
    }

    fn symhash(&mut self, span: Span, modulus: Integer, offset: Option<Integer>) -> Option<Loaded> {
        let (modulus, offset) = self.generator(span, modulus, offset)?;
        Some((
            Load::Symhash { modulus, offset },
            Type::new(DataType::Integer, 32, ByteOrder::Host),
        ))
    }

    /// Modulus and offset of a number generator or hash.
    pub(super) fn generator(
        &mut self,
        span: Span,
        modulus: Integer,
        offset: Option<Integer>,
    ) -> Option<(u32, u32)> {
        let fits = |value: u128| u32::try_from(value).ok();
        let (modulus, offset) = (
            fits(modulus.value()),
            fits(offset.map_or(0, Integer::value)),
        );
        match (modulus, offset) {
            (Some(modulus), Some(offset))
                if modulus > 0 && modulus.checked_add(offset).is_some() =>
            {
                Some((modulus, offset))
            }
            _ => self.cx.error(
                Code::ValueOutOfRange,
                span,
                "modulus must be 1 or more, and with the offset fit 32 bits",
            ),
        }
    }
}
