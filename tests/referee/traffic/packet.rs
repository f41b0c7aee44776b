//! IP packets around a payload.

use std::net::IpAddr;

use pnet_packet::ip::IpNextHeaderProtocol;
use pnet_packet::ipv4::{self, MutableIpv4Packet};
use pnet_packet::ipv6::MutableIpv6Packet;

/// Source and destination.
pub(super) fn addresses(ip: &[u8]) -> (IpAddr, IpAddr) {
    if ip[0] >> 4 == 6 {
        let at = |i: usize| IpAddr::from(<[u8; 16]>::try_from(&ip[i..i + 16]).expect("16 bytes"));
        (at(8), at(24))
    } else {
        let at = |i: usize| IpAddr::from(<[u8; 4]>::try_from(&ip[i..i + 4]).expect("4 bytes"));
        (at(12), at(16))
    }
}

/// One of the addresses' family.
pub(super) fn packet(
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    ttl: u8,
    id: u16,
    payload: &[u8],
) -> Vec<u8> {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut bytes = vec![0; 20 + payload.len()];
            let len = u16::try_from(bytes.len()).expect("small");
            let mut p = MutableIpv4Packet::new(&mut bytes).expect("20 bytes");
            p.set_version(4);
            p.set_header_length(5);
            p.set_total_length(len);
            p.set_identification(id);
            p.set_ttl(ttl);
            p.set_next_level_protocol(IpNextHeaderProtocol(protocol));
            p.set_source(src);
            p.set_destination(dst);
            p.set_payload(payload);
            let sum = ipv4::checksum(&p.to_immutable());
            p.set_checksum(sum);
            bytes
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut bytes = vec![0; 40 + payload.len()];
            let mut p = MutableIpv6Packet::new(&mut bytes).expect("40 bytes");
            p.set_version(6);
            p.set_payload_length(u16::try_from(payload.len()).expect("small"));
            p.set_next_header(IpNextHeaderProtocol(protocol));
            p.set_hop_limit(ttl);
            p.set_source(src);
            p.set_destination(dst);
            p.set_payload(payload);
            bytes
        }
        _ => unreachable!("both ends of a conversation have one family"),
    }
}
