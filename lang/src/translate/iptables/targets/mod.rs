//! Targets, a file for each kind.

mod conntrack;
mod log;
mod marks;
mod nat;
mod packet;
mod verdict;

use super::module::Module;

/// Every target.
pub(super) const GROUPS: &[&[Module]] = &[
    verdict::MODULES,
    log::MODULES,
    marks::MODULES,
    nat::MODULES,
    conntrack::MODULES,
    packet::MODULES,
];
