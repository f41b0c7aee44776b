//! Questions for link addresses and their answers: ARP (RFC 826) and neighbour discovery (RFC 4861) as bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use redan_vm::packet::checksum::Sum;
use redan_vm::packet::icmpv6::{icmpv6_type, nd_option};
use redan_vm::packet::{Icmpv6, arp, ethernet, ethertype, ipv6, protocol};

use crate::site::Mac;

/// Advertisement flags (RFC 4861 4.4): router, solicited, override.
const FLAGS_ANSWER: u32 = 0xe000_0000;
/// Bytes of a solicitation or advertisement with one link address option.
const ND_BYTES: u16 = 32;

/// An ARP frame.
pub fn arp_frame(
    operation: u16,
    sender: (Mac, Ipv4Addr),
    target: (Mac, Ipv4Addr),
    to: Mac,
) -> Vec<u8> {
    let mut frame = ethernet::emit(to.0, sender.0.0, ethertype::ARP).to_vec();
    frame.extend(arp::emit(
        operation,
        (sender.0.0, sender.1),
        (target.0.0, target.1),
    ));
    frame
}

/// The group that a neighbour solicitation for `target` goes to (RFC 4291 2.7.1).
pub fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = target.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// The link address of a group (RFC 2464 7).
pub fn group_mac(group: Ipv6Addr) -> Mac {
    let [.., a, b, c, d] = group.octets();
    Mac([0x33, 0x33, a, b, c, d])
}

/// A neighbour solicitation, link header included.
pub fn solicitation(sender: (Mac, Ipv6Addr), target: Ipv6Addr) -> Vec<u8> {
    let group = solicited_node(target);
    let option = (nd_option::SOURCE_LINK_ADDR, sender.0);
    let body = (icmpv6_type::NEIGHBOUR_SOLICIT, 0, target);
    nd_frame(
        (sender.0, sender.1),
        (group_mac(group), group),
        body,
        option,
    )
}

/// A neighbour advertisement that answers for `target`, link header included.
pub fn advertisement(own: Mac, target: Ipv6Addr, to: (Mac, Ipv6Addr)) -> Vec<u8> {
    let body = (icmpv6_type::NEIGHBOUR_ADVERT, FLAGS_ANSWER, target);
    nd_frame((own, target), to, body, (nd_option::TARGET_LINK_ADDR, own))
}

fn nd_frame(
    from: (Mac, Ipv6Addr),
    to: (Mac, Ipv6Addr),
    (kind, flags, target): (u8, u32, Ipv6Addr),
    (option, mac): (u8, Mac),
) -> Vec<u8> {
    let mut body = Vec::with_capacity(usize::from(ND_BYTES));
    body.extend([kind, 0, 0, 0]);
    body.extend(flags.to_be_bytes());
    body.extend(target.octets());
    body.extend([option, 1]);
    body.extend(mac.0);
    let sum = Sum::pseudo_v6(from.1, to.1, protocol::ICMPV6, u32::from(ND_BYTES))
        .add_bytes(&body)
        .finish();
    if let Some(mut header) = Icmpv6::new_checked(body.as_mut_slice()) {
        header.set_checksum(sum);
    }
    let mut frame = ethernet::emit(to.0.0, from.0.0, ethertype::IPV6).to_vec();
    frame.extend(ipv6::emit(from.1, to.1, protocol::ICMPV6, 255, ND_BYTES));
    frame.extend(body);
    frame
}
