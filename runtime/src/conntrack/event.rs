//! What happens to entries, as values: `conntrack -E`.

use std::collections::VecDeque;

use super::info::EntryInfo;

/// Bits of [`Event::changes`] (`nf_conntrack_common.h: enum ip_conntrack_events`).
pub mod change {
    /// New connection.
    pub const NEW: u16 = 1 << 0;
    /// New connection that another one announced.
    pub const RELATED: u16 = 1 << 1;
    /// Gone.
    pub const DESTROY: u16 = 1 << 2;
    /// Has seen a reply.
    pub const REPLY: u16 = 1 << 3;
    /// Became assured.
    pub const ASSURED: u16 = 1 << 4;
    /// The protocol's state changed.
    pub const PROTOINFO: u16 = 1 << 5;
    /// A helper was attached.
    pub const HELPER: u16 = 1 << 6;
    /// The mark changed.
    pub const MARK: u16 = 1 << 7;
    /// The sequence adjustment changed.
    pub const SEQADJ: u16 = 1 << 8;
    /// The security mark changed.
    pub const SECMARK: u16 = 1 << 9;
    /// Labels changed.
    pub const LABEL: u16 = 1 << 10;
}

/// The three groups of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Confirmed for the first time.
    New,
    /// Changed.
    Update,
    /// Gone.
    Destroy,
}

impl EventKind {
    /// The word that `conntrack -E` prints.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "[NEW]",
            Self::Update => "[UPDATE]",
            Self::Destroy => "[DESTROY]",
        }
    }
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its group.
    pub kind: EventKind,
    /// What changed: [`change`].
    pub changes: u16,
    /// The entry at that moment.
    pub entry: EntryInfo,
}

/// Events that wait for their reader: none without one, and never more than [`Events::CAPACITY`].
#[derive(Debug, Default)]
pub(super) struct Events {
    is_wanted: bool,
    queue: VecDeque<Event>,
    lost: u64,
}

impl Events {
    /// Events that wait at most; later ones are counted and lost.
    const CAPACITY: usize = 65_536;

    pub(super) const fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    pub(super) fn want(&mut self, is_wanted: bool) {
        self.is_wanted = is_wanted;
        if !is_wanted {
            self.queue.clear();
        }
    }

    pub(super) fn push(&mut self, event: Event) {
        if self.queue.len() < Self::CAPACITY {
            self.queue.push_back(event);
        } else {
            self.lost += 1;
        }
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.queue.pop_front()
    }

    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }
}
