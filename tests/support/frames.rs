//! Frames and captures for tests, made with code that shares nothing with the project's own.

use std::net::Ipv4Addr;

use pnet_packet::ethernet::{EtherTypes, MutableEthernetPacket};
use pnet_packet::ip::{IpNextHeaderProtocol, IpNextHeaderProtocols};
use pnet_packet::ipv4::{self, MutableIpv4Packet};
use pnet_packet::tcp::{self, MutableTcpPacket};
use pnet_packet::udp::{self, MutableUdpPacket};
use redan_runtime::driver::capture::CaptureWriter;
use redan_vm::Instant;

/// TCP flag bits.
pub const SYN: u8 = 2;
/// TCP flag bits.
pub const RST: u8 = 4;
/// TCP flag bits.
pub const ACK: u8 = 16;

/// Where a frame's Ethernet header points: to a port of the site below.
pub const LAN_MAC: [u8; 6] = [2, 0, 0, 0, 1, 1];
/// Where a frame's Ethernet header points: to a port of the site below.
pub const WAN_MAC: [u8; 6] = [2, 0, 0, 0, 2, 1];

/// A router between two networks.
pub const SITE: &str = r#"
mode = "router"
[[port]]
name = "lan0"
mac = "02:00:00:00:01:01"
addresses = ["10.1.0.1/16"]
[[port]]
name = "wan0"
mac = "02:00:00:00:02:01"
addresses = ["10.2.0.1/16"]
"#;

/// An end: address and port.
pub type End = ([u8; 4], u16);

/// A TCP segment.
pub struct Segment {
    /// From where.
    pub src: End,
    /// To where.
    pub dst: End,
    /// Flag bits.
    pub flags: u8,
    /// Sequence and acknowledgement number.
    pub numbers: (u32, u32),
    /// What it carries.
    pub payload: &'static [u8],
}

/// A TCP frame.
pub fn tcp(to: [u8; 6], segment: &Segment) -> Vec<u8> {
    let mut bytes = vec![0; 20 + segment.payload.len()];
    let (src, dst) = (Ipv4Addr::from(segment.src.0), Ipv4Addr::from(segment.dst.0));
    let mut header = MutableTcpPacket::new(&mut bytes).expect("room for a header");
    header.set_source(segment.src.1);
    header.set_destination(segment.dst.1);
    header.set_sequence(segment.numbers.0);
    header.set_acknowledgement(segment.numbers.1);
    header.set_data_offset(5);
    header.set_flags(segment.flags);
    header.set_window(64000);
    header.set_payload(segment.payload);
    let sum = tcp::ipv4_checksum(&header.to_immutable(), &src, &dst);
    header.set_checksum(sum);
    ip(to, IpNextHeaderProtocols::Tcp, src, dst, &bytes)
}

/// A UDP frame.
pub fn udp(to: [u8; 6], src: End, dst: End, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 8 + payload.len()];
    let (from, till) = (Ipv4Addr::from(src.0), Ipv4Addr::from(dst.0));
    let length = u16::try_from(bytes.len()).expect("a short payload");
    let mut header = MutableUdpPacket::new(&mut bytes).expect("room for a header");
    header.set_source(src.1);
    header.set_destination(dst.1);
    header.set_length(length);
    header.set_payload(payload);
    let sum = udp::ipv4_checksum(&header.to_immutable(), &from, &till);
    header.set_checksum(sum);
    ip(to, IpNextHeaderProtocols::Udp, from, till, &bytes)
}

fn ip(
    to: [u8; 6],
    protocol: IpNextHeaderProtocol,
    src: Ipv4Addr,
    dst: Ipv4Addr,
    body: &[u8],
) -> Vec<u8> {
    let mut frame = vec![0; 14 + 20 + body.len()];
    let mut link = MutableEthernetPacket::new(&mut frame).expect("room for a header");
    link.set_destination(to.into());
    link.set_source([2, 0, 0, 0, 9, 9].into());
    link.set_ethertype(EtherTypes::Ipv4);
    let mut header = MutableIpv4Packet::new(&mut frame[14..]).expect("room for a header");
    header.set_version(4);
    header.set_header_length(5);
    header.set_total_length(u16::try_from(20 + body.len()).expect("a short packet"));
    header.set_ttl(64);
    header.set_next_level_protocol(protocol);
    header.set_source(src);
    header.set_destination(dst);
    header.set_payload(body);
    let sum = ipv4::checksum(&header.to_immutable());
    header.set_checksum(sum);
    frame
}

/// A pcapng of frames, each a tenth of a second after the one before; the number says by which of the interfaces it came.
pub fn capture(interfaces: &[&str], frames: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let names: Vec<String> = interfaces.iter().map(|&name| name.to_owned()).collect();
    let mut writer = CaptureWriter::new(Vec::new(), &names).expect("memory takes everything");
    for (at, (interface, frame)) in (0_u64..).zip(frames) {
        let time = Instant::from_nanos(1_700_000_000_000_000_000 + at * 100_000_000);
        writer
            .write(time, *interface, frame)
            .expect("memory takes everything");
    }
    writer.finish().expect("memory takes everything")
}
