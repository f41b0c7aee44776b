//! Ethernet II.

use super::header::header;

header! {
    /// An Ethernet header.
    Ethernet, 14 {
        /// Destination MAC address.
        dst, set_dst: [u8; 6] = 0;
        /// Source MAC address.
        src, set_src: [u8; 6] = 6;
        /// [`ethertype`], or a length below 0x600 (IEEE 802.3).
        ethertype, set_ethertype: u16 = 12;
    }
}

/// EtherType numbers.
pub mod ethertype {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// A VLAN tag (802.1Q).
    pub const VLAN: u16 = 0x8100;
    /// An outer VLAN tag (802.1ad).
    pub const QINQ: u16 = 0x88a8;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
    /// The least number that is a type; below it the field is a length.
    pub const MIN: u16 = 0x0600;
}

/// The broadcast address.
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// An Ethernet header's bytes.
pub fn emit(dst: [u8; 6], src: [u8; 6], ethertype: u16) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    if let Some(mut header) = Ethernet::new_checked(&mut bytes) {
        header.set_dst(dst);
        header.set_src(src);
        header.set_ethertype(ethertype);
    }
    bytes
}

/// Whether the address is a multicast or the broadcast address.
pub const fn is_multicast(mac: [u8; 6]) -> bool {
    mac[0] & 1 != 0
}
