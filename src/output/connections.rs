//! The connection table in the kernel's format.

use redan_runtime::Datapath;
use redan_vm::Instant;

/// The table as `/proc/net/nf_conntrack` shows it; empty when connections are not tracked.
pub(crate) fn table(datapath: &Datapath, now: Instant) -> String {
    let mut table = String::new();
    if let Some(conntrack) = datapath.conntrack() {
        // A string takes everything.
        _ = conntrack.write_proc(now, &mut table);
    }
    table
}
