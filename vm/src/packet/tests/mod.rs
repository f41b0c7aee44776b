//! Builders of frames for the tests of this module.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

mod cases;
mod props;
mod rewriting;

const MAC_A: [u8; 6] = [2, 0, 0, 0, 0, 1];
const MAC_B: [u8; 6] = [2, 0, 0, 0, 0, 2];
const V4_A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const V4_B: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 9);
const V6_A: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const V6_B: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn eth(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    join(&[&ethernet::emit(MAC_B, MAC_A, ethertype), rest])
}

fn v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    join(&[
        &ipv4::emit(V4_A, V4_B, protocol, 64, payload.len() as u16),
        payload,
    ])
}

fn v4_with(payload: &[u8], change: impl Fn(&mut Ipv4<&mut [u8]>)) -> Vec<u8> {
    let mut packet = v4(protocol::UDP, payload);
    let mut ip = Ipv4::new_checked(packet.as_mut_slice()).unwrap();
    change(&mut ip);
    ip.fill_checksum();
    packet
}

fn v6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    join(&[
        &ipv6::emit(V6_A, V6_B, next_header, 64, payload.len() as u16),
        payload,
    ])
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() + 8) as u16;
    join(&[
        &1000u16.to_be_bytes(),
        &53u16.to_be_bytes(),
        &len.to_be_bytes(),
        &[0, 0],
        payload,
    ])
}

fn tcp(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 20];
    let mut header = Tcp::new_checked(&mut bytes).unwrap();
    header.set_src_port(1000);
    header.set_dst_port(80);
    header.set_data_offset((((20 + options.len()) / 4) as u8) << 4);
    header.set_flags(tcp::flags::SYN);
    join(&[&bytes, options, payload])
}

/// An extension header of 8 bytes.
fn ext(next: u8) -> [u8; 8] {
    [next, 0, 1, 4, 0, 0, 0, 0]
}

fn frag6(next: u8, offset: u16, more: bool) -> [u8; 8] {
    let [a, b] = (offset | u16::from(more)).to_be_bytes();
    [next, 0, a, b, 0, 0, 0, 7]
}
