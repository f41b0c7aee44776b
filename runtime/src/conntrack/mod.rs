//! Connection tracking as Linux does it.
//!
//! One owner, no locks, no clock: time comes in with every call. The datapath calls [`Conntrack::handle_packet`] at prerouting and output
//! (priority -200), [`Conntrack::confirm`] last in input and postrouting, and [`Conntrack::release`] for every packet that ends before that.
//!
//! A packet finds its entry by its tuple, or makes one that is not in the table yet. The protocol's tracker (one file each) says whether the packet
//! belongs there and how long the entry lives on. Only when the packet has passed all rules does a new entry go into the table.
//!
//! The floors, from the ground: `tuple`, `transport`, `life` and `change`; the trackers, a file a protocol (`tcp`, `udp`, `icmp`, `sctp`, `gre`) and
//! `proto`, which has them all; `helper`, a file each; `entry` and `extension`; the table (`index`, `slab`, `wheel`, `table`); `info`, `event` and `text`, which show
//! it; `expectations` and `policies`; `engine`, which owns all of this, and what it does: `ending`, `classify`, `confirm`, `keys`, `counted`, `translated`, `assisted`. A file uses those
//! below it alone.

mod assisted;
pub mod change;
mod classify;
mod confirm;
mod connlimit;
mod counted;
mod ending;
mod engine;
mod entry;
mod event;
mod expectations;
mod extension;
mod gre;
mod helper;
mod huge_pages;
mod icmp;
mod index;
mod info;
mod keys;
mod life;
mod outcome;
mod policies;
mod proto;
mod reason;
mod report;
mod reservations;
mod sctp;
mod slab;
mod stats;
mod table;
mod tcp;
#[cfg(test)]
mod tests;
mod text;
mod tracker;
mod translated;
mod transport;
mod tunables;
mod tuple;
mod udp;
mod wheel;

pub use engine::Conntrack;
pub use entry::Traffic;
pub use event::{Event, EventKind};
pub use helper::is_helper;
pub use info::EntryInfo;
pub use outcome::{CtDrop, Track, TrackHook};
pub use reason::InvalidReason;
pub use report::CtReport;
pub use sctp::SctpState;
pub use stats::Stats;
pub use tcp::TcpState;
pub use text::{LineOptions, write_line, write_proc_line};
pub use tunables::{Tunable, TunableError, TunableKind, Tunables};
pub use tuple::{Tuple, Zone};
