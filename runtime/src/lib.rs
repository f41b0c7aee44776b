//! redan's runtime: the path of a frame from a port through the hooks to another port.
//!
//! ```text
//! Frame ─> ingress chains of its port ─> by mode:
//!   router  dissect ─> prerouting ─> route ┬> input ─> the machine itself (live: ARP, ND, pings are answered)
//!                                          └> hops, length ─> forward ─> postrouting ─> link header, neighbour
//!   wire    bridge and ip hooks in turn: prerouting, forward, postrouting; input and output for the machine's own addresses
//!   host    from outside prerouting, input; from inside output, postrouting
//! ─> in parts where it came in parts or is too long ─> egress chains of the port ─> OutFrame
//! ```
//!
//! At each hook a packet meets one list by priority ([`hook::HookList`]): defragmentation (-400), conntrack (-200), nat chains (-100 and
//! 100), confirmation (last), and the ruleset's base chains among them. Whatever ends its way ends it with a verdict and, where no rule
//! decided, a [`Reason`]. Packets that are made here (ICMP errors, resets, answers) pass output and postrouting like any other.
//!
//! Time comes in as [`redan_vm::Instant`]: [`clock`] and [`driver`] alone touch the system, so that a replay is exact and every timeout is
//! tested without waiting. A panic while a frame is handled drops that frame ([`Reason::Internal`]).

mod bounded;
pub mod clock;
pub mod conntrack;
pub mod datapath;
pub mod defrag;
pub mod driver;
pub mod frame;
pub mod hook;
pub mod log;
pub mod reason;
pub mod router;
pub mod site;
mod unsupported;

pub use conntrack::CtReport;
pub use datapath::{Checksums, Counters, Datapath, Decision, Profile, Report, Settings, Verdict};
pub use frame::{Frame, Offload, OutFrame};
pub use log::{LogEntry, Observer, Silent, Step};
pub use reason::Reason;
pub use site::{Mac, Mode, Neighbor, Port, PortId, Prefix, Route, Side, Site, SiteError, Tracking};
pub use unsupported::unsupported;
