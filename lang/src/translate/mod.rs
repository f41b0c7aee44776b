//! Rules that other programs wrote, as rules of nft's language. Each source has its own folder and shares nothing with the others but this file.

pub mod iptables;
pub mod networkpolicy;
