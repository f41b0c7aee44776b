//! Connections that others have announced (`nf_conntrack_expect.c`): bounded, timed out, gone with who announced them.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::time::Duration;

use redan_vm::Instant;

use super::helper::HelperId;
use super::slab::EntryId;
use super::text::write_tuple_full;
use super::tuple::{Tuple, Zone};
use crate::bounded::Secret;
use crate::bounded::arena::{Arena, Index};

/// What must be equal: everything of the original tuple but the source port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    zone: (u16, u8),
    l3proto: u8,
    l4proto: u8,
    src: [u8; 16],
    dst: [u8; 16],
    port: u16,
}

impl Key {
    const fn new(tuple: &Tuple, zone: Zone) -> Self {
        Self {
            zone: (zone.id, zone.directions),
            l3proto: tuple.l3proto,
            l4proto: tuple.l4proto,
            src: tuple.src,
            dst: tuple.dst,
            port: tuple.dst_key,
        }
    }
}

/// A connection to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expectation {
    /// Its original tuple; the source port is any.
    pub(super) tuple: Tuple,
    /// The zone of who announced it.
    pub(super) zone: Zone,
    /// Who announced it.
    pub(super) master: EntryId,
    /// The helper that heard it; none for `ct expectation set`.
    pub(super) helper: Option<HelperId>,
    /// When it is given up.
    pub(super) deadline: Instant,
}

#[derive(Debug)]
struct Kept {
    expectation: Expectation,
    /// How many were made before it.
    age: u64,
}

/// Why there is no place for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

/// All of them.
#[derive(Debug)]
pub(super) struct Expectations {
    secret: Secret,
    all: Arena<Kept>,
    by_key: Index,
    due: BTreeSet<(Instant, u32)>,
    of_master: BTreeSet<(EntryId, u64, u32)>,
    made: u64,
    /// Removed since the counter was read.
    removed: u64,
}

impl Expectations {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            secret: Secret::new(seed, 0x6578_7065_6374),
            all: Arena::default(),
            by_key: Index::default(),
            due: BTreeSet::new(),
            of_master: BTreeSet::new(),
            made: 0,
            removed: 0,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether there is none: then no new connection is looked up.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    fn find(&self, key: &Key) -> Option<u32> {
        let is_it = |at: &u32| {
            self.all.get(*at).is_some_and(|kept| {
                Key::new(&kept.expectation.tuple, kept.expectation.zone) == *key
            })
        };
        self.by_key.find(self.secret.hash(key), is_it)
    }

    /// The one that a new connection fulfils.
    pub(super) fn get(&self, tuple: &Tuple, zone: Zone, now: Instant) -> Option<Expectation> {
        let at = self.find(&Key::new(tuple, zone))?;
        let expectation = self.all.get(at)?.expectation;
        (expectation.deadline > now).then_some(expectation)
    }

    /// It is fulfilled.
    pub(super) fn take(&mut self, expectation: &Expectation) {
        if let Some(at) = self.find(&Key::new(&expectation.tuple, expectation.zone)) {
            self.remove(at);
        }
    }

    /// Those that a connection has announced, the oldest first.
    fn of(&self, master: EntryId) -> impl Iterator<Item = u32> {
        let range = (master, 0, 0)..=(master, u64::MAX, u32::MAX);
        self.of_master.range(range).map(|(_, _, at)| *at)
    }

    fn oldest_of(&self, master: EntryId) -> Option<u32> {
        self.of(master).next()
    }

    /// How many a connection has announced that have not come.
    pub(super) fn count_of(&self, master: EntryId) -> usize {
        self.of(master).count()
    }

    /// Adds one. The same from the same connection is made anew; the oldest makes room where its helper allows `most` of them.
    ///
    /// # Errors
    /// Another connection has announced it, or there are `max` of them (`__nf_ct_expect_check`).
    pub(super) fn insert(
        &mut self,
        expectation: Expectation,
        most: usize,
        max: usize,
    ) -> Result<(), Refused> {
        let key = Key::new(&expectation.tuple, expectation.zone);
        if let Some(at) = self.find(&key) {
            let is_own = self
                .all
                .get(at)
                .is_some_and(|kept| kept.expectation.master == expectation.master);
            if !is_own {
                return Err(Refused);
            }
            self.remove(at);
        }
        if self.count_of(expectation.master) >= most
            && let Some(oldest) = self.oldest_of(expectation.master)
        {
            self.remove(oldest);
        }
        if self.len() >= max {
            return Err(Refused);
        }
        let age = self.made;
        self.made += 1;
        let at = self.all.insert(Kept { expectation, age });
        let (secret, all) = (&self.secret, &self.all);
        let hash_of = |at: &u32| {
            all.get(*at).map_or(0, |kept| {
                secret.hash(&Key::new(&kept.expectation.tuple, kept.expectation.zone))
            })
        };
        self.by_key.insert(secret.hash(&key), at, hash_of);
        self.due.insert((expectation.deadline, at));
        self.of_master.insert((expectation.master, age, at));
        Ok(())
    }

    fn remove(&mut self, at: u32) {
        let Some(Kept { expectation, age }) = self.all.remove(at) else {
            return;
        };
        let key = Key::new(&expectation.tuple, expectation.zone);
        self.by_key.remove(self.secret.hash(&key), at);
        self.due.remove(&(expectation.deadline, at));
        self.of_master.remove(&(expectation.master, age, at));
        self.removed += 1;
    }

    /// Who announced them is gone.
    pub(super) fn forget(&mut self, master: EntryId) {
        if self.is_empty() {
            return;
        }
        while let Some(at) = self.oldest_of(master) {
            self.remove(at);
        }
    }

    /// Gives up what did not come in time.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((deadline, at)) = self.due.first().copied()
            && deadline <= now
        {
            self.remove(at);
        }
    }

    /// When the next one is given up.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(deadline, _)| *deadline)
    }

    /// How many were made, and how many are gone again.
    pub(super) const fn counts(&self) -> (u64, u64) {
        (self.made, self.removed)
    }

    /// Writes them as `/proc/net/nf_conntrack_expect` shows them.
    ///
    /// # Errors
    /// What `out` reports.
    pub(super) fn write_proc(&self, now: Instant, out: &mut dyn Write) -> fmt::Result {
        for (deadline, at) in &self.due {
            let Some(kept) = self.all.get(*at) else {
                continue;
            };
            let Expectation { tuple, helper, .. } = &kept.expectation;
            let left: Duration = deadline.since(now);
            let (l3proto, l4proto) = (tuple.l3proto, tuple.l4proto);
            write!(
                out,
                "{} l3proto = {l3proto} proto={l4proto} ",
                left.as_secs()
            )?;
            write_tuple_full(tuple, out)?;
            writeln!(out, "{}", helper.map_or("", HelperId::name))?;
        }
        Ok(())
    }
}
