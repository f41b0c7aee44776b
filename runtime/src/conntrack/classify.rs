//! What conntrack makes of a packet: finds or makes its entry and asks the protocol's tracker (`nf_conntrack_core.c: nf_conntrack_in`).

use redan_vm::ct::{Direction, state, status};
use redan_vm::{Instant, Packet};

use super::engine::Conntrack;
use super::entry::Entry;
use super::icmp::{self, Message};
use super::outcome::{CtDrop, Track, TrackHook};
use super::proto;
use super::reason::InvalidReason;
use super::slab::EntryId;
use super::tracker::{Seen, Tracked};
use super::transport::Transport;
use super::tuple::{Tuple, Zone};

/// A packet's place in an entry.
pub(super) struct Attached {
    pub(super) id: EntryId,
    pub(super) state: u32,
    pub(super) direction: Direction,
}

/// Why a packet gets no entry.
enum Refused {
    Untracked,
    /// INVALID before the table was asked (`error`).
    Error(InvalidReason),
    /// INVALID (`invalid`).
    Invalid(InvalidReason),
    Drop(CtDrop),
}

impl From<InvalidReason> for Refused {
    fn from(reason: InvalidReason) -> Self {
        Self::Invalid(reason)
    }
}

impl Conntrack {
    /// Classifies a packet: finds or makes its entry, runs the protocol's tracker and fills `packet.ct`.
    /// A packet that has an entry already, or is untracked, stays as it is.
    pub fn handle_packet(&mut self, now: Instant, packet: &mut Packet, hook: TrackHook) -> Track {
        if packet.ct.has_entry != 0 {
            return Track::Tracked;
        }
        if packet.ct.state == state::UNTRACKED {
            return Track::Untracked;
        }
        let zone = take_zone(packet);
        match self.classify(now, packet, hook, zone) {
            Ok(attached) => {
                self.attach(packet, &attached);
                Track::Tracked
            }
            Err(Refused::Untracked) => {
                packet.ct.state = state::UNTRACKED;
                Track::Untracked
            }
            Err(Refused::Error(reason)) => {
                self.stats.error += 1;
                self.stats.count(reason);
                Track::Invalid(reason)
            }
            Err(Refused::Invalid(reason)) => {
                self.stats.invalid += 1;
                self.stats.count(reason);
                Track::Invalid(reason)
            }
            Err(Refused::Drop(drop)) => {
                self.stats.drop += 1;
                Track::Drop(drop)
            }
        }
    }

    /// `nf_conntrack_core.c: nf_conntrack_in`.
    fn classify(
        &mut self,
        now: Instant,
        packet: &Packet,
        hook: TrackHook,
        zone: Zone,
    ) -> Result<Attached, Refused> {
        let layout = &packet.layout;
        let bytes = packet
            .frame
            .get(layout.network as usize..layout.end as usize)
            .ok_or(InvalidReason::Truncated)?;
        let transport = Transport::locate(layout.nfproto, bytes)?;
        let is_verified = hook == TrackHook::Prerouting && self.tunables.checksum;
        match icmp::classify(&transport, is_verified).map_err(Refused::Error)? {
            Message::Query => {}
            Message::Untracked => return Err(Refused::Untracked),
            Message::Error(tuple) => return self.relate(now, &transport, &tuple, zone),
        }
        let tuple = Tuple::of(&transport)?;
        // A tracker sends a packet back once at most: the second time it meets a fresh entry.
        loop {
            let (id, direction) = match self.lookup(&tuple, zone, now) {
                Some(found) => found,
                None => (self.create(&tuple, zone, now)?, Direction::Original),
            };
            let seen = Seen {
                now,
                packet: transport,
                direction,
                is_verified,
                tunables: if self.policies.is_empty() {
                    &self.tunables
                } else {
                    self.table
                        .policy(id)
                        .and_then(|number| self.policies.tunables(number))
                        .unwrap_or(&self.tunables)
                },
            };
            let Some(entry) = self.table.entry_mut(id) else {
                return Err(Refused::Drop(CtDrop::Clash));
            };
            let state = state_of(entry, direction);
            let tracked = proto::track(&mut entry.proto, &mut entry.life, &seen);
            if entry.proto.is_over() {
                self.leave_lists(id);
            }
            if self.apply(id, tracked, &transport, direction, now)? {
                return Ok(Attached {
                    id,
                    state,
                    direction,
                });
            }
        }
    }

    /// Does what the tracker said; false when the packet must start over.
    fn apply(
        &mut self,
        id: EntryId,
        tracked: Tracked,
        packet: &Transport<'_>,
        direction: Direction,
        now: Instant,
    ) -> Result<bool, InvalidReason> {
        let Some(entry) = self.table.entry_mut(id) else {
            return Ok(false);
        };
        if direction == Direction::Reply && matches!(tracked, Tracked::Refresh(_) | Tracked::Ignore)
        {
            entry.see_reply();
        }
        match tracked {
            Tracked::Refresh(timeout) => {
                entry.account(direction, packet.packet_len);
                if !entry.life.has(status::FIXED_TIMEOUT) {
                    let old = entry.life.deadline();
                    entry.life.set_timeout(now, timeout);
                    if entry.life.is_confirmed() && entry.life.deadline() < old {
                        self.table.hasten(id, now);
                    }
                }
            }
            Tracked::Ignore => {}
            Tracked::Kill => {
                entry.account(direction, packet.packet_len);
                if entry.life.is_confirmed() {
                    self.destroy_held(id, now);
                }
                if direction == Direction::Reply
                    && let Some(entry) = self.table.entry_mut(id)
                {
                    entry.see_reply();
                }
            }
            Tracked::Restart => {
                self.destroy(id, now);
                return Ok(false);
            }
            Tracked::Invalid(reason) => {
                if entry.life.is_confirmed() {
                    self.table.hasten(id, now);
                } else {
                    self.discard(id);
                }
                return Err(reason);
            }
        }
        Ok(true)
    }

    /// An ICMP error belongs to the connection whose packet it quotes, if that went to where the error goes.
    fn relate(
        &mut self,
        now: Instant,
        packet: &Transport<'_>,
        tuple: &Tuple,
        zone: Zone,
    ) -> Result<Attached, Refused> {
        let (id, direction) = self
            .lookup(tuple, zone, now)
            .ok_or(Refused::Error(InvalidReason::NoInnerEntry))?;
        if tuple.dst != packet.dst {
            return Err(Refused::Error(InvalidReason::InnerDestination));
        }
        Ok(Attached {
            id,
            state: state::RELATED,
            direction,
        })
    }

    /// Finds a living entry.
    fn lookup(&mut self, tuple: &Tuple, zone: Zone, now: Instant) -> Option<(EntryId, Direction)> {
        loop {
            let (id, direction) = self.table.find(tuple, zone)?;
            if !self.table.entry(id)?.life.is_expired(now) {
                return Some((id, direction));
            }
            self.destroy(id, now);
        }
    }

    /// Makes an entry that only its packet knows.
    fn create(&mut self, tuple: &Tuple, zone: Zone, now: Instant) -> Result<EntryId, Refused> {
        if tuple.inverse().is_none() {
            return Err(InvalidReason::BadType.into());
        }
        if !self.make_room(tuple, zone, now) {
            return Err(Refused::Drop(CtDrop::Limit));
        }
        let entry = Entry::new(*tuple, zone, self.tunables.acct);
        let id = self.table.insert(entry);
        let id = id.ok_or(Refused::Drop(CtDrop::Limit))?;
        self.depart(id);
        if !self.expectations.is_empty() {
            self.adopt(id, tuple, zone, now);
        }
        Ok(id)
    }

    /// Fills the packet's view.
    pub(super) fn attach(&self, packet: &mut Packet, attached: &Attached) {
        let Some(entry) = self.table.entry(attached.id) else {
            return;
        };
        let ct = &mut packet.ct;
        ct.state = attached.state;
        ct.status = entry.life.status();
        ct.mark = entry.mark;
        attached.id.write(ct);
        ct.direction = attached.direction;
    }
}

/// A packet's state by its direction and what the entry has seen.
const fn state_of(entry: &Entry, direction: Direction) -> u32 {
    match direction {
        Direction::Reply => state::ESTABLISHED,
        Direction::Original if entry.life.has(status::SEEN_REPLY) => state::ESTABLISHED,
        Direction::Original if entry.life.has(status::EXPECTED) => state::RELATED,
        Direction::Original => state::NEW,
    }
}

/// The zone that a rule gave the packet; it has done its work then.
const fn take_zone(packet: &mut Packet) -> Zone {
    let ct = &mut packet.ct;
    if ct.zone_directions == 0 {
        return Zone::DEFAULT;
    }
    let zone = Zone {
        id: ct.zone,
        directions: ct.zone_directions,
    };
    ct.zone = 0;
    ct.zone_directions = 0;
    ct.state = state::INVALID;
    zone
}
