//! Which station is behind which port of a wire, learned from the frames that it sends (`br_fdb.c`).
//!
//! Each port has a table of its own, so that no link can crowd out another's stations. Where one is full, the station goes that was heard
//! of longest ago and that nobody sends to; those in use stay, and frames to stations that are not known go to all ports.

use std::time::Duration;

use redan_vm::Instant;

use crate::bounded::{Bounded, Rank, Secret};
use crate::site::PortId;

/// Most stations behind one port.
const MOST: usize = 4096;
/// How long a station is remembered that sends nothing (`BR_DEFAULT_AGEING_TIME`).
const AGEING: Duration = Duration::from_mins(5);
/// How long after its last frame a station that others send to is in use.
const IN_USE: Duration = Duration::from_secs(5);
/// Between two notes that a station has been heard of.
const NOTE: Duration = Duration::from_secs(1);

type Address = [u8; 6];

/// A station.
#[derive(Clone, Copy, Debug)]
struct Station {
    /// Its last frame, give or take [`NOTE`].
    seen: Instant,
    /// Whether a frame from another port was for it.
    used: bool,
}

impl Station {
    const fn rank(self) -> Rank {
        Rank::At(self.used as u8)
    }
}

/// The stations of a wire.
#[derive(Debug)]
pub(super) struct Stations {
    links: Vec<Bounded<Address, Station, 2>>,
}

impl Stations {
    /// Empty tables for `ports` ports; `seed` keys their hashes.
    pub(super) fn new(ports: usize, seed: u64) -> Self {
        let link = |port: u64| Bounded::new(Secret::new(seed, 0x7374_6174_0000 | port), MOST);
        Self {
            links: (0..).map(link).take(ports).collect(),
        }
    }

    /// A station has sent a frame by a port; whether another one had to go for it.
    pub(super) fn learn(&mut self, now: Instant, address: Address, port: PortId) -> bool {
        let Some(link) = self.links.get_mut(port.index()) else {
            return false;
        };
        if let Some(station) = link.get_mut(&address) {
            if now.since(station.seen) >= NOTE {
                station.seen = now;
                let rank = station.rank();
                link.renew(&address, rank);
            }
            return false;
        }
        for other in &mut self.links {
            other.remove(&address);
        }
        let Some(link) = self.links.get_mut(port.index()) else {
            return false;
        };
        let in_use = |station: &Station| station.used && now.since(station.seen) < IN_USE;
        let Ok(evicted) = link.make_room(in_use) else {
            return false;
        };
        let station = Station {
            seen: now,
            used: false,
        };
        let _ = link.insert(address, station, station.rank());
        evicted.is_some()
    }

    /// The port that a station is behind, for a frame that came by `from`.
    pub(super) fn find(&mut self, now: Instant, address: Address, from: PortId) -> Option<PortId> {
        for (port, link) in (0..).map(PortId).zip(&mut self.links) {
            let Some(station) = link.get_mut(&address) else {
                continue;
            };
            if now.since(station.seen) >= AGEING {
                link.remove(&address);
                return None;
            }
            if port != from && !station.used {
                station.used = true;
                let rank = station.rank();
                link.renew(&address, rank);
            }
            return Some(port);
        }
        None
    }

    /// Stations that are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.links.iter().map(Bounded::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_secs(9);

    fn address(n: u32) -> Address {
        let mut address = [2; 6];
        address[2..].copy_from_slice(&n.to_be_bytes());
        address
    }

    #[test]
    fn a_station_is_behind_the_port_that_it_was_heard_at_last_and_forgotten_in_time() {
        let mut stations = Stations::new(3, 1);
        stations.learn(START, address(1), PortId(0));
        assert_eq!(stations.find(START, address(1), PortId(1)), Some(PortId(0)));
        stations.learn(START, address(1), PortId(2));
        assert_eq!(stations.find(START, address(1), PortId(1)), Some(PortId(2)));
        let later = START + AGEING;
        assert_eq!(stations.find(later, address(1), PortId(1)), None);
        assert_eq!(stations.len(), 0);
    }

    #[test]
    fn strangers_push_out_strangers_of_their_own_port() {
        let mut stations = Stations::new(3, 1);
        let mut evicted = 0;
        for (station, port) in [(1, PortId(0)), (2, PortId(1))] {
            stations.learn(START, address(station), port);
            stations.find(START, address(station), PortId(2));
        }
        for n in 0..50_000 {
            let now = START + Duration::from_micros(u64::from(n) * 50);
            evicted += u32::from(stations.learn(now, address(1_000 + n), PortId(0)));
        }
        assert_eq!(evicted, 50_001 - 4096);
        assert_eq!((stations.len(), stations.links[0].slots()), (4097, 4096));
        for (station, port) in [(1, PortId(0)), (2, PortId(1))] {
            assert_eq!(
                stations.find(START, address(station), PortId(2)),
                Some(port)
            );
        }
    }
}
