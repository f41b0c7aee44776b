//! What rules attach to new connections (helpers, expectations, timeout policies), and what helpers do.

use std::fmt;
use std::time::Duration;

use redan_vm::ct::{Direction, state, status};
use redan_vm::packet::protocol;
use redan_vm::ruleset::StateSpec;
use redan_vm::{Asked, Instant, Packet};

use super::change;
use super::engine::Conntrack;
use super::entry::Entry;
use super::expectations::Expectation;
use super::helper::{Heard, Helper, HelperId, Said};
use super::outcome::CtDrop;
use super::slab::EntryId;
use super::transport::Transport;
use super::tunables::Tunables;
use super::tuple::{Tuple, Zone};

impl Conntrack {
    /// Body of [`Host::ct_object`](redan_vm::Host::ct_object): attaches a named object to a connection that is not confirmed.
    pub fn set_object(&mut self, now: Instant, packet: &mut Packet, object: &StateSpec) -> Asked {
        let id = EntryId::of(&packet.ct).filter(|id| {
            let entry = self.table.entry(*id);
            entry.is_some_and(|entry| !entry.life.is_confirmed())
        });
        let Some(id) = id else {
            let is_expectation = matches!(object, StateSpec::CtExpectation { .. });
            return if is_expectation {
                Asked::Break
            } else {
                Asked::Done
            };
        };
        if let StateSpec::CtHelper {
            name,
            l4proto,
            l3proto,
        } = object
        {
            self.set_helper(id, packet, (name, *l4proto, *l3proto));
        } else if let StateSpec::CtTimeout { l4proto, .. } = object {
            self.set_policy(id, now, object, *l4proto);
        } else if let StateSpec::CtExpectation { .. } = object {
            return self.set_expectation(id, now, packet, object);
        }
        Asked::Done
    }

    /// `nft_ct.c: nft_ct_helper_obj_eval`.
    fn set_helper(&mut self, id: EntryId, packet: &mut Packet, helper: (&str, u8, Option<u8>)) {
        let (name, l4proto, l3proto) = helper;
        let Some(helper) = HelperId::find(name, l4proto) else {
            return;
        };
        let Some(entry) = self.table.entry_mut(id) else {
            return;
        };
        let tuple = entry.original();
        if tuple.l4proto != l4proto
            || l3proto.is_some_and(|family| family != tuple.l3proto)
            || entry.life.has(status::HELPER)
        {
            return;
        }
        entry.life.add(status::HELPER);
        packet.ct.status = entry.life.status();
        if let Some(rare) = self.table.rare_mut(id) {
            rare.helper = Some(helper);
        }
    }

    /// `nft_ct.c: nft_ct_timeout_obj_eval`.
    fn set_policy(&mut self, id: EntryId, now: Instant, policy: &StateSpec, l4proto: u8) {
        let is_its = |tuple: &Tuple| tuple.l4proto == l4proto;
        if !self
            .table
            .entry(id)
            .is_some_and(|entry| is_its(entry.original()))
        {
            return;
        }
        let Some(number) = self.policies.open(policy, &self.tunables) else {
            return;
        };
        self.table.set_policy(id, number);
        // What the policy gives a connection that has just begun.
        let own = self.tunables_of(id);
        let timeout = match l4proto {
            protocol::TCP => own.tcp_timeout_syn_sent,
            _ => own.udp_timeout,
        };
        if let Some(entry) = self.table.entry_mut(id)
            && !entry.life.has(status::FIXED_TIMEOUT)
        {
            entry.life.set_timeout(now, timeout);
        }
    }

    /// The settings that hold for an entry.
    pub(super) fn tunables_of(&self, id: EntryId) -> &Tunables {
        self.table
            .policy(id)
            .and_then(|number| self.policies.tunables(number))
            .unwrap_or(&self.tunables)
    }

    /// `nft_ct.c: nft_ct_expect_obj_eval`: the other side may come back to a port.
    fn set_expectation(
        &mut self,
        id: EntryId,
        now: Instant,
        packet: &Packet,
        object: &StateSpec,
    ) -> Asked {
        let &StateSpec::CtExpectation {
            l4proto,
            dport,
            timeout_ms,
            size,
            l3proto,
        } = object
        else {
            return Asked::Done;
        };
        if self.expectations.count_of(id) >= usize::from(size) {
            return Asked::Break;
        }
        let Some(entry) = self.table.entry(id) else {
            return Asked::Break;
        };
        let [original, reply] = self.table.tuples(entry);
        let other = match packet.ct.direction {
            Direction::Original => reply,
            Direction::Reply => original,
        };
        let tuple = Tuple {
            src_key: 0,
            dst_key: dport,
            l4proto,
            l3proto: l3proto.unwrap_or(other.l3proto),
            ..other
        };
        let deadline = now + Duration::from_millis(timeout_ms);
        match self.expect(id, tuple, None, deadline) {
            Ok(()) => Asked::Done,
            Err(_) => Asked::Drop,
        }
    }

    /// A connection says that another one is to come.
    fn expect(
        &mut self,
        master: EntryId,
        tuple: Tuple,
        helper: Option<HelperId>,
        deadline: Instant,
    ) -> Result<(), CtDrop> {
        let zone = self.table.entry(master).map_or(Zone::DEFAULT, Entry::zone);
        let expectation = Expectation {
            tuple,
            zone,
            master,
            helper,
            deadline,
        };
        let most = helper
            .and_then(HelperId::get)
            .map_or(usize::MAX, Helper::most);
        let max = self.tunables.expect_max as usize;
        let made = self.expectations.insert(expectation, most, max);
        (self.stats.expect_create, self.stats.expect_delete) = self.expectations.counts();
        made.map_err(|_| CtDrop::Helper)
    }

    /// Lets a connection's helper listen to a packet (`nf_conntrack_proto.c: nf_confirm`).
    ///
    /// # Errors
    /// The packet must be dropped: it holds half a command, or announces what there is no place for.
    pub(super) fn assist(
        &mut self,
        id: EntryId,
        now: Instant,
        packet: &Packet,
    ) -> Result<(), CtDrop> {
        let Some(entry) = self.table.entry(id) else {
            return Ok(());
        };
        // What translation would have to follow is not announced.
        if packet.ct.state == state::RELATED && packet.ct.direction == Direction::Reply
            || !entry.is_mirrored()
        {
            return Ok(());
        }
        let tuples = self.table.tuples(entry);
        let layout = &packet.layout;
        let bytes = packet
            .frame
            .get(layout.network as usize..layout.end as usize);
        let transport = bytes.and_then(|bytes| Transport::locate(layout.nfproto, bytes).ok());
        let Some(transport) = transport else {
            return Ok(());
        };
        let heard = Heard {
            bytes: transport.bytes,
            direction: packet.ct.direction,
            is_established: packet.ct.state == state::ESTABLISHED,
            tuples: &tuples,
        };
        let Some((number, rare)) = self
            .table
            .rare_mut(id)
            .and_then(|rare| Some((rare.helper?, rare)))
        else {
            return Ok(());
        };
        let Some(helper) = number.get() else {
            return Ok(());
        };
        if transport.protocol != helper.l4proto() {
            return Ok(());
        }
        match helper.hear(&mut rare.memory, &heard) {
            Said::Nothing => Ok(()),
            Said::Partial => Err(CtDrop::Helper),
            Said::Expect(tuple) => self.expect(id, tuple, Some(number), now + helper.timeout()),
        }
    }

    /// A new connection that was announced belongs to who announced it (`nf_conntrack_core.c: init_conntrack`).
    pub(super) fn adopt(&mut self, id: EntryId, tuple: &Tuple, zone: Zone, now: Instant) {
        let Some(expectation) = self.expectations.get(tuple, zone, now) else {
            return;
        };
        let Some(master) = self
            .table
            .entry(expectation.master)
            .filter(|master| master.is_in_table())
        else {
            return;
        };
        let mark = master.mark;
        let secmark = self.table.secmark(master);
        self.expectations.take(&expectation);
        if let Some(entry) = self.table.entry_mut(id) {
            entry.life.add(status::EXPECTED);
            entry.mark = mark;
        }
        self.table.set_secmark(id, secmark);
        if let Some(entry) = self.table.entry_mut(id) {
            entry.life.changes &= !change::SECMARK;
        }
        if let Some(helper) = expectation.helper
            && let Some(rare) = self.table.rare_mut(id)
        {
            rare.announced_to = Some(helper);
        }
        self.stats.expect_new += 1;
        (self.stats.expect_create, self.stats.expect_delete) = self.expectations.counts();
    }

    /// Connections that are announced and have not come.
    pub fn expected(&self) -> usize {
        self.expectations.len()
    }

    /// Writes what is announced as `/proc/net/nf_conntrack_expect` shows it.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_expect_proc(&self, now: Instant, out: &mut dyn fmt::Write) -> fmt::Result {
        self.expectations.write_proc(now, out)
    }
}
