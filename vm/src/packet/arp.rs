//! ARP for IPv4 over Ethernet (RFC 826).

use std::net::Ipv4Addr;

use super::header::header;

header! {
    /// An ARP packet.
    Arp, 28 {
        /// Hardware type; 1 is Ethernet.
        hardware, set_hardware: u16 = 0;
        /// Protocol type; an EtherType.
        protocol, set_protocol: u16 = 2;
        /// Bytes of a hardware address.
        hardware_len, set_hardware_len: u8 = 4;
        /// Bytes of a protocol address.
        protocol_len, set_protocol_len: u8 = 5;
        /// [`operation`].
        operation, set_operation: u16 = 6;
        /// Sender's MAC address.
        sender_mac, set_sender_mac: [u8; 6] = 8;
        /// Sender's IPv4 address.
        sender_ip, set_sender_ip: Ipv4Addr = 14;
        /// Target's MAC address.
        target_mac, set_target_mac: [u8; 6] = 18;
        /// Target's IPv4 address.
        target_ip, set_target_ip: Ipv4Addr = 24;
    }
}

/// ARP operations.
pub mod operation {
    /// Who has it?
    pub const REQUEST: u16 = 1;
    /// I have.
    pub const REPLY: u16 = 2;
}

impl<T: AsRef<[u8]>> Arp<T> {
    /// Whether it speaks of IPv4 over Ethernet, so that the addresses lie where the getters read them.
    pub fn is_ethernet_ipv4(&self) -> bool {
        self.hardware() == 1
            && self.protocol() == 0x0800
            && self.hardware_len() == 6
            && self.protocol_len() == 4
    }
}

/// An ARP packet's bytes, for IPv4 over Ethernet.
pub fn emit(operation: u16, sender: ([u8; 6], Ipv4Addr), target: ([u8; 6], Ipv4Addr)) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    if let Some(mut arp) = Arp::new_checked(&mut bytes) {
        arp.set_hardware(1);
        arp.set_protocol(0x0800);
        arp.set_hardware_len(6);
        arp.set_protocol_len(4);
        arp.set_operation(operation);
        arp.set_sender_mac(sender.0);
        arp.set_sender_ip(sender.1);
        arp.set_target_mac(target.0);
        arp.set_target_ip(target.1);
    }
    bytes
}
