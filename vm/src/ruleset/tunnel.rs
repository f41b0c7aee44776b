//! What a tunnel object puts on a packet, for the tunnel device that sends it (`nft_tunnel.c: nft_tunnel_obj_init`).

use std::net::IpAddr;

/// A named `tunnel`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// The tunnel's number, such as a VNI.
    pub id: u32,
    /// Outer source address.
    pub saddr: IpAddr,
    /// Outer destination address, of the same family.
    pub daddr: IpAddr,
    /// Outer source port.
    pub sport: u16,
    /// Outer destination port.
    pub dport: u16,
    /// Outer type of service.
    pub tos: u8,
    /// Outer time to live.
    pub ttl: u8,
    /// What is particular to the encapsulation.
    pub kind: Option<TunnelKind>,
}

/// What is particular to an encapsulation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TunnelKind {
    /// VXLAN with a group policy.
    Vxlan {
        /// The policy's number.
        gbp: u32,
    },
    /// ERSPAN version 1.
    Erspan1 {
        /// Of the mirrored port.
        index: u32,
    },
    /// ERSPAN version 2.
    Erspan2 {
        /// What was mirrored was on its way out.
        egress: bool,
        /// Of the mirroring engine.
        hwid: u8,
    },
    /// Options of Geneve.
    Geneve(Vec<GeneveOption>),
}

/// One option of Geneve (RFC 8926, 3.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GeneveOption {
    /// Who defines the type.
    pub class: u16,
    /// Its type.
    pub kind: u8,
    /// Its data: whole words of 4 bytes.
    pub data: Vec<u8>,
}
