//! What `exthdr` loads: IPv6 extension headers, TCP options, IP options and SCTP chunks, as tables of their own.

use crate::datatype::DataType;
use crate::instr::ExthdrOp;

/// An extension header, option or chunk type with the fields that it has names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionHeader {
    /// How it is found.
    pub op: ExthdrOp,
    /// Its word in nft's language: `frag`, `maxseg`, `rr`, `init-ack`.
    pub word: &'static str,
    /// Its number on the wire: next-header value, option kind, chunk type.
    pub kind: u8,
    /// The value of `rt type` that its fields are for (`rt0`, `rt2`, `srh`).
    pub routing_type: Option<u8>,
    /// Whether `exists` and `missing` may be asked of it.
    pub presence: bool,
    /// Its fields.
    pub fields: &'static [OptionField],
}

/// One field of an option, in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionField {
    /// Its name.
    pub name: &'static str,
    /// Bits from the start of the option (its kind byte) or header.
    pub bit_offset: u16,
    /// Its width in bits.
    pub bit_width: u16,
    /// Its type.
    pub datatype: DataType,
    /// Bytes from one to the next where the field is an array (`rt0 addr[2]`, index from 1); 0 where it is none.
    pub stride: u8,
}

impl OptionField {
    /// Bytes from the start of the option to the first byte that it touches.
    pub const fn byte_offset(&self) -> u32 {
        self.bit_offset as u32 / 8
    }

    /// How many bytes it touches.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "options are shorter than 256 bytes"
    )]
    pub const fn byte_len(&self) -> u8 {
        ((self.bit_offset + self.bit_width).div_ceil(8) - self.bit_offset / 8) as u8
    }

    /// How many bits lie below it in its last byte.
    pub const fn shift(&self) -> u32 {
        let end = self.bit_offset as u32 + self.bit_width as u32;
        end.div_ceil(8) * 8 - end
    }

    /// The mask over its bytes, as a number whose last byte is the field's last byte; `None` when it fills its bytes.
    pub const fn mask(&self) -> Option<u32> {
        if self.bit_offset.is_multiple_of(8) && self.bit_width.is_multiple_of(8) {
            None
        } else {
            Some(((1 << self.bit_width) - 1) << self.shift())
        }
    }
}

/// The extension header, option or chunk that nft writes as `word`.
pub fn find(op: ExthdrOp, word: &str) -> Option<&'static OptionHeader> {
    all(op).iter().find(|option| option.word == word)
}

/// The field of an option by name.
pub fn field(option: &'static OptionHeader, name: &str) -> Option<&'static OptionField> {
    option.fields.iter().find(|field| field.name == name)
}

/// Every extension header, option or chunk that has a name.
pub const fn all(op: ExthdrOp) -> &'static [OptionHeader] {
    match op {
        ExthdrOp::Ipv6 => IPV6,
        ExthdrOp::Tcpopt => TCP,
        ExthdrOp::Ipv4 => IPV4,
        ExthdrOp::Sctp => SCTP,
        ExthdrOp::Dccp => &[],
    }
}

macro_rules! fields {
    ($($name:literal $offset:literal $width:literal $datatype:ident $(every $stride:literal)?;)*) => {
        &[$(OptionField {
            name: $name,
            bit_offset: $offset,
            bit_width: $width,
            datatype: DataType::$datatype,
            stride: 0 $(+ $stride)?,
        },)*]
    };
}

const fn row(
    op: ExthdrOp,
    word: &'static str,
    kind: u8,
    fields: &'static [OptionField],
) -> OptionHeader {
    OptionHeader {
        op,
        word,
        kind,
        routing_type: None,
        presence: true,
        fields,
    }
}

const fn ipv6(word: &'static str, kind: u8, fields: &'static [OptionField]) -> OptionHeader {
    row(ExthdrOp::Ipv6, word, kind, fields)
}

const fn routing(word: &'static str, number: u8, fields: &'static [OptionField]) -> OptionHeader {
    OptionHeader {
        routing_type: Some(number),
        presence: false,
        ..ipv6(word, 43, fields)
    }
}

const fn tcp(word: &'static str, kind: u8, fields: &'static [OptionField]) -> OptionHeader {
    row(ExthdrOp::Tcpopt, word, kind, fields)
}

const fn ipv4(word: &'static str, kind: u8, fields: &'static [OptionField]) -> OptionHeader {
    row(ExthdrOp::Ipv4, word, kind, fields)
}

const fn sctp(word: &'static str, kind: u8, fields: &'static [OptionField]) -> OptionHeader {
    row(ExthdrOp::Sctp, word, kind, fields)
}

const EXTENSION: &[OptionField] = fields! {
    "nexthdr" 0 8 InetProto;
    "hdrlength" 8 8 Integer;
};

const IPV6: &[OptionHeader] = &[
    ipv6("hbh", 0, EXTENSION),
    ipv6(
        "rt",
        43,
        fields! {
            "nexthdr" 0 8 InetProto;
            "hdrlength" 8 8 Integer;
            "type" 16 8 Integer;
            "seg-left" 24 8 Integer;
        },
    ),
    routing(
        "rt0",
        0,
        fields! {
            "addr" 64 128 Ipv6Addr every 16;
        },
    ),
    // nft knows the word but none of its fields.
    routing("rt2", 2, &[]),
    routing(
        "srh",
        4,
        fields! {
            "last-entry" 32 8 Integer;
            "flags" 40 8 Integer;
            "tag" 48 16 Integer;
            "sid" 64 128 Ipv6Addr every 16;
        },
    ),
    ipv6(
        "frag",
        44,
        fields! {
            "nexthdr" 0 8 InetProto;
            "reserved" 8 8 Integer;
            "frag-off" 16 13 Integer;
            "reserved2" 29 2 Integer;
            "more-fragments" 31 1 Integer;
            "id" 32 32 Integer;
        },
    ),
    // asked for by their presence alone: their fields are those of the headers `ah` and `esp`
    ipv6("esp", 50, &[]),
    ipv6("ah", 51, &[]),
    ipv6("dst", 60, EXTENSION),
    ipv6(
        "mh",
        135,
        fields! {
            "nexthdr" 0 8 InetProto;
            "hdrlength" 8 8 Integer;
            "type" 16 8 MhType;
            "reserved" 24 8 Integer;
            "checksum" 32 16 Integer;
        },
    ),
];

const TCP_PLAIN: &[OptionField] = fields! {
    "length" 8 8 Integer;
};

const TCP: &[OptionHeader] = &[
    tcp("eol", 0, &[]),
    tcp("nop", 1, &[]),
    tcp(
        "maxseg",
        2,
        fields! {
            "length" 8 8 Integer;
            "size" 16 16 Integer;
        },
    ),
    tcp(
        "window",
        3,
        fields! {
            "length" 8 8 Integer;
            "count" 16 8 Integer;
        },
    ),
    tcp("sack-perm", 4, TCP_PLAIN),
    tcp(
        "sack",
        5,
        fields! {
            "length" 8 8 Integer;
            "left" 16 32 Integer;
            "right" 48 32 Integer;
        },
    ),
    tcp(
        "sack0",
        5,
        fields! { "length" 8 8 Integer; "left" 16 32 Integer; "right" 48 32 Integer; },
    ),
    tcp(
        "sack1",
        5,
        fields! { "length" 8 8 Integer; "left" 80 32 Integer; "right" 112 32 Integer; },
    ),
    tcp(
        "sack2",
        5,
        fields! { "length" 8 8 Integer; "left" 144 32 Integer; "right" 176 32 Integer; },
    ),
    tcp(
        "sack3",
        5,
        fields! { "length" 8 8 Integer; "left" 208 32 Integer; "right" 240 32 Integer; },
    ),
    tcp(
        "timestamp",
        8,
        fields! {
            "length" 8 8 Integer;
            "tsval" 16 32 Integer;
            "tsecr" 48 32 Integer;
        },
    ),
    tcp("md5sig", 19, TCP_PLAIN),
    tcp(
        "mptcp",
        30,
        fields! {
            "length" 8 8 Integer;
            "subtype" 16 4 MptcpSubtype;
        },
    ),
    tcp("fastopen", 34, TCP_PLAIN),
];

const SOURCE_ROUTE: &[OptionField] = fields! {
    "type" 0 8 Integer;
    "length" 8 8 Integer;
    "ptr" 16 8 Integer;
    "addr" 24 32 Integer;
};

const IPV4: &[OptionHeader] = &[
    ipv4("rr", 7, SOURCE_ROUTE),
    ipv4("lsrr", 131, SOURCE_ROUTE),
    ipv4("ssrr", 137, SOURCE_ROUTE),
    ipv4(
        "ra",
        148,
        fields! {
            "type" 0 8 Integer;
            "length" 8 8 Integer;
            "value" 16 16 Integer;
        },
    ),
];

const CHUNK: &[OptionField] = fields! {
    "type" 0 8 Integer;
    "flags" 8 8 Integer;
    "length" 16 16 Integer;
};

const CHUNK_INIT: &[OptionField] = fields! {
    "type" 0 8 Integer;
    "flags" 8 8 Integer;
    "length" 16 16 Integer;
    "init-tag" 32 32 Integer;
    "a-rwnd" 64 32 Integer;
    "num-outbound-streams" 96 16 Integer;
    "num-inbound-streams" 112 16 Integer;
    "initial-tsn" 128 32 Integer;
};

const CHUNK_LOWEST_TSN: &[OptionField] = fields! {
    "type" 0 8 Integer;
    "flags" 8 8 Integer;
    "length" 16 16 Integer;
    "lowest-tsn" 32 32 Integer;
};

const CHUNK_SEQNO: &[OptionField] = fields! {
    "type" 0 8 Integer;
    "flags" 8 8 Integer;
    "length" 16 16 Integer;
    "seqno" 32 32 Integer;
};

const SCTP: &[OptionHeader] = &[
    sctp(
        "data",
        0,
        fields! {
            "type" 0 8 Integer;
            "flags" 8 8 Integer;
            "length" 16 16 Integer;
            "tsn" 32 32 Integer;
            "stream" 64 16 Integer;
            "ssn" 80 16 Integer;
            "ppid" 96 32 Integer;
        },
    ),
    sctp("init", 1, CHUNK_INIT),
    sctp("init-ack", 2, CHUNK_INIT),
    sctp(
        "sack",
        3,
        fields! {
            "type" 0 8 Integer;
            "flags" 8 8 Integer;
            "length" 16 16 Integer;
            "cum-tsn-ack" 32 32 Integer;
            "a-rwnd" 64 32 Integer;
            "num-gap-ack-blocks" 96 16 Integer;
            "num-dup-tsns" 112 16 Integer;
        },
    ),
    sctp("heartbeat", 4, CHUNK),
    sctp("heartbeat-ack", 5, CHUNK),
    sctp("abort", 6, CHUNK),
    sctp(
        "shutdown",
        7,
        fields! {
            "type" 0 8 Integer;
            "flags" 8 8 Integer;
            "length" 16 16 Integer;
            "cum-tsn-ack" 32 32 Integer;
        },
    ),
    sctp("shutdown-ack", 8, CHUNK),
    sctp("error", 9, CHUNK),
    sctp("cookie-echo", 10, CHUNK),
    sctp("cookie-ack", 11, CHUNK),
    sctp("ecne", 12, CHUNK_LOWEST_TSN),
    sctp("cwr", 13, CHUNK_LOWEST_TSN),
    sctp("shutdown-complete", 14, CHUNK),
    // RFC 8260
    sctp("i-data", 64, CHUNK),
    sctp("asconf-ack", 128, CHUNK_SEQNO),
    sctp(
        "forward-tsn",
        192,
        fields! {
            "type" 0 8 Integer;
            "flags" 8 8 Integer;
            "length" 16 16 Integer;
            "new-cum-tsn" 32 32 Integer;
        },
    ),
    sctp("asconf", 193, CHUNK_SEQNO),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_word() {
        let check = |op, word, name, offset, len, mask| {
            let option = find(op, word).unwrap();
            let field = field(option, name).unwrap();
            assert_eq!(
                (field.byte_offset(), field.byte_len(), field.mask()),
                (offset, len, mask),
                "{word} {name}"
            );
        };
        check(ExthdrOp::Ipv6, "frag", "frag-off", 2, 2, Some(0xfff8));
        check(ExthdrOp::Ipv6, "frag", "reserved2", 3, 1, Some(6));
        check(ExthdrOp::Ipv6, "frag", "more-fragments", 3, 1, Some(1));
        check(ExthdrOp::Tcpopt, "mptcp", "subtype", 2, 1, Some(0xf0));
        check(ExthdrOp::Tcpopt, "sack2", "left", 18, 4, None);
        check(ExthdrOp::Ipv4, "rr", "addr", 3, 4, None);
        check(ExthdrOp::Sctp, "sack", "a-rwnd", 8, 4, None);
    }
}
