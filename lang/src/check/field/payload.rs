//! Bytes of the packet: fields of headers by name, and raw bits at an offset.

use super::Loaded;
use crate::ast::{Integer, Word};
use crate::check::rule::{RuleCheck, payload};
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::Load;
use redan_vm::datatype::DataType;
use redan_vm::field::{self, Header};
use redan_vm::instr::Base;
use redan_vm::meta::ByteOrder;

impl RuleCheck<'_, '_> {
    pub(super) fn payload(
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

    pub(super) fn header(&mut self, word: Word) -> Option<Header> {
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

    pub(super) fn raw_payload(
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
}
