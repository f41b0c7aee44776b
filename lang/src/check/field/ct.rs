//! Fields of the connection that a packet belongs to.

use super::Loaded;
use crate::ast::Word;
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::Load;
use redan_vm::ct::{CtKey, Direction};
use redan_vm::datatype::DataType;
use redan_vm::family::nfproto;
use redan_vm::field::Header;

impl RuleCheck<'_, '_> {
    #[expect(clippy::too_many_lines, reason = "one arm a key")]
    pub(super) fn ct(
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
}
