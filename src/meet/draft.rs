//! From what is wanted of a packet to its bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use redan_runtime::Mac;
use redan_runtime::router::solicit;
use redan_vm::family::nfproto;
use redan_vm::ids::RuleId;
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::packet::{
    Ipv4, Layout, LinkKind, checksum, dissect, ethernet, ethertype, icmp, icmpv6, pkttype,
    protocol, tcp, vlan,
};
use redan_vm::predicate::Subject;

use super::wants::Wants;
use super::{Draft, Kind, Way};
use crate::craft::{Spec, Transport};

/// Ports that people know, most usual first.
const PORTS: [u128; 6] = [80, 443, 22, 53, 8080, 7777];

/// Addresses of nobody in particular, for documentation (RFC 5737, RFC 3849).
const STRANGERS_V4: [u128; 2] = [0xc000_0205, 0xc633_6405];

/// The same in IPv6: the first and the second /48, host 5.
const STRANGERS_V6: [u128; 2] = [
    0x2001_0db8_0000_0000_0000_0000_0000_0005,
    0x2001_0db8_0001_0000_0000_0000_0000_0005,
];

/// First source port of what is made up.
const FIRST_PORT: u16 = 40000;

/// TTL and hop limit: ordinary, and that of neighbour discovery (RFC 4861 7.1.1).
const HOPS: [u128; 2] = [64, 255];

/// Which part of a conversation a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Its first packet, so that every byte of it can be chosen.
    Opening,
    /// One that goes the other way than the first.
    Answer,
    /// A later one that goes the same way.
    Sequel,
}

/// Which packet is to be made.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What is wanted of it.
    pub(super) wants: Wants,
    /// The way that it goes, by number.
    pub(super) way: usize,
    /// Its family.
    pub(super) is_v4: bool,
    /// Its layer 4 protocol.
    pub(super) l4: u8,
    /// What it is a part of.
    pub(super) kind: Kind,
    /// Which part.
    pub(super) part: Part,
    /// It is sent without asking for a link address first.
    pub(super) is_raw: bool,
    /// How many like it go before it.
    pub(super) crowd: u16,
    /// Rules that it keeps out of already.
    pub(super) avoided: Vec<RuleId>,
}

impl Plan {
    /// The packet that opens what the wanted one is a part of; `serial` keeps it apart from others.
    pub(super) fn draft(&self, ways: &[Way], serial: u16) -> Option<Draft> {
        let way = ways.get(self.way)?;
        let (src, dst) = self.addresses(way)?;
        let mut spec = Spec::new(src, dst, self.transport(serial)?);
        let hops = network(if self.is_v4 { 8 } else { 7 }, 1);
        spec.hop_limit = u8::try_from(self.wants.choose(&hops, &HOPS)?).ok()?;
        if self.part == Part::Answer {
            let back = way.back?;
            let mut opening = spec.answer();
            opening.transport = self.opened(opening.transport, serial);
            return Some(Draft {
                way: back,
                spec: opening,
                patches: Vec::new(),
                tag: None,
                to: None,
                kind: self.kind,
                is_raw: false,
                crowd: self.crowd,
            });
        }
        let mut draft = Draft {
            way: self.way,
            to: group_mac(dst),
            spec,
            patches: Vec::new(),
            tag: None,
            kind: self.kind,
            is_raw: self.is_raw,
            crowd: self.crowd,
        };
        if self.part == Part::Opening {
            self.fill(&mut draft)?;
        }
        Some(draft)
    }

    fn addresses(&self, way: &Way) -> Option<(IpAddr, IpAddr)> {
        let (src_at, dst_at, len) = if self.is_v4 { (12, 16, 4) } else { (8, 24, 16) };
        let usual = |list: &[IpAddr]| list.iter().find(|a| a.is_ipv4() == self.is_v4).copied();
        let source = network(src_at, len);
        let src = self.address(&source, usual(&way.src)?)?;
        let target = network(dst_at, len);
        let group = Subject::Meta(MetaKey::Pkttype);
        let to = if self.wants.takes(&group, pkttype::HOST.into()) {
            usual(&way.dst)?
        } else {
            match (
                self.is_v4,
                self.wants.takes(&group, pkttype::MULTICAST.into()),
            ) {
                (true, true) => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)),
                (true, false) => IpAddr::V4(Ipv4Addr::BROADCAST),
                (false, _) => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)),
            }
        };
        let dst = self.address(&target, to)?;
        (src != dst).then_some((src, dst))
    }

    fn address(&self, subject: &Subject, usual: IpAddr) -> Option<IpAddr> {
        let liked = match usual {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        let strangers: &[u128] = if self.is_v4 {
            &STRANGERS_V4
        } else {
            &STRANGERS_V6
        };
        let liked: Vec<u128> = std::iter::once(liked)
            .chain(strangers.iter().copied())
            .collect();
        let value = self.wants.choose(subject, &liked)?;
        Some(if self.is_v4 {
            IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(value).ok()?))
        } else {
            IpAddr::V6(Ipv6Addr::from_bits(value))
        })
    }

    fn transport(&self, serial: u16) -> Option<Transport> {
        let field = |offset, len| Subject::Payload {
            base: Base::Transport,
            offset,
            len,
        };
        let own = [u128::from(FIRST_PORT + serial)];
        let (from, to): (&[u128], &[u128]) = if self.part == Part::Answer {
            (&PORTS, &own)
        } else {
            (&own, &PORTS)
        };
        let port = |offset, liked: &[u128]| {
            let value = self.wants.choose(&field(offset, 2), liked)?;
            u16::try_from(value).ok()
        };
        Some(match self.l4 {
            protocol::TCP => {
                let stray = [tcp::flags::SYN | tcp::flags::ACK, tcp::flags::ACK];
                let mut flags = match self.kind {
                    Kind::Stray => stray.map(u128::from).to_vec(),
                    Kind::Talk | Kind::Closed => vec![u128::from(tcp::flags::SYN)],
                };
                flags.extend(self.wants.masked(&field(13, 1)));
                Transport::Tcp {
                    sport: port(0, from)?,
                    dport: port(2, to)?,
                    flags: if self.part == Part::Opening {
                        u8::try_from(self.wants.choose(&field(13, 1), &flags)?).ok()?
                    } else {
                        tcp::flags::SYN
                    },
                    seq: 1000,
                    ack: 0,
                }
            }
            protocol::UDP => Transport::Udp {
                sport: port(0, from)?,
                dport: port(2, to)?,
            },
            protocol::ICMP | protocol::ICMPV6 if (self.l4 == protocol::ICMP) == self.is_v4 => {
                let echo = self.echo();
                // Of a type that is asked for, code 0.
                let lows = self.wants.lows(&field(0, 2));
                let liked: Vec<u128> = std::iter::once(u128::from(echo) << 8).chain(lows).collect();
                let word = self.wants.choose(&field(0, 2), &liked)?;
                let [kind, code] = u16::try_from(word).ok()?.to_be_bytes();
                let code = self.wants.choose(&field(1, 1), &[u128::from(code)])?;
                Transport::Icmp {
                    kind,
                    code: u8::try_from(code).ok()?,
                    id: FIRST_PORT + serial,
                    seq: 1,
                }
            }
            other => Transport::Other(other),
        })
    }

    const fn echo(&self) -> u8 {
        if self.is_v4 {
            icmp::icmp_type::ECHO_REQUEST
        } else {
            icmpv6::icmpv6_type::ECHO_REQUEST
        }
    }

    /// The opening of the conversation that a transport header answers in.
    fn opened(&self, transport: Transport, serial: u16) -> Transport {
        match (transport, self.kind) {
            (_, Kind::Closed) => Transport::Udp {
                sport: FIRST_PORT + serial,
                dport: 33434,
            },
            (Transport::Tcp { sport, dport, .. }, _) => Transport::Tcp {
                sport,
                dport,
                flags: tcp::flags::SYN,
                seq: 1000,
                ack: 0,
            },
            (Transport::Icmp { .. }, _) => Transport::Icmp {
                kind: self.echo(),
                code: 0,
                id: FIRST_PORT + serial,
                seq: 1,
            },
            (other, _) => other,
        }
    }

    /// Chooses what the description of a packet has no word for.
    fn fill(&self, draft: &mut Draft) -> Option<()> {
        self.tag(draft)?;
        let length = Subject::Meta(MetaKey::Length);
        let bare = draft.spec.packet().len();
        if self.wants.asks(&length) {
            let wanted = self.wants.choose(&length, &[bare as u128])?;
            let more = usize::try_from(wanted).ok()?.checked_sub(bare)?;
            draft.spec.payload = vec![0; more.min(1400)];
        }
        for (subject, base, offset, len) in self.wants.payload() {
            let frame = draft.frame(Mac::default(), Mac::default());
            let layout = dissect(&frame, LinkKind::Ethernet).ok()?;
            let Some(at) = place(&layout, base, offset) else {
                continue;
            };
            let Some(bytes) = frame.get(at..at + usize::from(len)) else {
                continue;
            };
            let value = bytes.iter().fold(0_u128, |n, b| n << 8 | u128::from(*b));
            let is_address = base == Base::Link && offset < 12;
            if self.wants.takes(subject, value) && !is_address {
                continue;
            }
            let value = self.wants.choose(subject, &[value])?;
            let start = 16_usize.checked_sub(usize::from(len))?;
            let bytes = value.to_be_bytes().get(start..)?.to_vec();
            draft.patches.push((base, offset, bytes));
        }
        Some(())
    }

    /// A VLAN tag, where the link header must have one.
    fn tag(&self, draft: &mut Draft) -> Option<()> {
        let link = |offset| Subject::Payload {
            base: Base::Link,
            offset,
            len: 2,
        };
        let plain = if self.is_v4 {
            ethertype::IPV4
        } else {
            ethertype::IPV6
        };
        if !self.wants.takes(&link(12), plain.into())
            && self.wants.takes(&link(12), ethertype::VLAN.into())
        {
            let tag = self.wants.choose(&link(14), &[1])?;
            draft.tag = u16::try_from(tag).ok();
        }
        Some(())
    }
}

const fn network(offset: u32, len: u8) -> Subject {
    Subject::Payload {
        base: Base::Network,
        offset,
        len,
    }
}

/// The link address of a group or of everybody; `None` for a single host.
fn group_mac(to: IpAddr) -> Option<Mac> {
    match to {
        IpAddr::V4(address) if address.is_broadcast() => Some(Mac::BROADCAST),
        IpAddr::V4(address) if address.is_multicast() => {
            // RFC 1112 6.4: the low 23 bits.
            let [_, b, c, d] = address.octets();
            Some(Mac([1, 0, 0x5e, b & 0x7f, c, d]))
        }
        IpAddr::V6(address) if address.is_multicast() => Some(solicit::group_mac(address)),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

/// Where a payload load reads in a frame.
fn place(layout: &Layout, base: Base, offset: u32) -> Option<usize> {
    let start = match base {
        Base::Link => layout.link,
        Base::Network => layout.network,
        Base::Transport if layout.has_transport() => layout.transport,
        Base::Inner if layout.has_inner() => layout.inner,
        Base::Transport | Base::Inner | Base::Tunnel => return None,
    };
    Some((start + offset) as usize)
}

impl Draft {
    /// A packet just as it is described.
    pub(crate) const fn plain(way: usize, spec: Spec, kind: Kind) -> Self {
        Self {
            way,
            spec,
            kind,
            tag: None,
            to: None,
            patches: Vec::new(),
            is_raw: false,
            crowd: 0,
        }
    }

    /// Whether a socket would send just this.
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_raw
            && self.patches.is_empty()
            && self.tag.is_none()
            && self.to.is_none()
            && self.spec.hop_limit == 64
            && self.spec.payload.is_empty()
    }

    /// The frame, from and to these link addresses where nothing else is asked for.
    pub(crate) fn frame(&self, from: Mac, to: Mac) -> Vec<u8> {
        let mut frame = self.spec.frame(from, self.to.unwrap_or(to));
        if let Some(tag) = self.tag {
            let mut header = ethertype::VLAN.to_be_bytes().to_vec();
            header.extend(tag.to_be_bytes());
            frame.splice(12..12, header);
        }
        // Where the headers are, while checksums still say so.
        let layout = match dissect(&frame, LinkKind::Ethernet) {
            Ok(layout) if !self.patches.is_empty() => layout,
            _ => return frame,
        };
        for (base, offset, bytes) in &self.patches {
            let place = place(&layout, *base, *offset);
            if let Some(place) = place.and_then(|at| frame.get_mut(at..at + bytes.len())) {
                place.copy_from_slice(bytes);
            }
        }
        let network = layout.network as usize;
        if layout.nfproto == nfproto::IPV4
            && let Some(mut header) = frame.get_mut(network..).and_then(Ipv4::new_checked)
        {
            header.fill_checksum();
        }
        checksum::fill(&mut frame, &layout);
        frame
    }
}

const _: () = assert!(ethernet::LEN + vlan::LEN == 18);
