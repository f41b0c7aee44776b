//! Fragments wait here until their packet is whole (`ip_fragment.c`, `nf_conntrack_reasm.c`).
//!
//! Overlapping fragments end the packet (RFC 5722, and for IPv4 Linux since 4.19); exact repetitions are dropped alone. The packet goes on
//! as one, and leaves in the parts in which it came.

mod parse;
mod queue;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use redan_vm::family::Hook;
use redan_vm::{Instant, Packet};

use crate::bounded::{Bounded, Rank, Secret};
use crate::reason::Reason;
pub use parse::Parts;

use parse::Piece;
use queue::{Inserted, Queue};

/// Bytes that may wait in one family, with all that is kept beside them: once there are more, no fragment is taken until some have gone
/// (`net.ipv4.ipfrag_high_thresh`, `nf_conntrack_frag6_high_thresh`; `inet_fragment.c: inet_frag_find`).
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// How long an IPv4 packet may take (`net.ipv4.ipfrag_time`).
const WAIT_V4: Duration = Duration::from_secs(30);
/// How long an IPv6 packet may take (`nf_conntrack_frag6_timeout`, RFC 8200 4.5).
const WAIT_V6: Duration = Duration::from_mins(1);

/// What became of a packet at the defragmenter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// No fragment.
    Whole,
    /// It waits for the rest.
    Held,
    /// It completed a packet, which has taken its place.
    Complete(Parts),
    /// It is gone.
    Dropped(Reason),
}

/// Who waits: the same packet may be gathered at several places (`IP_DEFRAG_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum User {
    /// Conntrack, at this hook.
    Conntrack(Hook),
    /// The machine itself, before its input hook.
    Local,
}

/// Which packet a fragment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    user: User,
    src: IpAddr,
    dst: IpAddr,
    /// Identification; 16 bits in IPv4.
    id: u32,
    /// Layer 4 protocol; IPv4 only.
    l4proto: u8,
}

/// A packet that is not whole yet, and when it is given up. The time to wait is the same for all of a family, so the oldest goes first.
#[derive(Debug)]
struct Waiting {
    until: Instant,
    queue: Queue,
}

type Queues = Bounded<Key, Waiting, 1>;

/// Packets of one family that are not whole yet.
#[derive(Debug)]
struct Table {
    queues: Queues,
    bytes: usize,
}

/// Packets that are not whole yet.
#[derive(Debug)]
pub struct Defrag {
    v4: Table,
    v6: Table,
}

impl Defrag {
    /// Nothing waits. `seed` keys the hashes.
    pub fn new(seed: u64) -> Self {
        Self {
            v4: Table::new(Secret::new(seed, 0x6672_6167_0004)),
            v6: Table::new(Secret::new(seed, 0x6672_6167_0006)),
        }
    }

    /// Takes a packet. Where it is the last missing fragment, the whole packet takes its place; its headers must be found again.
    pub fn gather(&mut self, now: Instant, user: User, packet: &mut Packet) -> Gathered {
        let piece = if packet.layout.is_ipv4() {
            parse::v4(packet)
        } else {
            parse::v6(packet)
        };
        let Some(piece) = piece else {
            return Gathered::Whole;
        };
        let (table, wait) = if packet.layout.is_ipv4() {
            (&mut self.v4, WAIT_V4)
        } else {
            (&mut self.v6, WAIT_V6)
        };
        let key = Key {
            user,
            src: piece.src,
            dst: piece.dst,
            id: piece.id,
            l4proto: piece.l4proto,
        };
        if table.bytes > MOST_BYTES {
            return Gathered::Dropped(Reason::FragmentLimit);
        }
        table.open(key, now + wait);
        table.add(key, piece, packet)
    }

    /// When [`Self::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let oldest = |table: &Table| Some(table.queues.oldest(0)?.1.until);
        [oldest(&self.v4), oldest(&self.v6)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Gives up what took too long, and gives the first fragments of it, whose senders may be told.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Packet> {
        let mut expired = Vec::new();
        for table in [&mut self.v4, &mut self.v6] {
            while let Some((key, waiting)) = table.queues.oldest(0)
                && waiting.until <= now
            {
                let key = *key;
                let first = table.take(&key).and_then(Queue::into_first);
                expired.extend(first);
            }
        }
        expired
    }

    /// Packets that wait for fragments.
    pub fn waiting(&self) -> usize {
        self.v4.queues.len() + self.v6.queues.len()
    }
}

impl Table {
    const fn new(secret: Secret) -> Self {
        Self {
            queues: Bounded::new(secret, usize::MAX),
            bytes: 0,
        }
    }

    /// Begins to wait for a packet, unless that has begun.
    fn open(&mut self, key: Key, until: Instant) {
        if self.queues.get_mut(&key).is_some() {
            return;
        }
        let queue = Queue::new();
        let waiting = Waiting { until, queue };
        if self.queues.insert(key, waiting, Rank::At(0)).is_ok() {
            self.bytes += Queues::ENTRY_BYTES;
        }
    }

    fn take(&mut self, key: &Key) -> Option<Queue> {
        let Waiting { queue, .. } = self.queues.remove(key)?;
        let cost = queue.bytes_held() + Queues::ENTRY_BYTES;
        self.bytes = self.bytes.saturating_sub(cost);
        Some(queue)
    }

    fn add(&mut self, key: Key, piece: Piece, packet: &mut Packet) -> Gathered {
        let Some(Waiting { queue, .. }) = self.queues.get_mut(&key) else {
            return Gathered::Dropped(Reason::FragmentLimit);
        };
        let before = queue.bytes_held();
        let inserted = queue.insert(piece, packet);
        self.bytes = (self.bytes + queue.bytes_held()).saturating_sub(before);
        match inserted {
            Inserted::Waits => Gathered::Held,
            Inserted::Repeated => Gathered::Dropped(Reason::FragmentDuplicate),
            Inserted::Refused => Gathered::Dropped(Reason::Malformed),
            Inserted::Passed => {
                self.take(&key);
                Gathered::Whole
            }
            Inserted::Broken => {
                self.take(&key);
                Gathered::Dropped(Reason::FragmentOverlap)
            }
            Inserted::Complete => match self.take(&key).and_then(|queue| queue.join(packet)) {
                Some(parts) => Gathered::Complete(parts),
                None => Gathered::Dropped(Reason::Malformed),
            },
        }
    }
}
