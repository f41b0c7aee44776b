//! Constants and loads in nft's words.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "values and loads have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::model::{Expr, Field};
use crate::compile::Compiled;
use crate::datatype::{self, Base, Type, mask};
use crate::typed::{Load, ShiftDir, Value, ValueKind};
use redan_vm::ct::{CtKey, Direction};
use redan_vm::datatype::DataType;
use redan_vm::field::{self, Header, option};
use redan_vm::ids::SetId;
use redan_vm::instr::{
    self, BitwiseRegOp, ExthdrOp, FibResult, RtKey, SocketKey, TunnelKey, XfrmKey, fib_flags,
};
use redan_vm::meta::MetaKey;
use std::borrow::Cow;

/// How numbers of a type without names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As the type says.
    Plain,
    /// In hexadecimal: raw bytes of the packet.
    Raw,
    /// As a plain number, whatever names there are.
    Number,
    /// Time in seconds.
    Seconds,
}

/// How constants that are compared with a value are written.
pub(super) fn style(value: &Value) -> Style {
    match &value.kind {
        ValueKind::Load(load) if matches!(load.as_ref(), Load::Payload { field: None, .. }) => {
            Style::Raw
        }
        ValueKind::Load(load)
            if let Load::Payload {
                field: Some(field), ..
            } = load.as_ref() =>
        {
            match (field.datatype, field.header, field.name) {
                // flags without names
                (DataType::Bitmask, _, _) => Style::Raw,
                (_, Header::Icmp, "gateway") => Style::Number,
                _ => Style::Plain,
            }
        }
        ValueKind::Load(load) if matches!(load.as_ref(), Load::Socket(key) if matches!(key, SocketKey::Transparent | SocketKey::Wildcard)) => {
            Style::Number
        }
        ValueKind::Bits { from, .. } | ValueKind::Shift { from, .. } => style(from),
        _ => Style::Plain,
    }
}

/// A constant.
pub(super) fn constant(compiled: &Compiled, ty: Type, style: Style, value: u128) -> Expr {
    if style == Style::Raw {
        return Expr::Number(value, format!("0x{value:x}"));
    }
    if style == Style::Number {
        return Expr::Number(value, value.to_string());
    }
    let known = datatype::info(ty.datatype);
    match ty.datatype {
        DataType::IfaceIndex => {
            let at = usize::try_from(value).ok().and_then(|at| at.checked_sub(1));
            match at.and_then(|at| compiled.ruleset.interfaces.get(at)) {
                Some(name) => Expr::Quoted(name.clone()),
                None => Expr::Word(value.to_string()),
            }
        }
        DataType::Boolean => Expr::Present(value != 0),
        DataType::Time if style == Style::Seconds => {
            Expr::Number(value / 1000, format!("{}s", value / 1000))
        }
        DataType::Time => Expr::Number(value / 1000, datatype::write(ty, value)),
        DataType::Devgroup | DataType::Realm if named(known.symbols, value) => {
            Expr::Quoted(datatype::write(ty, value))
        }
        DataType::DateTime | DataType::Hour => {
            let local = datatype::to_local(ty, value, compiled.clock);
            Expr::Quoted(datatype::write(ty, local).trim_matches('"').to_owned())
        }
        DataType::Day => Expr::Quoted(datatype::write(ty, value)),
        DataType::Uid
        | DataType::Gid
        | DataType::InetService
        | DataType::Integer
        | DataType::Queue
        | DataType::Tunnel => Expr::Number(value, value.to_string()),
        DataType::Classid => classid(value),
        DataType::Realm if !named(known.symbols, value) => Expr::Word(value.to_string()),
        DataType::Dscp | DataType::PktType if !named(known.symbols, value) => {
            let width = usize::from(ty.bytes()) * 2;
            Expr::Number(value, format!("0x{value:0width$x}"))
        }
        DataType::Mark | DataType::EtherType | DataType::CtEvent
            if known.base != Base::Bitmask && !named(known.symbols, value) =>
        {
            Expr::Number(value, datatype::write(ty, value))
        }
        _ if known.base == Base::Bitmask => bits(ty, value),
        _ if known.base == Base::String => Expr::Quoted(string(ty, value)),
        _ if !known.symbols.is_empty() && !named(known.symbols, value) => {
            Expr::Number(value, value.to_string())
        }
        _ => Expr::Word(datatype::write(ty, value)),
    }
}

/// Text without its quotes; an asterisk at the end stands for itself.
fn string(ty: Type, value: u128) -> String {
    let text = datatype::write(ty, value);
    let text = text.trim_matches('"');
    match text.strip_suffix('*') {
        Some(start) => format!("{start}\\*"),
        None => text.to_owned(),
    }
}

fn named(symbols: &[datatype::Symbol], value: u128) -> bool {
    symbols
        .iter()
        .any(|symbol| u128::from(symbol.value) == value)
}

fn classid(value: u128) -> Expr {
    let text = match value {
        0 => "none".to_owned(),
        0xffff_ffff => "root".to_owned(),
        _ => format!("{:x}:{:x}", value >> 16, value & 0xffff),
    };
    Expr::Word(text)
}

/// Bits by name.
fn bits(ty: Type, value: u128) -> Expr {
    let text = datatype::write(ty, value);
    if text.starts_with("0x") {
        return Expr::Number(value, text);
    }
    let mut words: Vec<Expr> = text
        .split(',')
        .map(|word| match word.parse() {
            Ok(number) => Expr::Number(number, word.to_owned()),
            Err(_) => Expr::Word(word.to_owned()),
        })
        .collect();
    if words.len() == 1 {
        words.remove(0)
    } else {
        Expr::List(words)
    }
}

/// Whether ranges that are prefixes are written as such.
pub(super) fn has_prefixes(datatype: DataType) -> bool {
    matches!(datatype, DataType::Ipv4Addr | DataType::Ipv6Addr)
}

/// All values from one to another.
pub(super) fn range(compiled: &Compiled, ty: Type, style: Style, low: u128, high: u128) -> Expr {
    if low == high {
        return constant(compiled, ty, style, low);
    }
    let span = low ^ high;
    let host = 128 - span.leading_zeros();
    let aligned = low & mask(host) == 0 && high & mask(host) == mask(host);
    if aligned && has_prefixes(ty.datatype) {
        return prefix(compiled, ty, style, low, ty.bits.saturating_sub(host));
    }
    if aligned && ty.base() == Base::String && host.is_multiple_of(8) {
        return prefix(compiled, ty, style, low, ty.bits.saturating_sub(host));
    }
    ends(compiled, ty, style, low, high)
}

/// Both ends of a range; in text nft leaves names out of it.
pub(super) fn ends(compiled: &Compiled, ty: Type, style: Style, low: u128, high: u128) -> Expr {
    let numeric = ty.base() == Base::Integer
        && !datatype::info(ty.datatype).symbols.is_empty()
        && !matches!(
            ty.datatype,
            DataType::Dscp | DataType::Day | DataType::EtherType
        );
    let style = match ty.datatype {
        DataType::Time => Style::Seconds,
        _ => style,
    };
    let end = |value: u128| match constant(compiled, ty, style, value) {
        Expr::Word(_) if ty.datatype == DataType::InetProto => {
            Expr::Number(value, value.to_string())
        }
        named @ Expr::Word(_) if numeric => Expr::Numbered(Box::new(named), value.to_string()),
        named @ Expr::Word(_) if matches!(ty.datatype, DataType::Dscp | DataType::EtherType) => {
            let width = usize::from(ty.bytes()) * 2;
            Expr::Numbered(Box::new(named), format!("0x{value:0width$x}"))
        }
        other => other,
    };
    Expr::Range(Box::new((end(low), end(high))))
}

/// The values that begin with some bits.
pub(super) fn prefix(compiled: &Compiled, ty: Type, style: Style, value: u128, len: u32) -> Expr {
    if ty.base() == Base::String {
        let text = datatype::write(ty, value);
        return Expr::Quoted(format!("{}*", text.trim_matches('"')));
    }
    Expr::Prefix(Box::new(constant(compiled, ty, style, value)), len)
}

/// What is known of the transport header, where a field may be called by it.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The only transport header that packets can have here.
    pub(super) transport: Option<Header>,
    /// The link header.
    pub(super) link: Option<Header>,
    /// The network header.
    pub(super) network: Option<Header>,
    /// Whether the table has no other.
    pub(super) fixed: bool,
}

/// A value that a rule looks at or stores.
pub(super) fn value(
    compiled: &Compiled,
    known: &Known,
    found: &Value,
    map: &mut dyn FnMut(SetId, &Value) -> Expr,
) -> Expr {
    match &found.kind {
        ValueKind::Const(number) => constant(compiled, found.ty, Style::Plain, *number),
        ValueKind::Load(load) => Expr::Field(field(known, load)),
        ValueKind::Bits {
            from,
            mask: keep,
            xor,
        } => {
            let left = value(compiled, known, from, map);
            combined(compiled, found.ty, style(from), left, *keep, *xor)
        }
        ValueKind::Shift { from, dir, bits } => {
            let left = value(compiled, known, from, map);
            let sign = match dir {
                ShiftDir::Left => "<<",
                ShiftDir::Right => ">>",
            };
            let by = Expr::Number(u128::from(*bits), bits.to_string());
            Expr::Binary(sign, Box::new((left, by)))
        }
        ValueKind::BitsOf { op, sides } => {
            let sign = match op {
                BitwiseRegOp::And => "&",
                BitwiseRegOp::Or => "|",
                BitwiseRegOp::Xor => "^",
            };
            let left = value(compiled, known, &sides.0, map);
            let right = value(compiled, known, &sides.1, map);
            Expr::Binary(sign, Box::new((left, right)))
        }
        ValueKind::Swap(from) => value(compiled, known, from, map),
        ValueKind::Concat(parts) => Expr::Concat(
            parts
                .iter()
                .map(|part| value(compiled, known, part, map))
                .collect(),
        ),
        ValueKind::Map { key, set } => {
            let left = value(compiled, known, key, map);
            let data = map(*set, key);
            Expr::Map(Box::new((left, data)))
        }
        ValueKind::Jhash(hash) => Expr::Field(Field::Jhash(
            Box::new(value(compiled, known, &hash.key, map)),
            hash.modulus,
            hash.seed,
            hash.offset,
        )),
    }
}

/// `(left & keep) ^ xor` in the operators that nft shows.
fn combined(
    compiled: &Compiled,
    ty: Type,
    style: Style,
    left: Expr,
    keep: u128,
    xor: u128,
) -> Expr {
    let or = !keep & xor & ty.max();
    let flip = xor & keep;
    let and = (keep | or) & ty.max();
    let mut out = left;
    for (sign, operand, skip) in [("&", and, ty.max()), ("^", flip, 0), ("|", or, 0)] {
        if operand != skip {
            let right = constant(compiled, ty, style, operand);
            let right = or_list(right);
            out = Expr::Binary(sign, Box::new((out, right)));
        }
    }
    out
}

/// Several bits on the right side of an operator are written `(a | b)`.
pub(super) fn or_list(expr: Expr) -> Expr {
    match expr {
        Expr::List(items) => items
            .into_iter()
            .reduce(|left, right| Expr::Binary("|", Box::new((left, right))))
            .unwrap_or(Expr::CatchAll),
        other => other,
    }
}

/// Something loaded.
pub(super) fn field(known: &Known, load: &Load) -> Field {
    match load {
        Load::Payload {
            field,
            base,
            bit_offset,
            bits,
        } => payload(known, *field, *base, *bit_offset, *bits),
        Load::Meta(key) => Field::Meta(meta_word(*key)),
        // the kernel forgets the direction of what both have in common
        Load::Ct { key, .. } if matches!(key, CtKey::L3proto | CtKey::Protocol) => {
            Field::Ct(None, key.word(), key.word())
        }
        Load::Ct { key, dir } => {
            let word = ct_word(*key, known);
            let bare = if known.fixed { key.word() } else { word };
            Field::Ct(dir.map(direction), word, bare)
        }
        Load::Exthdr {
            op,
            kind,
            bit_offset,
            bits,
            present,
        } => exthdr(*op, *kind, *bit_offset, *bits, *present),
        Load::Fib { flags, result } => fib(*flags, *result),
        Load::Rt(key) => match key {
            RtKey::Classid => Field::Rt(None, "classid"),
            RtKey::Nexthop4 => Field::Rt(Some("ip"), "nexthop"),
            RtKey::Nexthop6 => Field::Rt(Some("ip6"), "nexthop"),
            RtKey::Tcpmss => Field::Rt(None, "mtu"),
            RtKey::Ipsec => Field::Rt(None, "ipsec"),
        },
        Load::Socket(key) => match key {
            SocketKey::Transparent => Field::Socket("transparent", None),
            SocketKey::Mark => Field::Socket("mark", None),
            SocketKey::Wildcard => Field::Socket("wildcard", None),
            SocketKey::Cgroupv2(level) => Field::Socket("cgroupv2", Some(*level)),
        },
        Load::Osf { ttl, version } => {
            let mode = match ttl {
                1 => Some("loose"),
                2 => Some("skip"),
                _ => None,
            };
            Field::Osf(mode, if *version { "version" } else { "name" })
        }
        Load::Xfrm {
            outbound,
            spnum,
            key,
        } => {
            let (family, word) = match key {
                XfrmKey::Reqid => (None, "reqid"),
                XfrmKey::Spi => (None, "spi"),
                XfrmKey::Saddr4 => (Some("ip"), "saddr"),
                XfrmKey::Daddr4 => (Some("ip"), "daddr"),
                XfrmKey::Saddr6 => (Some("ip6"), "saddr"),
                XfrmKey::Daddr6 => (Some("ip6"), "daddr"),
            };
            Field::Ipsec(if *outbound { "out" } else { "in" }, *spnum, family, word)
        }
        Load::Tunnel(TunnelKey::Path) => Field::Tunnel("path"),
        Load::Tunnel(TunnelKey::Id) => Field::Tunnel("id"),
        Load::Numgen(numgen) => {
            let mode = if numgen.random { "random" } else { "inc" };
            Field::Numgen(mode, numgen.modulus, numgen.offset)
        }
        Load::Symhash { modulus, offset } => Field::Symhash(*modulus, *offset),
        Load::Inner { tunnel, load } => {
            let word = match tunnel.kind {
                1 => "vxlan",
                2 => "geneve",
                3 => "gre",
                _ => "gretap",
            };
            Field::Inner(word, Box::new(field(&Known::default(), load)))
        }
    }
}

fn meta_word(key: MetaKey) -> &'static str {
    key.word()
}

fn direction(dir: Direction) -> &'static str {
    match dir {
        Direction::Original => "original",
        Direction::Reply => "reply",
    }
}

fn ct_word(key: CtKey, known: &Known) -> &'static str {
    match (key, known.network) {
        (CtKey::Saddr, Some(Header::Ip)) => CtKey::SaddrIp.word(),
        (CtKey::Daddr, Some(Header::Ip)) => CtKey::DaddrIp.word(),
        (CtKey::Saddr, Some(Header::Ip6)) => CtKey::SaddrIp6.word(),
        (CtKey::Daddr, Some(Header::Ip6)) => CtKey::DaddrIp6.word(),
        _ => key.word(),
    }
}

/// The row of a field of the packet, as far as one is known: plain bytes get the name of what lies there.
fn row(
    known: &Known,
    row: Option<&'static field::Field>,
    base: instr::Base,
    bit_offset: u32,
    bits: u32,
) -> Option<&'static field::Field> {
    let named = |header: Header| {
        field::fields(header).iter().find(|field| {
            u32::from(field.bit_offset) == bit_offset && u32::from(field.bit_width) == bits
        })
    };
    match row {
        Some(row) if row.header == Header::Th => known.transport.and_then(named).or(Some(row)),
        Some(row) => Some(row),
        None => match base {
            instr::Base::Transport => named(known.transport.unwrap_or(Header::Th)),
            instr::Base::Network => known.network.and_then(named),
            instr::Base::Link => known.link.and_then(named),
            instr::Base::Inner | instr::Base::Tunnel => None,
        },
    }
}

/// Plain bytes as the field that lies there, so that values are written as its type says.
pub(super) fn with_row<'v>(known: &Known, found: &'v Value) -> Cow<'v, Value> {
    if let ValueKind::Load(load) = &found.kind
        && let Load::Payload {
            field: None,
            base,
            bit_offset,
            bits,
        } = load.as_ref()
        && let Some(field) = row(known, None, *base, *bit_offset, *bits)
    {
        let load = Load::Payload {
            field: Some(field),
            base: *base,
            bit_offset: *bit_offset,
            bits: *bits,
        };
        return Cow::Owned(Value {
            span: found.span,
            ty: Type::new(field.datatype, *bits, found.ty.order),
            kind: ValueKind::Load(Box::new(load)),
        });
    }
    Cow::Borrowed(found)
}

/// Plain bits of the packet as those of whole bytes: the load, and how far up in it they lie.
pub(super) fn whole_bytes(found: &Value) -> Option<(Value, u32)> {
    let ValueKind::Load(load) = &found.kind else {
        return None;
    };
    let Load::Payload {
        field: None,
        base,
        bit_offset,
        bits,
    } = load.as_ref()
    else {
        return None;
    };
    let start = bit_offset / 8 * 8;
    let end = (bit_offset + bits).div_ceil(8) * 8;
    if (start, end) == (*bit_offset, bit_offset + bits) {
        return None;
    }
    let load = Load::Payload {
        field: None,
        base: *base,
        bit_offset: start,
        bits: end - start,
    };
    let value = Value {
        span: found.span,
        ty: Type::new(found.ty.datatype, end - start, found.ty.order),
        kind: ValueKind::Load(Box::new(load)),
    };
    Some((value, end - bit_offset - bits))
}

fn payload(
    known: &Known,
    found: Option<&'static field::Field>,
    base: instr::Base,
    bit_offset: u32,
    bits: u32,
) -> Field {
    let raw = match base {
        instr::Base::Link => "ll",
        instr::Base::Network => "nh",
        instr::Base::Transport => "th",
        instr::Base::Inner | instr::Base::Tunnel => "ih",
    };
    match row(known, found, base, bit_offset, bits) {
        Some(row) => Field::Payload(row.header.word(), row.name),
        None => Field::Raw(raw, bit_offset, bits),
    }
}

fn exthdr(op: ExthdrOp, kind: u8, bit_offset: u32, bits: u32, present: bool) -> Field {
    let mut header = option::all(op).iter().find(|header| header.kind == kind);
    let mut found = None;
    let mut index = None;
    if !present {
        for candidate in option::all(op).iter().filter(|header| header.kind == kind) {
            for field in candidate.fields {
                if u32::from(field.bit_width) != bits {
                    continue;
                }
                let at = u32::from(field.bit_offset);
                let stride = u32::from(field.stride) * 8;
                // of routing headers nft takes the segment routing header, which it looks for first
                if at == bit_offset && (found.is_none() || candidate.routing_type.is_some()) {
                    (header, found) = (Some(candidate), Some(field.name));
                    index = (stride > 0).then_some(1);
                } else if stride > 0 && bit_offset > at && (bit_offset - at).is_multiple_of(stride)
                {
                    (header, found) = (Some(candidate), Some(field.name));
                    index = Some((bit_offset - at) / stride + 1);
                }
            }
        }
    }
    match (op, header) {
        (ExthdrOp::Ipv6, Some(header)) => Field::Exthdr(header.word, found, index),
        (ExthdrOp::Tcpopt, Some(header)) if present || found.is_some() => {
            Field::TcpOption(header.word, found)
        }
        (ExthdrOp::Ipv4, Some(header)) => Field::IpOption(header.word, found),
        (ExthdrOp::Sctp, Some(header)) => Field::SctpChunk(header.word, found),
        (ExthdrOp::Dccp, _) => Field::DccpOption(kind),
        (ExthdrOp::Tcpopt | ExthdrOp::Ipv6 | ExthdrOp::Ipv4 | ExthdrOp::Sctp, _) => {
            Field::RawTcpOption(kind, bit_offset, bits)
        }
    }
}

fn fib(flags: u32, result: FibResult) -> Field {
    const WORDS: &[(u32, &str)] = &[
        (fib_flags::SADDR, "saddr"),
        (fib_flags::DADDR, "daddr"),
        (fib_flags::MARK, "mark"),
        (fib_flags::IIF, "iif"),
        (fib_flags::OIF, "oif"),
    ];
    let words = WORDS
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, word)| *word)
        .collect();
    let result = match result {
        FibResult::Oif => "oif",
        FibResult::Oifname => "oifname",
        FibResult::Type => "type",
    };
    Field::Fib(words, result)
}
