//! Extension headers and options: what `exthdr` loads.

use super::Loaded;
use crate::ast::{Integer, Word};
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::parse::literal::number;
use crate::source::Span;
use crate::typed::Load;
use redan_vm::datatype::DataType;
use redan_vm::field::Header;
use redan_vm::field::option::{self, OptionField, OptionHeader};
use redan_vm::instr::ExthdrOp;
use redan_vm::meta::ByteOrder;

/// Whether the option is there: 0 or 1 in one byte.
fn presence(op: ExthdrOp, kind: u8) -> Loaded {
    let load = Load::Exthdr {
        op,
        kind,
        bit_offset: 0,
        bits: 8,
        present: true,
    };
    (load, Type::of(DataType::Boolean))
}

fn field_load(header: &OptionHeader, field: &OptionField, index: u32) -> Loaded {
    let bits = u32::from(field.bit_width);
    let bit_offset = u32::from(field.bit_offset) + index * u32::from(field.stride) * 8;
    let load = Load::Exthdr {
        op: header.op,
        kind: header.kind,
        bit_offset,
        bits,
        present: false,
    };
    (load, Type::new(field.datatype, bits, ByteOrder::Network))
}

impl RuleCheck<'_, '_> {
    /// The option that a word or number names.
    fn option(&mut self, op: ExthdrOp, what: &str, word: Word) -> Option<&'static OptionHeader> {
        let text = self.cx.text(word);
        let canonical = match text {
            "sack-permitted" => "sack-perm",
            "mss" => "maxseg",
            "noop" => "nop",
            other => other,
        };
        match option::find(op, canonical) {
            Some(header) => Some(header),
            None => self.cx.unknown(
                Code::UnknownField,
                word.span,
                what,
                text,
                option::all(op).iter().map(|header| header.word),
            ),
        }
    }

    fn option_field(
        &mut self,
        header: &'static OptionHeader,
        word: Word,
    ) -> Option<&'static OptionField> {
        let text = self.cx.text(word);
        if let Some(field) = option::field(header, text) {
            Some(field)
        } else {
            let known = header.fields.iter().map(|field| field.name);
            self.cx.unknown(
                Code::UnknownField,
                word.span,
                &format!("{} field", header.word),
                text,
                known,
            )
        }
    }

    pub(super) fn exthdr(
        &mut self,
        span: Span,
        header: Word,
        field: Word,
        index: Option<Integer>,
    ) -> Option<Loaded> {
        let header = self.option(ExthdrOp::Ipv6, "extension header", header)?;
        let field = self.option_field(header, field)?;
        self.require_extension(Header::Ip6, span)?;
        let index = match index {
            None => 0,
            Some(index) => match u32::try_from(index.value())
                .ok()
                .filter(|index| (1..=16).contains(index) && field.stride > 0)
            {
                Some(index) => index - 1,
                None => {
                    return self.cx.error(
                        Code::ValueOutOfRange,
                        span,
                        "the index counts from 1, up to 16, in arrays of addresses only",
                    );
                }
            },
        };
        Some(field_load(header, field, index))
    }

    pub(super) fn exthdr_present(&mut self, span: Span, header: Word) -> Option<Loaded> {
        let header = self.option(ExthdrOp::Ipv6, "extension header", header)?;
        self.require_extension(Header::Ip6, span)?;
        Some(presence(ExthdrOp::Ipv6, header.kind))
    }

    pub(in crate::check) fn tcp_option(
        &mut self,
        span: Span,
        kind: Word,
        field: Option<Word>,
    ) -> Option<Loaded> {
        let number = number(self.cx.text(kind));
        if let Some(number) = number {
            let Ok(kind) = u8::try_from(number) else {
                return self.cx.error(
                    Code::ValueOutOfRange,
                    span,
                    "value exceeds valid range 0-255",
                );
            };
            return match field.map(|word| self.cx.text(word)) {
                None => Some(presence(ExthdrOp::Tcpopt, kind)),
                Some("kind") => Some(raw_option(kind, 0, 8)),
                Some("length") => Some(raw_option(kind, 8, 8)),
                Some(other) => self.cx.unknown(
                    Code::UnknownField,
                    span,
                    "option field",
                    other,
                    ["kind", "length"],
                ),
            };
        }
        let header = self.option(ExthdrOp::Tcpopt, "TCP option", kind)?;
        match field {
            None => Some(presence(ExthdrOp::Tcpopt, header.kind)),
            Some(field) => {
                let field = self.option_field(header, field)?;
                Some(field_load(header, field, 0))
            }
        }
    }

    pub(super) fn raw_tcp_option(
        &mut self,
        span: Span,
        kind: Integer,
        offset: Integer,
        len: Integer,
    ) -> Option<Loaded> {
        let kind = u8::try_from(kind.value());
        let (offset, len) = (u32::try_from(offset.value()), u32::try_from(len.value()));
        match (kind, offset, len) {
            (Ok(kind), Ok(offset), Ok(len)) if (1..=128).contains(&len) && offset <= 320 => {
                Some(raw_option(kind, offset, len))
            }
            _ => self.cx.error(
                Code::ValueOutOfRange,
                span,
                "a raw option has a kind up to 255 and 1 to 128 bits",
            ),
        }
    }

    pub(super) fn ip_option(
        &mut self,
        span: Span,
        kind: Word,
        field: Option<Word>,
    ) -> Option<Loaded> {
        let header = self.option(ExthdrOp::Ipv4, "IP option", kind)?;
        let field = match field {
            None => None,
            Some(field) => Some(self.option_field(header, field)?),
        };
        self.require_extension(Header::Ip, span)?;
        Some(match field {
            None => presence(ExthdrOp::Ipv4, header.kind),
            Some(field) => field_load(header, field, 0),
        })
    }

    pub(super) fn sctp_chunk(
        &mut self,
        _span: Span,
        kind: Word,
        field: Option<Word>,
    ) -> Option<Loaded> {
        let header = self.option(ExthdrOp::Sctp, "SCTP chunk", kind)?;
        match field {
            None => Some(presence(ExthdrOp::Sctp, header.kind)),
            Some(field) => {
                let field = self.option_field(header, field)?;
                Some(field_load(header, field, 0))
            }
        }
    }

    pub(super) fn dccp_option(&mut self, span: Span, kind: Integer) -> Option<Loaded> {
        match u8::try_from(kind.value()) {
            Ok(kind) => Some(presence(ExthdrOp::Dccp, kind)),
            Err(_) => self.cx.error(
                Code::ValueOutOfRange,
                span,
                "value exceeds valid range 0-255",
            ),
        }
    }
}

fn raw_option(kind: u8, bit_offset: u32, bits: u32) -> Loaded {
    let load = Load::Exthdr {
        op: ExthdrOp::Tcpopt,
        kind,
        bit_offset,
        bits,
        present: false,
    };
    (load, Type::new(DataType::Integer, bits, ByteOrder::Network))
}
