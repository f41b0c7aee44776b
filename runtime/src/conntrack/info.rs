//! An entry as the outside sees it: what listings and events show.

use std::time::Duration;

use redan_vm::Instant;
use redan_vm::ct::{Direction, status};

use super::entry::{Entry, Traffic};
use super::helper::HelperId;
use super::proto::Proto;
use super::slab::EntryId;
use super::table::Table;
use super::tuple::{Tuple, Zone};

/// An entry at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryInfo {
    /// A number that stands for it.
    pub id: u32,
    /// As its first packet went, before translation.
    pub original: Tuple,
    /// As the answer looks on the wire.
    pub reply: Tuple,
    /// Its zone.
    pub zone: Zone,
    /// Bits of [`status`].
    pub status: u32,
    /// `ct mark`.
    pub mark: u32,
    /// `ct secmark`.
    pub secmark: u32,
    /// `ct label`.
    pub labels: u128,
    /// The helper that listens to it.
    pub helper: Option<&'static str>,
    /// Time to live.
    pub remaining: Duration,
    /// The protocol's state, where it has any.
    pub state: Option<&'static str>,
    /// GRE: its two timeouts.
    pub gre_timeouts: Option<(Duration, Duration)>,
    /// Traffic by direction, where it is counted.
    pub traffic: Option<[Traffic; 2]>,
    /// When it was confirmed, where that is remembered.
    pub start: Option<Instant>,
    /// When this was looked up.
    pub now: Instant,
}

impl EntryInfo {
    pub(super) fn new(table: &Table, id: EntryId, entry: &Entry, now: Instant) -> Self {
        let [original, reply] = table.tuples(entry);
        let gre_timeouts = match entry.proto {
            Proto::Gre(gre) => Some((gre.timeout, gre.stream_timeout)),
            Proto::Tcp(_) | Proto::Sctp(_) | Proto::Udp(_) | Proto::Stateless => None,
        };
        Self {
            id: table.public_id(id),
            original,
            reply,
            zone: entry.zone(),
            status: entry.life.status(),
            mark: entry.mark,
            secmark: table.secmark(entry),
            labels: table.labels(entry),
            helper: table
                .rare(entry)
                .and_then(|rare| rare.helper)
                .map(HelperId::name),
            remaining: entry.life.remaining(now),
            state: entry.proto.state_name(),
            gre_timeouts,
            traffic: entry.is_counted().then_some(entry.traffic),
            start: entry.start(),
            now,
        }
    }

    /// Whether any of these [`status`] bits is set.
    pub const fn has(&self, bits: u32) -> bool {
        self.status & bits != 0
    }

    /// Whether traffic went both ways.
    pub const fn has_seen_reply(&self) -> bool {
        self.has(status::SEEN_REPLY)
    }

    /// Traffic of one direction, where it is counted.
    pub fn traffic_of(&self, direction: Direction) -> Option<Traffic> {
        let [original, reply] = self.traffic?;
        Some(match direction {
            Direction::Original => original,
            Direction::Reply => reply,
        })
    }
}
