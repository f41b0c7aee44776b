//! What happens to entries, as values: `conntrack -E`.

use std::collections::VecDeque;

use super::info::EntryInfo;

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
    /// What changed: [`change`](super::change).
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
