//! SCTP (`nf_conntrack_proto_sctp.c`; RFC 9260 8.4 and 8.5 for tags and packets out of the blue).

use std::time::Duration;

use redan_vm::ct::{Direction, status};
use redan_vm::packet::checksum;
use redan_vm::packet::sctp::{Chunk, Chunks, chunk_type};

use super::change;
use super::life::Life;
use super::reason::InvalidReason;
use super::tracker::{Seen, Tracked};
use super::tunables::Tunables;

macro_rules! sctp_states {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $timeout:ident;)*) => {
        /// State of an SCTP association.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub enum SctpState { $($(#[$doc])* $variant,)* }

        impl SctpState {
            /// Every state, in the kernel's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in listings.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How long an association stays in it without a packet.
            pub const fn timeout(self, tunables: &Tunables) -> Duration {
                match self { $(Self::$variant => tunables.$timeout,)* }
            }
        }
    };
}

sctp_states! {
    /// Nothing seen.
    #[default]
    None = "NONE", sctp_timeout_closed;
    /// Over, or just INIT seen.
    Closed = "CLOSED", sctp_timeout_closed;
    /// INIT ACK seen.
    CookieWait = "COOKIE_WAIT", sctp_timeout_cookie_wait;
    /// COOKIE ECHO seen.
    CookieEchoed = "COOKIE_ECHOED", sctp_timeout_cookie_echoed;
    /// Open.
    Established = "ESTABLISHED", sctp_timeout_established;
    /// SHUTDOWN from the initiator.
    ShutdownSent = "SHUTDOWN_SENT", sctp_timeout_shutdown_sent;
    /// SHUTDOWN from the other side.
    ShutdownRecd = "SHUTDOWN_RECD", sctp_timeout_shutdown_recd;
    /// SHUTDOWN ACK seen.
    ShutdownAckSent = "SHUTDOWN_ACK_SENT", sctp_timeout_shutdown_ack_sent;
    /// HEARTBEAT of an association whose start was not seen.
    HeartbeatSent = "HEARTBEAT_SENT", sctp_timeout_heartbeat_sent;
}

impl SctpState {
    /// Whether the association is ending.
    pub const fn is_closing(self) -> bool {
        matches!(
            self,
            Self::ShutdownSent | Self::ShutdownRecd | Self::ShutdownAckSent
        )
    }
}

/// Where a chunk leads; `None` is INVALID.
type Next = Option<SctpState>;

const IV: Next = None;
const CL: Next = Some(SctpState::Closed);
const CW: Next = Some(SctpState::CookieWait);
const CE: Next = Some(SctpState::CookieEchoed);
const ES: Next = Some(SctpState::Established);
const SS: Next = Some(SctpState::ShutdownSent);
const SR: Next = Some(SctpState::ShutdownRecd);
const SA: Next = Some(SctpState::ShutdownAckSent);
const HS: Next = Some(SctpState::HeartbeatSent);

/// By direction, then chunk; columns in order of [`SctpState`].
#[rustfmt::skip]
const TABLE: [[[Next; 9]; 11]; 2] = [
    [
        /* INIT              */ [CL, CL, CW, CE, ES, CL, CL, SA, CW],
        /* INIT ACK          */ [CL, CL, CW, CE, ES, SS, SR, SA, CL],
        /* ABORT             */ [CL, CL, CL, CL, CL, CL, CL, CL, CL],
        /* SHUTDOWN          */ [CL, CL, CW, CE, SS, SS, SR, SA, CL],
        /* SHUTDOWN ACK      */ [SA, CL, CW, CE, ES, SA, SA, SA, SA],
        /* ERROR             */ [CL, CL, CW, CE, ES, SS, SR, SA, CL],
        /* COOKIE ECHO       */ [CL, CL, CE, CE, ES, SS, SR, SA, CL],
        /* COOKIE ACK        */ [CL, CL, CW, ES, ES, SS, SR, SA, CL],
        /* SHUTDOWN COMPLETE */ [CL, CL, CW, CE, ES, SS, SR, CL, CL],
        /* HEARTBEAT         */ [HS, CL, CW, CE, ES, SS, SR, SA, HS],
        /* HEARTBEAT ACK     */ [CL, CL, CW, CE, ES, SS, SR, SA, HS],
    ],
    [
        /* INIT              */ [IV, CL, CW, CE, ES, SS, SR, SA, IV],
        /* INIT ACK          */ [IV, CW, CW, CE, ES, SS, SR, SA, IV],
        /* ABORT             */ [IV, CL, CL, CL, CL, CL, CL, CL, IV],
        /* SHUTDOWN          */ [IV, CL, CW, CE, SR, SS, SR, SA, IV],
        /* SHUTDOWN ACK      */ [IV, CL, CW, CE, ES, SA, SA, SA, IV],
        /* ERROR             */ [IV, CL, CW, CL, ES, SS, SR, SA, IV],
        /* COOKIE ECHO       */ [IV, CL, CE, CE, ES, SS, SR, SA, IV],
        /* COOKIE ACK        */ [IV, CL, CW, ES, ES, SS, SR, SA, IV],
        /* SHUTDOWN COMPLETE */ [IV, CL, CW, CE, ES, SS, SR, CL, IV],
        /* HEARTBEAT         */ [IV, CL, CW, CE, ES, SS, SR, SA, HS],
        /* HEARTBEAT ACK     */ [IV, CL, CW, CE, ES, SS, SR, SA, ES],
    ],
];

/// Looks up where a chunk leads; chunks without a row keep the state.
#[expect(
    clippy::indexing_slicing,
    reason = "the table has a place for every direction, row number and state"
)]
const fn next(direction: Direction, kind: u8, state: SctpState) -> Next {
    let row = match kind {
        chunk_type::INIT => 0,
        chunk_type::INIT_ACK => 1,
        chunk_type::ABORT => 2,
        chunk_type::SHUTDOWN => 3,
        chunk_type::SHUTDOWN_ACK => 4,
        chunk_type::ERROR => 5,
        chunk_type::COOKIE_ECHO => 6,
        chunk_type::COOKIE_ACK => 7,
        chunk_type::SHUTDOWN_COMPLETE => 8,
        chunk_type::HEARTBEAT => 9,
        chunk_type::HEARTBEAT_ACK => 10,
        _ => return Some(state),
    };
    TABLE[direction as usize][row][state as usize]
}

/// An association.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sctp {
    /// The tag that packets of each direction carry; 0 while it is not known.
    tags: [u32; 2],
    state: SctpState,
    /// The direction of a HEARTBEAT with a foreign tag: its answer may bring new tags (the association restarted).
    foreign_heartbeat: Option<Direction>,
    /// Directions from which INIT came.
    has_init: [bool; 2],
}

/// Chunk types of a packet, one bit each.
#[derive(Clone, Copy)]
struct Kinds(u64);

impl Kinds {
    fn has(self, kinds: &[u8]) -> bool {
        kinds.iter().any(|kind| self.0 & (1 << kind) != 0)
    }
}

/// An SCTP packet.
pub(super) fn track(sctp: &mut Sctp, life: &mut Life, seen: &Seen<'_>) -> Tracked {
    match sctp.handle(life, seen) {
        Ok(tracked) => tracked,
        Err(reason) => Tracked::Invalid(reason),
    }
}

/// What one chunk does.
enum Step {
    /// The state moves on.
    To(SctpState),
    /// A HEARTBEAT with a foreign tag: remembered, no sign of life.
    Foreign,
}

impl Sctp {
    /// The association's state.
    pub(super) const fn state(&self) -> SctpState {
        self.state
    }

    fn handle(&mut self, life: &mut Life, seen: &Seen<'_>) -> Result<Tracked, InvalidReason> {
        let bytes = seen.packet.bytes;
        let header = redan_vm::packet::Sctp::new_checked(bytes).ok_or(InvalidReason::Truncated)?;
        if seen.is_verified && header.checksum() != checksum::sctp(bytes) {
            return Err(InvalidReason::BadChecksum);
        }
        let kinds = kinds(header.chunks())?;
        if !life.is_confirmed() {
            self.start(&header, kinds)?;
        }
        let is_tag_of_chunk = kinds.has(&[
            chunk_type::INIT,
            chunk_type::ABORT,
            chunk_type::SHUTDOWN_ACK,
            chunk_type::SHUTDOWN_COMPLETE,
            chunk_type::COOKIE_ECHO,
            chunk_type::HEARTBEAT,
            chunk_type::HEARTBEAT_ACK,
        ]);
        if !is_tag_of_chunk && header.tag() != self.tag(seen.direction) {
            return Err(InvalidReason::BadTag);
        }
        let mut is_ignored = false;
        let (mut old, mut new) = (SctpState::None, SctpState::None);
        for chunk in header.chunks() {
            match self.step(&chunk, header.tag(), seen.direction, kinds, is_ignored)? {
                Step::Foreign => is_ignored = true,
                Step::To(state) => {
                    (old, new) = (self.state, state);
                    self.state = state;
                    if old != new {
                        life.changes |= change::PROTOINFO;
                        if new == SctpState::Established {
                            life.set(status::ASSURED, change::ASSURED);
                        }
                    }
                }
            }
        }
        // A repeated INIT must not keep the entry alive for ever.
        let is_repeated = life.is_confirmed()
            && kinds.has(&[chunk_type::INIT])
            && (old, new) == (SctpState::Closed, SctpState::Closed);
        if is_ignored || is_repeated {
            return Ok(Tracked::Ignore);
        }
        Ok(Tracked::Refresh(new.timeout(seen.tunables)))
    }

    fn tag(&self, direction: Direction) -> u32 {
        let [original, reply] = self.tags;
        match direction {
            Direction::Original => original,
            Direction::Reply => reply,
        }
    }

    const fn tag_mut(&mut self, direction: Direction) -> &mut u32 {
        let [original, reply] = &mut self.tags;
        match direction {
            Direction::Original => original,
            Direction::Reply => reply,
        }
    }

    const fn has_init_mut(&mut self, direction: Direction) -> &mut bool {
        let [original, reply] = &mut self.has_init;
        match direction {
            Direction::Original => original,
            Direction::Reply => reply,
        }
    }

    /// An association's first packet.
    fn start(
        &mut self,
        header: &redan_vm::packet::Sctp<&[u8]>,
        kinds: Kinds,
    ) -> Result<(), InvalidReason> {
        *self = Self::default();
        if kinds.has(&[
            chunk_type::ABORT,
            chunk_type::SHUTDOWN_COMPLETE,
            chunk_type::COOKIE_ACK,
        ]) {
            return Err(InvalidReason::NoEntry);
        }
        for chunk in header.chunks() {
            match next(Direction::Original, chunk.kind, SctpState::None) {
                None | Some(SctpState::None) => return Err(InvalidReason::NoEntry),
                Some(_) => {}
            }
            match chunk.kind {
                chunk_type::INIT if header.tag() != 0 => return Err(InvalidReason::BadTag),
                chunk_type::INIT => *self.tag_mut(Direction::Reply) = init_tag(&chunk)?,
                chunk_type::HEARTBEAT => *self.tag_mut(Direction::Original) = header.tag(),
                // RFC 9260 8.4 (5): SHUTDOWN COMPLETE answers with the same tag.
                chunk_type::SHUTDOWN_ACK => *self.tag_mut(Direction::Reply) = header.tag(),
                _ => {}
            }
        }
        Ok(())
    }

    /// One chunk: its tag, then where it leads.
    fn step(
        &mut self,
        chunk: &Chunk<'_>,
        tag: u32,
        direction: Direction,
        kinds: Kinds,
        is_ignored: bool,
    ) -> Result<Step, InvalidReason> {
        /// ABORT and SHUTDOWN COMPLETE: the sender reflects the tag that it got (RFC 9260 8.5.1 B).
        const REFLECTED: u8 = 1;
        let own = self.tag(direction);
        match chunk.kind {
            chunk_type::INIT if tag != 0 => return Err(InvalidReason::BadTag),
            chunk_type::ABORT | chunk_type::SHUTDOWN_COMPLETE => {
                let expected = if chunk.flags & REFLECTED == 0 {
                    own
                } else {
                    self.tag(direction.opposite())
                };
                if tag != expected {
                    return Err(InvalidReason::BadTag);
                }
            }
            chunk_type::COOKIE_ECHO if tag != own => return Err(InvalidReason::BadTag),
            chunk_type::COOKIE_ACK => self.has_init = [false; 2],
            chunk_type::HEARTBEAT | chunk_type::HEARTBEAT_ACK if own == 0 => {
                *self.tag_mut(direction) = tag;
            }
            chunk_type::HEARTBEAT | chunk_type::HEARTBEAT_ACK if own == tag => {
                self.foreign_heartbeat = None;
            }
            chunk_type::HEARTBEAT | chunk_type::HEARTBEAT_ACK
                if is_ignored || kinds.has(&[chunk_type::DATA]) =>
            {
                return Err(InvalidReason::BadTag);
            }
            chunk_type::HEARTBEAT => {
                self.foreign_heartbeat = Some(direction);
                return Ok(Step::Foreign);
            }
            chunk_type::HEARTBEAT_ACK => {
                if self.foreign_heartbeat != Some(direction.opposite()) {
                    return Err(InvalidReason::BadTag);
                }
                self.foreign_heartbeat = None;
                *self.tag_mut(direction) = tag;
                *self.tag_mut(direction.opposite()) = 0;
            }
            _ => {}
        }
        let state = next(direction, chunk.kind, self.state).ok_or(InvalidReason::BadState)?;
        self.learn_tags(chunk, direction)?;
        Ok(Step::To(state))
    }

    /// INIT and INIT ACK say which tag the other side must use.
    fn learn_tags(&mut self, chunk: &Chunk<'_>, direction: Direction) -> Result<(), InvalidReason> {
        let other = direction.opposite();
        match chunk.kind {
            chunk_type::INIT => {
                let announced = init_tag(chunk)?;
                if self.state != SctpState::None && self.tag(other) == announced {
                    // Late or repeated: says nothing new.
                    return Ok(());
                }
                // Both sides started at once, and this one starts again.
                if *self.has_init_mut(direction) && *self.has_init_mut(other) {
                    *self.has_init_mut(other) = false;
                }
                *self.has_init_mut(direction) = true;
                *self.tag_mut(other) = announced;
            }
            chunk_type::INIT_ACK => {
                let announced = init_tag(chunk)?;
                let known = self.tag(other);
                let is_asked = *self.has_init_mut(other);
                let has_collided = is_asked && *self.has_init_mut(direction);
                // RFC 9260 5.2: where both sides started, the answer must repeat the tag of its sender's own INIT.
                if known != announced && (has_collided || (!is_asked && known != 0)) {
                    return Err(InvalidReason::BadTag);
                }
                *self.tag_mut(other) = announced;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The tag that an INIT or INIT ACK announces.
fn init_tag(chunk: &Chunk<'_>) -> Result<u32, InvalidReason> {
    // Tag, window, two stream counts, first sequence number.
    match chunk.value {
        [a, b, c, d, _, _, _, _, _, _, _, _, _, _, _, _, ..] => {
            Ok(u32::from_be_bytes([*a, *b, *c, *d]))
        }
        _ => Err(InvalidReason::Truncated),
    }
}

/// The chunk types of a packet. INIT, INIT ACK and SHUTDOWN COMPLETE stand alone, COOKIE ECHO and COOKIE ACK first (RFC 9260 4).
fn kinds(chunks: Chunks<'_>) -> Result<Kinds, InvalidReason> {
    let mut kinds = Kinds(0);
    let mut is_alone = false;
    let mut is_empty = true;
    for chunk in chunks {
        is_alone |= matches!(
            chunk.kind,
            chunk_type::INIT | chunk_type::INIT_ACK | chunk_type::SHUTDOWN_COMPLETE
        );
        let is_first = matches!(chunk.kind, chunk_type::COOKIE_ECHO | chunk_type::COOKIE_ACK);
        if ((is_alone || is_first) && !is_empty) || chunk.len == 0 {
            return Err(InvalidReason::BadChunk);
        }
        is_empty = false;
        if chunk.kind < 64 {
            kinds.0 |= 1 << chunk.kind;
        }
    }
    if is_empty {
        return Err(InvalidReason::BadChunk);
    }
    Ok(kinds)
}
