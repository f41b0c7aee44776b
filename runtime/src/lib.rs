//! redan's runtime: the path of a frame from a port through the hooks to another port.

pub mod clock;
pub mod conntrack;
pub mod datapath;
pub mod defrag;
pub mod driver;
pub mod hook;
pub mod log;
pub mod reason;
pub mod router;
pub mod site;

pub use datapath::{
    Checksums, Counters, CtReport, Datapath, Decision, Frame, Offload, OutFrame, Profile, Report,
    Settings, Verdict,
};
pub use log::{LogEntry, Observer, Silent};
pub use reason::Reason;
pub use site::{Mac, Mode, Neighbor, Port, PortId, Prefix, Route, Side, Site, SiteError, Tracking};
