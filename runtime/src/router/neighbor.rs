//! Neighbours: which link address an IP address has, learned and asked for, with a short queue of frames that wait for the answer.
//!
//! States and times follow RFC 4861 (7.3, 10) for both families, simplified: an entry is fresh, or stale and asked for again when used.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use redan_vm::Instant;

use crate::datapath::OutFrame;
use crate::site::{Mac, PortId, Site};

/// How long a learned address is taken as right (RFC 4861: `REACHABLE_TIME` is 30 s; Linux `base_reachable_time`).
const FRESH: Duration = Duration::from_secs(30);
/// Between two questions (RFC 4861: `RETRANS_TIMER`).
const RETRY: Duration = Duration::from_secs(1);
/// Questions before giving up (RFC 4861: `MAX_MULTICAST_SOLICIT`).
const TRIES: u8 = 3;
/// Frames that wait for one answer; the oldest goes when there are more (RFC 4861 7.2.2 asks for at least one).
const QUEUE: usize = 16;
/// Most neighbours that are kept (Linux `gc_thresh3`).
const MOST: usize = 1024;

#[derive(Debug)]
enum State {
    /// From the site file: never asked for, never changed.
    Fixed(Mac),
    /// Learned.
    Known {
        mac: Mac,
        since: Instant,
        asked: Option<Instant>,
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

/// Where a neighbour is: behind which port, and its address, as two numbers, since every frame that leaves asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    /// The port, and whether the address is one of IPv6.
    port: u32,
    address: u128,
}

impl Place {
    #[inline]
    fn new(port: PortId, address: IpAddr) -> Self {
        let port = u32::from(port.0) << 1;
        match address {
            IpAddr::V4(v4) => Self {
                port,
                address: u128::from(v4.to_bits()),
            },
            IpAddr::V6(v6) => Self {
                port: port | 1,
                address: v6.to_bits(),
            },
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "what was widened by `new` is narrowed"
    )]
    const fn parts(self) -> (PortId, IpAddr) {
        let address = if self.port & 1 == 0 {
            IpAddr::V4(Ipv4Addr::from_bits(self.address as u32))
        } else {
            IpAddr::V6(Ipv6Addr::from_bits(self.address))
        };
        (PortId((self.port >> 1) as u16), address)
    }
}

/// The neighbour table.
#[derive(Debug, Default)]
pub struct Neighbors {
    entries: HashMap<Place, State, FixedState>,
    /// The earliest [`State::Asking`] question; may be too early, never too late.
    next: Option<Instant>,
    live: bool,
}

/// What is due: questions to send, and frames whose neighbour did not answer.
#[derive(Debug, Default)]
pub struct Due {
    /// Ask for these.
    pub ask: Vec<(PortId, IpAddr)>,
    /// Given up.
    pub failed: Vec<OutFrame>,
}

impl Neighbors {
    /// The table of a site. `on_link` says which port an address is behind. Without `live` nobody is asked, and unknown neighbours get a
    /// made-up address.
    pub fn new(site: &Site, live: bool, on_link: impl Fn(IpAddr) -> Option<PortId>) -> Self {
        let mut table = Self {
            live,
            ..Self::default()
        };
        for neighbor in &site.neighbors {
            if let Some(port) = on_link(neighbor.address) {
                table.entries.insert(
                    Place::new(port, neighbor.address),
                    State::Fixed(neighbor.mac),
                );
            }
        }
        table
    }

    /// The link address for a frame to a neighbour.
    #[inline]
    pub fn resolve(&mut self, now: Instant, port: PortId, address: IpAddr) -> Resolved {
        let room = !self.live || self.make_room(port, address);
        match self.entries.get_mut(&Place::new(port, address)) {
            Some(State::Fixed(mac)) => Resolved::Send(*mac),
            Some(State::Known { mac, since, asked }) => {
                let stale = self.live && now.since(*since) > FRESH;
                if stale && asked.is_none_or(|at| now.since(at) > RETRY) {
                    *asked = Some(now);
                    return Resolved::SendAndAsk(*mac);
                }
                Resolved::Send(*mac)
            }
            Some(State::Asking { .. }) => Resolved::Hold { ask: false },
            None if !self.live => Resolved::Send(Mac::made_up(address)),
            None if !room => Resolved::Hold { ask: false },
            None => {
                let next = now + RETRY;
                self.entries.insert(
                    Place::new(port, address),
                    State::Asking {
                        tries: 1,
                        next,
                        queue: VecDeque::new(),
                    },
                );
                self.next = Some(self.next.map_or(next, |at| at.min(next)));
                Resolved::Hold { ask: true }
            }
        }
    }

    /// Whether there is a place for a neighbour; in a full table a learned one goes.
    fn make_room(&mut self, port: PortId, address: IpAddr) -> bool {
        if self.entries.len() < MOST || self.entries.contains_key(&Place::new(port, address)) {
            return true;
        }
        let learned =
            |(key, state): (&Place, &State)| matches!(state, State::Known { .. }).then_some(*key);
        let victim = self.entries.iter().find_map(learned);
        victim.is_some_and(|key| self.entries.remove(&key).is_some())
    }

    /// Keeps a frame until its neighbour answers; gives back the frame that had to go for it.
    pub fn hold(&mut self, port: PortId, address: IpAddr, frame: OutFrame) -> Option<OutFrame> {
        match self.entries.get_mut(&Place::new(port, address)) {
            Some(State::Asking { queue, .. }) => {
                queue.push_back(frame);
                if queue.len() > QUEUE {
                    queue.pop_front()
                } else {
                    None
                }
            }
            Some(State::Fixed(_) | State::Known { .. }) | None => Some(frame),
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
        let known = State::Known {
            mac,
            since: now,
            asked: None,
        };
        let room = create && self.make_room(port, address);
        match self.entries.get_mut(&Place::new(port, address)) {
            Some(State::Fixed(_)) => VecDeque::new(),
            Some(state) => match std::mem::replace(state, known) {
                State::Asking { queue, .. } => queue,
                State::Fixed(_) | State::Known { .. } => VecDeque::new(),
            },
            None => {
                if room {
                    self.entries.insert(Place::new(port, address), known);
                }
                VecDeque::new()
            }
        }
    }

    /// When [`Self::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Asks again, or gives up.
    pub fn handle_timeout(&mut self, now: Instant) -> Due {
        let mut due = Due::default();
        if self.next.is_none_or(|at| at > now) {
            return due;
        }
        let mut next_of_all: Option<Instant> = None;
        self.entries.retain(|place, state| {
            let State::Asking { tries, next, queue } = state else {
                return true;
            };
            if *next <= now {
                if *tries >= TRIES {
                    due.failed.extend(queue.drain(..));
                    return false;
                }
                *tries += 1;
                *next = now + RETRY;
                due.ask.push(place.parts());
            }
            next_of_all = Some(next_of_all.map_or(*next, |at| at.min(*next)));
            true
        });
        self.next = next_of_all;
        due.ask.sort_unstable();
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datapath::Offload;

    const PORT: PortId = PortId(0);

    fn frame(n: u8) -> OutFrame {
        OutFrame {
            port: PORT,
            bytes: vec![n],
            offload: Offload::default(),
        }
    }

    #[test]
    fn frames_wait_for_the_answer_and_the_oldest_goes_first() {
        let (mut table, at) = (
            Neighbors {
                live: true,
                ..Neighbors::default()
            },
            Instant::from_secs(1),
        );
        let peer: IpAddr = "10.0.0.2".parse().unwrap();
        assert_eq!(table.resolve(at, PORT, peer), Resolved::Hold { ask: true });
        assert_eq!(table.resolve(at, PORT, peer), Resolved::Hold { ask: false });
        for n in 0..16 {
            assert_eq!(table.hold(PORT, peer, frame(n)), None);
        }
        assert_eq!(table.hold(PORT, peer, frame(16)), Some(frame(0)));
        let mac = Mac([2, 0, 0, 0, 0, 9]);
        assert_eq!(table.learn(at, PORT, peer, mac, false).len(), 16);
        assert_eq!(table.resolve(at, PORT, peer), Resolved::Send(mac));
        assert_eq!(
            table.resolve(at + Duration::from_secs(40), PORT, peer),
            Resolved::SendAndAsk(mac)
        );
        assert_eq!(
            table.resolve(at + Duration::from_secs(40), PORT, peer),
            Resolved::Send(mac)
        );
    }

    #[test]
    fn silence_gives_the_frames_back_after_three_questions() {
        let (mut table, mut at) = (
            Neighbors {
                live: true,
                ..Neighbors::default()
            },
            Instant::from_secs(1),
        );
        let peer: IpAddr = "10.0.0.2".parse().unwrap();
        table.resolve(at, PORT, peer);
        table.hold(PORT, peer, frame(1));
        for asked in [1, 1, 0] {
            at = table.poll_timeout().unwrap();
            let due = table.handle_timeout(at);
            assert_eq!((due.ask.len(), due.failed.len()), (asked, 1 - asked));
        }
        assert_eq!(table.poll_timeout(), None);
    }

    #[test]
    fn a_replay_makes_addresses_up() {
        let mut table = Neighbors::default();
        let made = table.resolve(Instant::from_secs(1), PORT, "10.0.7.2".parse().unwrap());
        assert_eq!(made, Resolved::Send(Mac([2, 0, 10, 0, 7, 2])));
    }
}
