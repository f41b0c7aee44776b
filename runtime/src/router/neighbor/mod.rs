//! Neighbours: which link address an IP address has, learned and asked for, with a short queue of frames that wait for the answer.
//!
//! States and times follow RFC 4861 (7.3, 10) for both families, simplified: an entry is fresh, or stale and asked for again when used.
//!
//! Each port has a table of its own, so that no link can crowd out another's neighbours. Where one is full, what a stranger has claimed goes
//! first, then who was asked for longest ago, then who has not been used for longest; who is in use stays (`neighbour.c: neigh_forced_gc`).
//! Neighbours of the site file are not counted (`NUD_PERMANENT`).

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use redan_vm::Instant;

use crate::bounded::{Bounded, Rank, Secret};
use crate::frame::OutFrame;
use crate::site::{Mac, PortId, Site};

/// How long a learned address is taken as right (RFC 4861: `REACHABLE_TIME` is 30 s; Linux `base_reachable_time`).
const FRESH: Duration = Duration::from_secs(30);
/// Between two questions (RFC 4861: `RETRANS_TIMER`).
const RETRY: Duration = Duration::from_secs(1);
/// Questions before giving up (RFC 4861: `MAX_MULTICAST_SOLICIT`).
const TRIES: u8 = 3;
/// Frames that wait for one answer; the oldest goes when there are more (RFC 4861 7.2.2 asks for at least one).
const QUEUE: usize = 16;
/// Bytes that wait for one answer (`net.ipv4.neigh.default.unres_qlen_bytes`).
const QUEUE_BYTES: usize = 212_992;
/// Bytes that wait behind one port, whoever for.
const PORT_BYTES: usize = 4 << 20;
/// Most neighbours of one port (`net.ipv4.neigh.default.gc_thresh3`).
const MOST: usize = 1024;
/// How long after its last frame a neighbour is in use (`neighbour.c: neigh_forced_gc`).
const IN_USE: Duration = Duration::from_secs(5);
/// Between two notes that a neighbour is in use.
const NOTE: Duration = Duration::from_secs(1);

/// What nobody has asked for or used.
const CLAIMED: Rank = Rank::At(0);
/// The rank of [`State::Asking`], whose oldest entry is the next to be asked again.
const ASKED: usize = 1;
/// The same, for entries.
const ASKING: Rank = Rank::At(1);
/// What frames go to.
const USED: Rank = Rank::At(2);
const RANKS: usize = 3;

#[derive(Debug)]
enum State {
    /// From the site file: never asked for, never changed.
    Fixed(Mac),
    /// Learned.
    Known {
        mac: Mac,
        since: Instant,
        asked: Option<Instant>,
        /// The last frame to it, give or take [`NOTE`]; `None` before the first.
        used: Option<Instant>,
    },
    /// Asked for.
    Asking {
        tries: u8,
        next: Instant,
        queue: VecDeque<OutFrame>,
    },
}

/// What the datapath has to do for a frame to a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Send it to this address.
    Send(Mac),
    /// Send it, and ask whether the address still holds.
    SendAndAsk(Mac),
    /// Not known: [`Neighbors::hold`] the frame and, when `ask` is set, ask.
    Hold {
        /// Whether a question is due.
        ask: bool,
    },
}

impl Resolved {
    /// The address, where it is known.
    pub const fn mac(self) -> Option<Mac> {
        match self {
            Self::Send(mac) | Self::SendAndAsk(mac) => Some(mac),
            Self::Hold { .. } => None,
        }
    }
}

/// A neighbour's address as two numbers, since every frame that leaves asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Address {
    is_v6: bool,
    bits: u128,
}

impl From<IpAddr> for Address {
    #[inline]
    fn from(address: IpAddr) -> Self {
        let (is_v6, bits) = match address {
            IpAddr::V4(v4) => (false, u128::from(v4.to_bits())),
            IpAddr::V6(v6) => (true, v6.to_bits()),
        };
        Self { is_v6, bits }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        match u32::try_from(address.bits) {
            Ok(bits) if !address.is_v6 => Self::V4(Ipv4Addr::from_bits(bits)),
            _ => Self::V6(Ipv6Addr::from_bits(address.bits)),
        }
    }
}

/// The neighbours of one port.
#[derive(Debug)]
struct Link {
    table: Bounded<Address, State, RANKS>,
    /// Bytes that wait for answers.
    held: usize,
}

/// The neighbour tables.
#[derive(Debug)]
pub struct Neighbors {
    links: Vec<Link>,
    live: bool,
    lost: Lost,
}

/// What the bounds have cost since it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Frames that were given up for others.
    pub frames: u64,
    /// Neighbours that made room for others.
    pub neighbors: u64,
}

/// What is due: questions to send, and frames whose neighbour did not answer.
#[derive(Debug, Default)]
pub struct Due {
    /// Ask for these.
    pub ask: Vec<(PortId, IpAddr)>,
    /// Given up.
    pub failed: Vec<OutFrame>,
}

impl Link {
    fn new(seed: u64, port: u64) -> Self {
        Self {
            table: Bounded::new(Secret::new(seed, 0x6e65_6967_0000 | port), MOST),
            held: 0,
        }
    }

    /// Puts a neighbour in, if there is a place or one can be made; the frames that waited for the one that made it are given up.
    fn insert(
        &mut self,
        now: Instant,
        address: Address,
        state: State,
        rank: Rank,
        lost: &mut Lost,
    ) -> bool {
        let in_use = |state: &State| match state {
            State::Known {
                used: Some(used), ..
            } => now.since(*used) < IN_USE,
            State::Known { used: None, .. } | State::Asking { .. } | State::Fixed(_) => false,
        };
        let Ok(evicted) = self.table.make_room(in_use) else {
            return false;
        };
        if let Some((_, evicted)) = evicted {
            lost.neighbors += 1;
            lost.frames += self.give_up(evicted).len() as u64;
        }
        self.table.insert(address, state, rank).is_ok()
    }

    /// The frames that waited for a neighbour that is in the table no more, or no more asked for.
    fn give_up(&mut self, state: State) -> VecDeque<OutFrame> {
        let State::Asking { queue, .. } = state else {
            return VecDeque::new();
        };
        let bytes: usize = queue.iter().map(|frame| frame.bytes.len()).sum();
        self.held = self.held.saturating_sub(bytes);
        queue
    }

    /// Drops frames that wait for whoever was asked for longest ago, until no more wait than may.
    fn bound_held(&mut self, lost: &mut Lost) {
        while self.held > PORT_BYTES
            && let Some((address, _)) = self.table.oldest(ASKED)
        {
            let address = *address;
            let Some(state) = self.table.remove(&address) else {
                break;
            };
            lost.neighbors += 1;
            lost.frames += self.give_up(state).len() as u64;
        }
    }
}

impl Neighbors {
    /// The tables of a site. `on_link` says which port an address is behind. Without `live` nobody is asked, and unknown neighbours get a
    /// made-up address. `seed` keys their hashes.
    pub fn new(
        site: &Site,
        live: bool,
        seed: u64,
        on_link: impl Fn(IpAddr) -> Option<PortId>,
    ) -> Self {
        let mut links: Vec<Link> = (0..)
            .zip(&site.ports)
            .map(|(port, _)| Link::new(seed, port))
            .collect();
        for neighbor in &site.neighbors {
            let port = on_link(neighbor.address);
            if let Some(link) = port.and_then(|port| links.get_mut(port.index())) {
                let address = neighbor.address.into();
                link.table.remove(&address);
                let fixed = State::Fixed(neighbor.mac);
                let _ = link.table.insert(address, fixed, Rank::Pinned);
            }
        }
        Self {
            links,
            live,
            lost: Lost::default(),
        }
    }

    /// The link address for a frame to a neighbour.
    #[inline]
    pub fn resolve(&mut self, now: Instant, port: PortId, address: IpAddr) -> Resolved {
        let live = self.live;
        let key = Address::from(address);
        let link = self.links.get_mut(port.index());
        match link.and_then(|link| link.table.get_mut(&key)) {
            Some(State::Fixed(mac)) => Resolved::Send(*mac),
            Some(State::Known {
                mac,
                since,
                asked,
                used,
            }) => {
                let stale = live && now.since(*since) > FRESH;
                let ask = stale && asked.is_none_or(|at| now.since(at) > RETRY);
                if ask {
                    *asked = Some(now);
                }
                let mac = *mac;
                if used.is_none_or(|at| now.since(at) >= NOTE) {
                    *used = Some(now);
                    self.note_used(port, &key);
                }
                if ask {
                    Resolved::SendAndAsk(mac)
                } else {
                    Resolved::Send(mac)
                }
            }
            Some(State::Asking { .. }) => Resolved::Hold { ask: false },
            None if !live => Resolved::Send(Mac::made_up(address)),
            None => Resolved::Hold {
                ask: self.start_asking(now, port, key),
            },
        }
    }

    #[cold]
    fn note_used(&mut self, port: PortId, key: &Address) {
        if let Some(link) = self.links.get_mut(port.index()) {
            link.table.renew(key, USED);
        }
    }

    /// Begins to ask; false where all places are in use.
    #[cold]
    fn start_asking(&mut self, now: Instant, port: PortId, key: Address) -> bool {
        let Some(link) = self.links.get_mut(port.index()) else {
            return false;
        };
        let asking = State::Asking {
            tries: 1,
            next: now + RETRY,
            queue: VecDeque::new(),
        };
        link.insert(now, key, asking, ASKING, &mut self.lost)
    }

    /// Keeps a frame until its neighbour answers. Frames that have to go for it count as lost; so does it where nobody is asked.
    pub fn hold(&mut self, port: PortId, address: IpAddr, frame: OutFrame) {
        let link = self.links.get_mut(port.index());
        let asked = link.and_then(|link| {
            let state = link.table.get_mut(&address.into())?;
            Some((state, &mut link.held))
        });
        let Some((State::Asking { queue, .. }, held)) = asked else {
            self.lost.frames += 1;
            return;
        };
        *held += frame.bytes.len();
        queue.push_back(frame);
        let mut bytes: usize = queue.iter().map(|frame| frame.bytes.len()).sum();
        while (queue.len() > QUEUE || bytes > QUEUE_BYTES)
            && let Some(gone) = queue.pop_front()
        {
            bytes -= gone.bytes.len();
            *held = held.saturating_sub(gone.bytes.len());
            self.lost.frames += 1;
        }
        if let Some(link) = self.links.get_mut(port.index()) {
            link.bound_held(&mut self.lost);
        }
    }

    /// Learns an address from an answer (`solicited`), or from a question or a capture's frame. A new entry is made only for an answer to
    /// a question, for a question to the machine itself, or in a replay (`create`). Gives the frames that waited.
    pub fn learn(
        &mut self,
        now: Instant,
        port: PortId,
        address: IpAddr,
        mac: Mac,
        create: bool,
    ) -> VecDeque<OutFrame> {
        let Some(link) = self.links.get_mut(port.index()) else {
            return VecDeque::new();
        };
        let key = address.into();
        let learned = |used| State::Known {
            mac,
            since: now,
            asked: None,
            used,
        };
        match link.table.get_mut(&key) {
            Some(State::Fixed(_)) => VecDeque::new(),
            Some(State::Known {
                mac: known,
                since,
                asked,
                ..
            }) => {
                (*known, *since, *asked) = (mac, now, None);
                VecDeque::new()
            }
            Some(state) => {
                let waited = std::mem::replace(state, learned(Some(now)));
                link.table.renew(&key, USED);
                link.give_up(waited)
            }
            None if create => {
                link.insert(now, key, learned(None), CLAIMED, &mut self.lost);
                VecDeque::new()
            }
            None => VecDeque::new(),
        }
    }

    /// What the bounds have cost since the last call.
    pub fn take_lost(&mut self) -> Lost {
        std::mem::take(&mut self.lost)
    }

    /// When [`Self::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = |link: &Link| match link.table.oldest(ASKED)?.1 {
            State::Asking { next, .. } => Some(*next),
            State::Fixed(_) | State::Known { .. } => None,
        };
        self.links.iter().filter_map(next).min()
    }

    /// Asks again, or gives up.
    pub fn handle_timeout(&mut self, now: Instant) -> Due {
        let mut due = Due::default();
        for (port, link) in (0..).map(PortId).zip(&mut self.links) {
            while let Some((key, State::Asking { next, tries, .. })) = link.table.oldest(ASKED)
                && *next <= now
            {
                let (key, is_over) = (*key, *tries >= TRIES);
                if is_over {
                    let gone = link.table.remove(&key);
                    let frames = gone.map(|state| link.give_up(state));
                    due.failed.extend(frames.into_iter().flatten());
                    continue;
                }
                if let Some(State::Asking { next, tries, .. }) = link.table.get_mut(&key) {
                    *tries += 1;
                    *next = now + RETRY;
                }
                link.table.renew(&key, ASKING);
                due.ask.push((port, key.into()));
            }
        }
        due.ask.sort_unstable();
        due
    }
}

#[cfg(test)]
mod tests;
