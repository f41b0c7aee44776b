//! What the rules say would become of an attempt, before it is made: its frames, one after the other, through a datapath of its own that
//! runs the interpreter. No kernel, no TAP and none of the live datapath's state takes part, so that agreement means something.
//!
//! An attempt is through when every frame of its dialogue leaves by the other port; it is refused when one that the trying host sent
//! makes something come back to it (a reset, an ICMP error); else nothing comes of it.

use redan_runtime::{Datapath, Frame, PortId, Verdict};
use redan_vm::Instant;

use super::attempts::{Attempt, End};
use super::protocol::Outcome;

/// Runs an attempt's dialogue.
pub(super) fn forecast(datapath: &mut Datapath, now: Instant, attempt: &Attempt) -> Outcome {
    for (from, spec) in attempt.dialogue() {
        let Some(port) = datapath.site().ports.get(from.index()) else {
            return Outcome::Nothing;
        };
        let frame = Frame::from(spec.frame(from.mac(), port.mac));
        let mut out = Vec::new();
        let report = datapath.handle_frame(now, port_id(from), frame, &mut out);
        let arrived = report.verdict == Verdict::Accept
            && out.iter().any(|frame| frame.port == port_id(from.other()));
        if !arrived {
            let told = out.iter().any(|frame| frame.port == port_id(attempt.by));
            return if told && from == attempt.by {
                Outcome::Refused
            } else {
                Outcome::Nothing
            };
        }
    }
    Outcome::Through
}

/// The port that a host stands behind.
pub(super) fn port_id(end: End) -> PortId {
    PortId(match end {
        End::Client => 0,
        End::Server => 1,
    })
}
