//! Tunnel objects, in nft's order.

use super::super::words::{direction, hex};
use redan_vm::ruleset::{GeneveOption, Tunnel, TunnelKind};
use std::fmt::Write as _;
use std::net::IpAddr;

/// The lines of a tunnel object.
pub(super) fn lines(out: &mut String, tunnel: &Tunnel) {
    line!(out, "\t\tid {}", tunnel.id);
    for (side, addr) in [("saddr", tunnel.saddr), ("daddr", tunnel.daddr)] {
        let family = match addr {
            IpAddr::V4(_) => "ip",
            IpAddr::V6(_) => "ip6",
        };
        line!(out, "\t\t{family} {side} {addr}");
    }
    line!(out, "\t\tsport {}", tunnel.sport);
    line!(out, "\t\tdport {}", tunnel.dport);
    line!(out, "\t\ttos {}", tunnel.tos);
    line!(out, "\t\tttl {}", tunnel.ttl);
    match &tunnel.kind {
        None => {}
        Some(TunnelKind::Vxlan { gbp }) => line!(out, "\t\tvxlan {{\n\t\t\tgbp {gbp}\n\t\t}}"),
        Some(TunnelKind::Erspan1 { index }) => {
            line!(
                out,
                "\t\terspan {{\n\t\t\tversion 1\n\t\t\tindex {index}\n\t\t}}"
            );
        }
        Some(TunnelKind::Erspan2 { egress, hwid }) => {
            let way = direction(*egress);
            line!(
                out,
                "\t\terspan {{\n\t\t\tversion 2\n\t\t\tdirection {way}\n\t\t\tid {hwid}\n\t\t}}"
            );
        }
        Some(TunnelKind::Geneve(options)) => {
            line!(out, "\t\tgeneve {{");
            for GeneveOption { class, kind, data } in options {
                let data = hex(data);
                line!(
                    out,
                    "\t\t\tclass 0x{class:x} opt-type 0x{kind:x} data \"{data}\""
                );
            }
            line!(out, "\t\t}}");
        }
    }
}
