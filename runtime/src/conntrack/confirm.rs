//! How a new connection gets into the table, last in input and postrouting, and what becomes of one whose packet ends before.

use std::time::Duration;

use redan_vm::ct::{Direction, state, status};
use redan_vm::packet::protocol;
use redan_vm::{Instant, Packet};

use super::change;
use super::classify::Attached;
use super::engine::Conntrack;
use super::outcome::CtDrop;
use super::proto::Proto;
use super::slab::EntryId;
use super::tcp::TcpState;
use super::tuple::{Tuple, Zone};

impl Conntrack {
    /// The last thing in input and postrouting: puts a new connection into the table and reports what the packet changed.
    ///
    /// # Errors
    /// The packet must be dropped.
    pub fn confirm(&mut self, now: Instant, packet: &mut Packet) -> Result<(), CtDrop> {
        let Some(id) = EntryId::of(&packet.ct) else {
            return Ok(());
        };
        let Some(entry) = self.table.entry(id) else {
            // It has expired or was deleted under way. A connection that was never in the table cannot get there any more.
            packet.ct.has_entry = 0;
            if packet.ct.status & status::CONFIRMED != 0 {
                return Ok(());
            }
            return self.fail_confirm();
        };
        if entry.life.has(status::HELPER)
            && let Err(drop) = self.assist(id, now, packet)
        {
            self.release(packet);
            return Err(drop);
        }
        let Some(entry) = self.table.entry(id) else {
            return self.fail_confirm();
        };
        if entry.is_in_table() {
            self.report_changes(id, now);
            return Ok(());
        }
        if entry.life.has(status::DYING) || packet.ct.direction == Direction::Reply {
            // What answers a packet that is not confirmed (a reset made here) does not confirm it.
            self.release(packet);
            return Ok(());
        }
        self.confirm_new(id, now, packet)
    }

    fn confirm_new(
        &mut self,
        id: EntryId,
        now: Instant,
        packet: &mut Packet,
    ) -> Result<(), CtDrop> {
        let Some(entry) = self.table.entry(id) else {
            return self.fail_confirm();
        };
        let ([original, reply], zone) = (self.table.tuples(entry), entry.zone());
        let winner = self
            .clash(&original, zone, Direction::Original, now)
            .or_else(|| self.clash(&reply, zone, Direction::Reply, now));
        if let Some(winner) = winner {
            return self.resolve_clash(id, winner, now, packet);
        }
        self.put_in(id, now, packet);
        Ok(())
    }

    /// A living entry that has the tuple which a new one would have in a direction.
    fn clash(
        &mut self,
        tuple: &Tuple,
        zone: Zone,
        direction: Direction,
        now: Instant,
    ) -> Option<EntryId> {
        loop {
            let id = self.table.find_clash(tuple, zone, direction)?;
            if !self.table.entry(id)?.life.is_expired(now) {
                return Some(id);
            }
            self.destroy(id, now);
        }
    }

    /// Puts a new connection into the table.
    fn put_in(&mut self, id: EntryId, now: Instant, packet: &mut Packet) {
        let starts = self.tunables.timestamp.then_some(now);
        if let Some(entry) = self.table.entry_mut(id) {
            entry.life.confirm(now);
            entry.holders = 0;
            if let Some(start) = starts {
                entry.start = start;
            }
            entry.life.changes |= if entry.life.has(status::EXPECTED) {
                change::RELATED
            } else {
                change::NEW
            };
            if entry.life.has(status::NAT_CLASH) {
                entry.life.changes = 0;
            }
            packet.ct.status = entry.life.status();
        }
        self.table.link(id, now);
        self.arrived(id);
        self.report_changes(id, now);
    }

    /// Two packets want the same tuple and the other one was confirmed first (`nf_ct_resolve_clash`).
    fn resolve_clash(
        &mut self,
        id: EntryId,
        winner: EntryId,
        now: Instant,
        packet: &mut Packet,
    ) -> Result<(), CtDrop> {
        let Some((ours, theirs)) = self.table.entry(id).zip(self.table.entry(winner)) else {
            return self.fail_confirm();
        };
        let l4proto = ours.original().l4proto;
        let (tuples, zone) = (self.table.tuples(ours), ours.zone());
        let is_same = tuples == self.table.tuples(theirs) && zone == theirs.zone();
        let is_plain = !theirs.life.has(status::SRC_NAT_DONE | status::DST_NAT_DONE);
        if !matches!(l4proto, protocol::UDP | protocol::UDPLITE | protocol::GRE) {
            self.release(packet);
            return self.fail_confirm();
        }
        if is_same || is_plain {
            self.merge(id, winner, packet);
            return Ok(());
        }
        let [_, reply] = tuples;
        if let Some(winner) = self.clash(&reply, zone, Direction::Reply, now) {
            let theirs = self
                .table
                .entry(winner)
                .map(|entry| self.table.tuples(entry));
            if theirs == Some(tuples) {
                self.merge(id, winner, packet);
                return Ok(());
            }
            self.release(packet);
            return self.fail_confirm();
        }
        self.keep_for_answer(id, now, packet);
        Ok(())
    }

    /// The packet goes on in the other's entry, which counts it (`__nf_ct_resolve_clash`).
    fn merge(&mut self, id: EntryId, winner: EntryId, packet: &mut Packet) {
        let ours = self.table.entry(id).map(|entry| entry.traffic);
        self.discard(id);
        if let Some(entry) = self.table.entry_mut(winner) {
            for (traffic, more) in entry.traffic.iter_mut().zip(ours.unwrap_or_default()) {
                traffic.packets += more.packets;
                traffic.bytes += more.bytes;
            }
            winner.write(&mut packet.ct);
            packet.ct.status = entry.life.status();
            packet.ct.mark = entry.mark;
        }
        self.stats.clash_resolve += 1;
    }

    /// An entry that lost its original tuple stays for a second, so that the answer to its packet is translated back
    /// (`nf_ct_resolve_clash_harder`).
    fn keep_for_answer(&mut self, id: EntryId, now: Instant, packet: &mut Packet) {
        if let Some(entry) = self.table.entry_mut(id) {
            entry.life.set_timeout(now, Duration::from_secs(1));
            entry.life.add(status::FIXED_TIMEOUT | status::NAT_CLASH);
        }
        self.put_in(id, now, packet);
        self.stats.clash_resolve += 1;
    }

    const fn fail_confirm(&mut self) -> Result<(), CtDrop> {
        self.stats.insert_failed += 1;
        self.stats.drop += 1;
        Err(CtDrop::Clash)
    }

    /// A packet ends before [`Self::confirm`]: a connection that only it knew is gone. The rest of `packet.ct` stays, for reports.
    pub fn release(&mut self, packet: &mut Packet) {
        let Some(id) = EntryId::of(&packet.ct) else {
            return;
        };
        packet.ct.has_entry = 0;
        let Some(entry) = self.table.entry_mut(id) else {
            return;
        };
        if entry.is_in_table() {
            return;
        }
        entry.holders = entry.holders.saturating_sub(1);
        if entry.holders == 0 {
            self.discard(id);
        }
    }

    /// A copy of a packet goes its own way, in the same connection: it sees what of that has changed since, and [`Self::release`] or
    /// [`Self::confirm`] is called for both.
    pub fn share(&mut self, copy: &mut Packet) {
        let Some(entry) = self.entry_of_mut(copy) else {
            return;
        };
        if !entry.is_in_table() {
            entry.holders = entry.holders.saturating_add(1);
        }
        (copy.ct.status, copy.ct.mark) = (entry.life.status(), entry.mark);
    }

    /// Attaches a packet made in answer to `offending` (ICMP error, reset) to its entry: RELATED, the other way. Call [`Self::release`] or
    /// [`Self::confirm`] for both.
    pub fn attach_related(&mut self, packet: &mut Packet, offending: &Packet) {
        let Some(id) = EntryId::of(&offending.ct) else {
            return;
        };
        let attached = Attached {
            id,
            state: state::RELATED,
            direction: offending.ct.direction.opposite(),
        };
        if let Some(entry) = self.table.entry_mut(attached.id)
            && !entry.is_in_table()
        {
            entry.holders = entry.holders.saturating_add(1);
        }
        self.attach(packet, &attached);
    }

    /// A reset is sent for a packet: its connection is over (`nf_conntrack_proto_tcp.c: nf_conntrack_tcp_set_closing`).
    pub fn set_closing(&mut self, packet: &Packet, now: Instant) {
        let Some(id) = EntryId::of(&packet.ct) else {
            return;
        };
        let timeout = TcpState::Close.timeout(self.tunables_of(id));
        let Some(entry) = self.table.entry_mut(id) else {
            return;
        };
        let Proto::Tcp(tcp) = &mut entry.proto else {
            return;
        };
        if tcp.close() == TcpState::Close || entry.life.has(status::FIXED_TIMEOUT) {
            return;
        }
        entry.life.set_timeout(now, timeout);
        entry.life.changes |= change::PROTOINFO;
        if entry.life.is_confirmed() {
            self.table.hasten(id, now);
        }
        self.leave_lists(id);
        self.report_changes(id, now);
    }
}
