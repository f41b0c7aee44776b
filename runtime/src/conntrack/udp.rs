//! UDP and UDP-Lite (`nf_conntrack_proto_udp.c`).

use std::time::Duration;

use redan_vm::Instant;
use redan_vm::ct::status;

use super::change;
use super::life::Life;
use super::reason::InvalidReason;
use super::tracker::{Seen, Tracked};

/// A flow younger than this is a question and its answer, not a stream.
const STREAM_AFTER: Duration = Duration::from_secs(2);

/// What the tracker remembers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Udp {
    /// From when on traffic makes it a stream.
    stream_after: Instant,
}

/// A UDP packet.
pub(super) fn track(udp: &mut Udp, life: &mut Life, seen: &Seen<'_>) -> Tracked {
    if let Err(reason) = check(seen) {
        return Tracked::Invalid(reason);
    }
    if !life.is_confirmed() {
        udp.stream_after = seen.now + STREAM_AFTER;
    }
    if life.has(status::SEEN_REPLY) && seen.now > udp.stream_after {
        assure(life);
        return Tracked::Refresh(seen.tunables.udp_timeout_stream);
    }
    Tracked::Refresh(seen.tunables.udp_timeout)
}

/// It has seen both ways. What a clash left over never lasts.
const fn assure(life: &mut Life) {
    if !life.has(status::NAT_CLASH) {
        life.set(status::ASSURED, change::ASSURED);
    }
}

/// A UDP-Lite packet: a stream from the first packet after the answer on.
pub(super) fn track_lite(life: &mut Life, seen: &Seen<'_>) -> Tracked {
    if let Err(reason) = check_lite(seen) {
        return Tracked::Invalid(reason);
    }
    if life.has(status::SEEN_REPLY) {
        assure(life);
        return Tracked::Refresh(seen.tunables.udp_timeout_stream);
    }
    Tracked::Refresh(seen.tunables.udp_timeout)
}

fn check(seen: &Seen<'_>) -> Result<(), InvalidReason> {
    let bytes = seen.packet.bytes;
    let udp = redan_vm::packet::Udp::new_checked(bytes).ok_or(InvalidReason::Truncated)?;
    if udp.is_empty() || usize::from(udp.len()) > bytes.len() {
        return Err(InvalidReason::BadLength);
    }
    // RFC 768: 0 means that the sender made none. Linux takes it for IPv6 too.
    if udp.checksum() == 0 || !seen.is_verified || seen.packet.is_checksum_ok(bytes.len()) {
        Ok(())
    } else {
        Err(InvalidReason::BadChecksum)
    }
}

fn check_lite(seen: &Seen<'_>) -> Result<(), InvalidReason> {
    let bytes = seen.packet.bytes;
    let udp = redan_vm::packet::Udp::new_checked(bytes).ok_or(InvalidReason::Truncated)?;
    let covered = match usize::from(udp.len()) {
        0 => bytes.len(),
        len if udp.is_empty() || len > bytes.len() => return Err(InvalidReason::BadLength),
        len => len,
    };
    // RFC 3828 3.1: UDP-Lite has no way to go without a checksum.
    if udp.checksum() == 0 || (seen.is_verified && !seen.packet.is_checksum_ok(covered)) {
        return Err(InvalidReason::BadChecksum);
    }
    Ok(())
}
