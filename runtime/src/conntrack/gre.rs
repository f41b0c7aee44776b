//! GRE (`nf_conntrack_proto_gre.c`), without PPTP's key map.

use std::time::Duration;

use redan_vm::ct::status;

use super::change;
use super::life::Life;
use super::tracker::{Seen, Tracked};

/// The timeouts, as they were when the entry was made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gre {
    /// Without an answer.
    pub(super) timeout: Duration,
    /// With traffic both ways.
    pub(super) stream_timeout: Duration,
}

/// A GRE packet.
pub(super) fn track(gre: &mut Gre, life: &mut Life, seen: &Seen<'_>) -> Tracked {
    if !life.is_confirmed() {
        *gre = Gre {
            timeout: seen.tunables.gre_timeout,
            stream_timeout: seen.tunables.gre_timeout_stream,
        };
    }
    if life.has(status::SEEN_REPLY) {
        life.set(status::ASSURED, change::ASSURED);
        return Tracked::Refresh(gre.stream_timeout);
    }
    Tracked::Refresh(gre.timeout)
}
