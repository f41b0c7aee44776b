//! Tunnel objects.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an object's lines have many kinds: those of a tunnel are named, the others mean nothing in it"
)]

use super::Context;
use crate::ast::{Number, ObjectItem, Str, Word};
use crate::datatype::Type;
use crate::diag::Code;
use redan_vm::datatype::DataType;
use redan_vm::family::Family;
use redan_vm::ids::TableId;
use redan_vm::ruleset::{GeneveOption, StateSpec, Tunnel, TunnelKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of one Geneve option's data (`nft_tunnel.c: nft_tunnel_opts_geneve_policy`).
const OPTION_BYTES: usize = 127;

/// What a tunnel's lines say, before it is known whether they are all there.
#[derive(Default)]
struct Lines {
    id: u32,
    saddr: Option<IpAddr>,
    daddr: Option<IpAddr>,
    sport: u16,
    dport: u16,
    tos: u8,
    ttl: u8,
    kind: Option<TunnelKind>,
}

/// Reads a tunnel object; Linux has them in tables of netdev only (`nft_tunnel.c: nft_tunnel_obj_type`).
pub(super) fn tunnel(
    cx: &mut Context<'_>,
    table: TableId,
    word: Word,
    items: &[ObjectItem],
) -> Option<StateSpec> {
    let family = cx.ruleset.tables.get(table.index())?.family;
    if family != Family::Netdev {
        return cx.error(
            Code::WrongFamily,
            word.span,
            "tunnel objects are only valid in tables of family netdev",
        );
    }
    let mut lines = Lines::default();
    for item in items {
        lines.read(cx, item)?;
    }
    match (lines.saddr, lines.daddr) {
        (Some(saddr), Some(daddr)) if saddr.is_ipv4() == daddr.is_ipv4() => {
            Some(StateSpec::Tunnel(Box::new(Tunnel {
                id: lines.id,
                saddr,
                daddr,
                sport: lines.sport,
                dport: lines.dport,
                tos: lines.tos,
                ttl: lines.ttl,
                kind: lines.kind,
            })))
        }
        _ => cx.error(
            Code::BadDeclaration,
            word.span,
            "a tunnel needs both outer addresses, of one family: `ip saddr` and `ip daddr`, or `ip6 saddr` and `ip6 daddr`",
        ),
    }
}

impl Lines {
    fn read(&mut self, cx: &mut Context<'_>, item: &ObjectItem) -> Option<()> {
        match item {
            ObjectItem::TunnelNumber(what, number) => match cx.text(*what) {
                "id" => self.id = fits(cx, *number)?,
                "sport" => self.sport = fits(cx, *number)?,
                "tos" => self.tos = fits(cx, *number)?,
                "ttl" => self.ttl = fits(cx, *number)?,
                _ => return misplaced(cx, *what),
            },
            ObjectItem::Dport(port) => {
                let port = cx.single(port, Type::of(DataType::InetService))?;
                self.dport = u16::try_from(port).ok()?;
            }
            ObjectItem::TunnelAddr(family, side, addr) => {
                let is_v4 = cx.text(*family) == "ip";
                let is_source = cx.text(*side) == "saddr";
                let addr = if is_v4 {
                    let bits = cx.single(addr, Type::of(DataType::Ipv4Addr))?;
                    IpAddr::from(Ipv4Addr::from_bits(u32::try_from(bits).ok()?))
                } else {
                    let bits = cx.single(addr, Type::of(DataType::Ipv6Addr))?;
                    IpAddr::from(Ipv6Addr::from_bits(bits))
                };
                *if is_source {
                    &mut self.saddr
                } else {
                    &mut self.daddr
                } = Some(addr);
            }
            ObjectItem::TunnelKind(word, lines) => {
                if self.kind.is_some() {
                    return cx.error(
                        Code::BadDeclaration,
                        word.span,
                        "a tunnel has one encapsulation",
                    );
                }
                self.kind = Some(match cx.text(*word) {
                    "vxlan" => vxlan(cx, lines)?,
                    "geneve" => geneve(cx, lines)?,
                    _ => erspan(cx, *word, lines)?,
                });
            }
            ObjectItem::TunnelDirection(word) => return misplaced(cx, *word),
            _ => {}
        }
        Some(())
    }
}

fn vxlan(cx: &mut Context<'_>, lines: &[ObjectItem]) -> Option<TunnelKind> {
    let mut gbp = 0;
    for line in lines {
        match line {
            ObjectItem::TunnelNumber(what, number) if cx.text(*what) == "gbp" => {
                gbp = fits(cx, *number)?;
            }
            ObjectItem::TunnelNumber(word, _) | ObjectItem::TunnelDirection(word) => {
                return misplaced(cx, *word);
            }
            _ => {}
        }
    }
    Some(TunnelKind::Vxlan { gbp })
}

fn erspan(cx: &mut Context<'_>, word: Word, lines: &[ObjectItem]) -> Option<TunnelKind> {
    let (mut version, mut index, mut egress, mut hwid) = (0_u8, None, None, None);
    for line in lines {
        match line {
            ObjectItem::TunnelNumber(what, number) => match cx.text(*what) {
                "version" => version = fits(cx, *number)?,
                "index" => index = Some(fits(cx, *number)?),
                "id" => hwid = Some(fits(cx, *number)?),
                _ => return misplaced(cx, *what),
            },
            ObjectItem::TunnelDirection(word) => match cx.text(*word) {
                "ingress" => egress = Some(false),
                "egress" => egress = Some(true),
                other => {
                    return cx.unknown(
                        Code::UnknownKeyword,
                        word.span,
                        "direction",
                        other,
                        ["ingress", "egress"],
                    );
                }
            },
            _ => {}
        }
    }
    match (version, index, egress, hwid) {
        (1, Some(index), None, None) => Some(TunnelKind::Erspan1 { index }),
        (2, None, Some(egress), Some(hwid)) => Some(TunnelKind::Erspan2 { egress, hwid }),
        _ => cx.error(
            Code::BadDeclaration,
            word.span,
            "erspan has `version 1` with `index`, or `version 2` with `direction` and `id`",
        ),
    }
}

fn geneve(cx: &mut Context<'_>, lines: &[ObjectItem]) -> Option<TunnelKind> {
    let mut options = Vec::new();
    for line in lines {
        match line {
            ObjectItem::TunnelOption(class, kind, data) => options.push(GeneveOption {
                class: fits(cx, *class)?,
                kind: fits(cx, *kind)?,
                data: option_data(cx, *data)?,
            }),
            ObjectItem::TunnelNumber(word, _) | ObjectItem::TunnelDirection(word) => {
                return misplaced(cx, *word);
            }
            _ => {}
        }
    }
    Some(TunnelKind::Geneve(options))
}

/// `0x12345678`: whole words of 4 bytes.
fn option_data(cx: &mut Context<'_>, data: Str) -> Option<Vec<u8>> {
    let text = data.text(cx.sources);
    let digits = text.strip_prefix("0x").unwrap_or_default().as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    match bytes {
        Some(bytes)
            if !bytes.is_empty()
                && digits.len().is_multiple_of(8)
                && bytes.len() <= OPTION_BYTES =>
        {
            Some(bytes)
        }
        _ => cx.error(
            Code::BadString,
            data.span,
            "an option's data is written in hex, in whole words of 4 bytes, up to 124 bytes: \"0x12345678\"",
        ),
    }
}

fn fits<T: TryFrom<u64>>(cx: &mut Context<'_>, number: Number) -> Option<T> {
    match T::try_from(number.value) {
        Ok(value) => Some(value),
        Err(_) => cx.error(
            Code::ValueOutOfRange,
            number.span,
            format!("{} does not fit {} bits", number.value, 8 * size_of::<T>()),
        ),
    }
}

fn misplaced<T>(cx: &mut Context<'_>, word: Word) -> Option<T> {
    let text = cx.text(word).to_owned();
    cx.error(
        Code::BadDeclaration,
        word.span,
        format!("`{text}` cannot stand here"),
    )
}
