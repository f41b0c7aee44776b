//! Matches, a file for each kind.

mod conntrack;
mod exthdr;
mod host;
mod icmp;
mod marks;
mod packet;
mod ports;
mod rate;
pub(super) mod recent;
mod set;
mod u32;

pub(super) use packet::{dscp_value, tos_value};
pub(super) use ports::port_range as port_of;

use super::module::Module;

/// Every match.
pub(super) const GROUPS: &[&[Module]] = &[
    ports::MODULES,
    icmp::MODULES,
    conntrack::MODULES,
    packet::MODULES,
    exthdr::MODULES,
    marks::MODULES,
    rate::MODULES,
    recent::MODULES,
    set::MODULES,
    host::MODULES,
    u32::MODULES,
];
