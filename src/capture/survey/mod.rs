//! What a capture shows of the machine that made it: its ports, addresses and neighbours.

mod port;
mod propose;

use std::collections::BTreeMap;

use redan_runtime::driver::capture::order::Numbered;
use redan_runtime::driver::capture::{Heading, Interface};
use redan_runtime::site::LOOPBACK;
use redan_runtime::{Mac, Mode, PortId, Site};
use redan_vm::packet::{LinkKind, arp, dissect, ethernet};

use self::port::Port;
use super::machine::{Fate, Machine, Shown};

/// What has been seen.
pub(crate) struct Survey {
    machine: Machine,
    ports: BTreeMap<u16, Port>,
    /// The port of each interface: those of one name are one.
    of: Vec<u16>,
    routed: u64,
    bridged: u64,
    frames: u64,
}

impl Default for Survey {
    fn default() -> Self {
        let site = Site {
            mode: Mode::Wire,
            ..Site::default()
        };
        Self {
            machine: Machine::new(&site, false),
            ports: BTreeMap::new(),
            of: Vec::new(),
            routed: 0,
            bridged: 0,
            frames: 0,
        }
    }
}

impl Survey {
    /// Frames so far.
    pub(crate) const fn frames(&self) -> u64 {
        self.frames
    }

    /// Notes a frame.
    pub(crate) fn note(&mut self, numbered: &Numbered, interfaces: &[Interface]) {
        let captured = &numbered.captured;
        let id = self.port_of(captured.interface as usize, interfaces);
        let bytes = captured.frame.bytes.as_slice();
        self.frames += 1;
        let (fate, flow) = self.machine.take(&Shown {
            number: numbered.number,
            time: captured.time,
            port: PortId(id),
            heading: captured.heading,
            made_link: captured.frame.made_link,
            bytes,
        });
        let is_copy = matches!(fate, Fate::Copy(_));
        let port = self.ports.entry(id).or_default();
        port.frames += 1;
        port.has_links |= !captured.frame.made_link;
        let is_loopback = interfaces
            .get(captured.interface as usize)
            .is_some_and(|interface| {
                interface.is_loopback || interface.name.as_deref() == Some(LOOPBACK)
            });
        port.is_loopback |= is_loopback;
        if is_loopback {
            return;
        }
        match flow {
            Some(flow) => {
                port.note(&flow, captured.heading, captured.frame.made_link, is_copy);
                if is_copy {
                    self.note_copy(id, &flow.link, captured.frame.made_link);
                }
            }
            None => note_arp(port, bytes, captured.heading),
        }
    }

    /// A packet that went through the machine names its ports' link addresses.
    fn note_copy(&mut self, id: u16, link: &[u8; 12], made_link: bool) {
        let Some((came_by, first)) = self.machine.original else {
            return;
        };
        if !made_link && first == *link {
            self.bridged += 1;
            return;
        }
        self.routed += 1;
        if made_link {
            return;
        }
        let [to, from] = [first.first_chunk::<6>(), link.last_chunk::<6>()];
        for (port, mac) in [(came_by.0, to), (id, from)] {
            if let (Some(port), Some(mac)) = (self.ports.get_mut(&port), mac)
                && !ethernet::is_multicast(*mac)
            {
                *port.own_macs.entry(Mac(*mac)).or_default() += 1;
            }
        }
    }

    fn port_of(&mut self, number: usize, interfaces: &[Interface]) -> u16 {
        let key = |interface: &Interface| {
            let number = interface.index.unwrap_or(interface.ordinal);
            (
                interface.name.clone(),
                interface.name.is_none().then_some(number),
            )
        };
        for at in self.of.len()..interfaces.len() {
            let new = interfaces.get(at).map(key);
            let same = interfaces
                .iter()
                .take(at)
                .position(|old| Some(key(old)) == new);
            let port = same
                .and_then(|same| self.of.get(same).copied())
                .unwrap_or_else(|| u16::try_from(at).unwrap_or(u16::MAX));
            self.of.push(port);
        }
        self.of.get(number).copied().unwrap_or(0)
    }
}

/// Who has which address, from ARP.
fn note_arp(port: &mut Port, bytes: &[u8], heading: Option<Heading>) {
    let Ok(layout) = dissect(bytes, LinkKind::Ethernet) else {
        return;
    };
    let packet = bytes.get(layout.network as usize..).unwrap_or(&[]);
    let Some(arp) = arp::Arp::new_checked(packet).filter(arp::Arp::is_ethernet_ipv4) else {
        return;
    };
    let (mac, address) = (Mac(arp.sender_mac()), arp.sender_ip());
    if mac.is_group() || address.is_unspecified() {
        return;
    }
    port.peer(mac).arp.insert(address);
    if heading == Some(Heading::Out) {
        *port.own_macs.entry(mac).or_default() += 1;
    }
}
