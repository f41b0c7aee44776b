//! Which protocols a rule's packets are known to have, from its matches so far.
//!
//! A field implies its header, and the header implies the ones before it: [`Protocols::requirements`] lists what must be matched before the field can be read,
//! by family (spec: language.md 3.5). Matches that a user writes narrow the protocols as well, so that nothing is tested twice, and contradictions are found.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use redan_vm::family::{Family, nfproto};
use redan_vm::field::{Header, Requires};
use redan_vm::instr::Base;

/// A protocol at one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proto {
    /// One that has fields.
    Header(Header),
    /// The link layer of inet tables: only `meta nfproto` is known.
    Inet,
    /// The link layer of netdev tables: only `meta protocol` is known.
    Netdev,
    /// One that has no fields here.
    Unknown,
}

impl Proto {
    /// Its name, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Header(header) => header.word(),
            Self::Inet => "inet",
            Self::Netdev => "netdev",
            Self::Unknown => "unknown",
        }
    }
}

/// A match that a field implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Implied {
    /// `meta iiftype ether`.
    Iiftype,
    /// `meta nfproto N`.
    Nfproto(u8),
    /// `meta protocol N`.
    Protocol(u16),
    /// `ether type N`.
    EtherType(u16),
    /// `vlan type N`.
    VlanType(u16),
    /// `meta l4proto N`.
    L4proto(u8),
}

/// Why a field cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// The rule asks for this protocol already.
    With(Proto),
    /// The family has no such packets.
    Family,
}

/// What is known of a rule's packets.
#[derive(Debug, Clone)]
pub(crate) struct Protocols {
    family: Family,
    /// Link layer.
    pub(crate) link: Option<Proto>,
    /// Network layer.
    pub(crate) network: Option<Proto>,
    /// Transport layer: all that a match allows.
    pub(crate) transport: Vec<Proto>,
    /// A named set holds the protocols that the rule allows.
    pub(crate) transport_in_set: bool,
    /// VLAN tags that were passed; fields behind them lie 4 bytes further.
    pub(crate) tags: u32,
    /// Any protocol will do: only a field's type is wanted.
    pub(crate) any: bool,
}

impl Protocols {
    /// What is known at the start of a rule.
    pub(crate) fn new(family: Family) -> Self {
        let (link, network) = match family {
            Family::Ip => (None, Some(Proto::Header(Header::Ip))),
            Family::Ip6 => (None, Some(Proto::Header(Header::Ip6))),
            Family::Arp => (None, Some(Proto::Header(Header::Arp))),
            Family::Inet => (Some(Proto::Inet), None),
            Family::Bridge => (Some(Proto::Header(Header::Ether)), None),
            Family::Netdev => (Some(Proto::Netdev), None),
        };
        Self {
            family,
            link,
            network,
            transport: Vec::new(),
            transport_in_set: false,
            tags: 0,
            any: false,
        }
    }

    /// The network protocol's nfproto number, where one is known.
    pub(crate) fn nfproto(&self) -> Option<u8> {
        match self.network? {
            Proto::Header(Header::Ip) => Some(nfproto::IPV4),
            Proto::Header(Header::Ip6) => Some(nfproto::IPV6),
            Proto::Header(Header::Arp) => Some(nfproto::ARP),
            Proto::Header(_) | Proto::Inet | Proto::Netdev | Proto::Unknown => None,
        }
    }

    /// Whether nothing but an Ethernet header is known.
    pub(crate) fn is_framed(&self) -> bool {
        !self.any && self.network.is_none() && self.link == Some(Proto::Header(Header::Ether))
    }

    /// What must be matched before a field of `header` can be read, in order.
    pub(crate) fn requirements(&self, header: Header) -> Result<Vec<Implied>, Conflict> {
        let info = header.info();
        let mut implied = Vec::new();
        if self.any {
            return Ok(implied);
        }
        match info.requires {
            Requires::Nothing => {}
            Requires::EtherDevice | Requires::EtherType(_) => {
                self.require_link(header, &mut implied)?;
            }
            Requires::Network { .. } => self.require_network(header, &mut implied)?,
            Requires::Transport(l4proto) => {
                let through = match header {
                    Header::Gretap => Header::Gre,
                    _ if info.base == Base::Tunnel => Header::Udp,
                    _ => header,
                };
                self.require_transport(through, l4proto, &mut implied)?;
            }
            Requires::Both {
                nfproto,
                ethertype,
                l4proto,
            } => {
                if self.network.is_none() && self.transport.is_empty() {
                    if let Some(Proto::Header(Header::Ether)) = self.link {
                        implied.push(Implied::EtherType(ethertype));
                    } else {
                        let network = if nfproto == nfproto::IPV4 {
                            Header::Ip
                        } else {
                            Header::Ip6
                        };
                        self.require_network(network, &mut implied)?;
                    }
                }
                self.require_transport(header, l4proto, &mut implied)?;
            }
        }
        Ok(implied)
    }

    fn require_link(&self, header: Header, implied: &mut Vec<Implied>) -> Result<(), Conflict> {
        match self.link {
            Some(Proto::Header(known)) if known == header => return Ok(()),
            Some(Proto::Header(Header::Vlan)) if header == Header::Ether => return Ok(()),
            Some(Proto::Header(Header::Ether)) => {}
            Some(Proto::Unknown) => return Err(Conflict::With(Proto::Unknown)),
            None | Some(Proto::Inet | Proto::Netdev | Proto::Header(_)) => {
                implied.push(Implied::Iiftype);
            }
        }
        if header == Header::Vlan {
            if let Some(network) = self.network.filter(|_| self.link.is_some()) {
                return Err(Conflict::With(network));
            }
            implied.push(Implied::EtherType(0x8100));
        }
        Ok(())
    }

    fn require_network(&self, header: Header, implied: &mut Vec<Implied>) -> Result<(), Conflict> {
        if let Some(known) = self.network {
            return if known == Proto::Header(header) {
                Ok(())
            } else {
                Err(Conflict::With(known))
            };
        }
        let Some((nfproto, ethertype)) = header.info().requires.network() else {
            return Ok(());
        };
        implied.push(match self.link {
            Some(Proto::Inet) if header == Header::Arp => return Err(Conflict::Family),
            Some(Proto::Inet) => Implied::Nfproto(nfproto),
            Some(Proto::Netdev) => Implied::Protocol(ethertype),
            Some(Proto::Header(Header::Vlan)) => Implied::VlanType(ethertype),
            Some(Proto::Header(_)) if self.family == Family::Bridge && header != Header::Arp => {
                Implied::Protocol(ethertype)
            }
            Some(Proto::Header(_)) => Implied::EtherType(ethertype),
            None | Some(Proto::Unknown) => return Err(Conflict::Family),
        });
        Ok(())
    }

    fn require_transport(
        &self,
        header: Header,
        l4proto: u8,
        implied: &mut Vec<Implied>,
    ) -> Result<(), Conflict> {
        if let Some(other) = self
            .transport
            .iter()
            .find(|known| **known != Proto::Header(header))
        {
            return Err(Conflict::With(*other));
        }
        if !self.transport.is_empty() {
            return Ok(());
        }
        match self.network {
            Some(network @ (Proto::Header(Header::Arp) | Proto::Unknown)) => {
                Err(Conflict::With(network))
            }
            None | Some(Proto::Header(_) | Proto::Inet | Proto::Netdev) => {
                if self.family == Family::Arp {
                    return Err(Conflict::Family);
                }
                implied.push(Implied::L4proto(l4proto));
                Ok(())
            }
        }
    }

    /// Narrows the link layer by a device type (ARPHRD).
    pub(crate) fn learn_iiftype(&mut self, iiftype: u128) {
        if self.family != Family::Bridge {
            self.link = Some(if iiftype == 1 {
                Proto::Header(Header::Ether)
            } else {
                Proto::Unknown
            });
        }
    }

    /// Narrows the network layer by its nfproto number.
    pub(crate) fn learn_nfproto(&mut self, number: u128) {
        self.network = Some(match number {
            2 => Proto::Header(Header::Ip),
            10 => Proto::Header(Header::Ip6),
            3 if self.family == Family::Arp => Proto::Header(Header::Arp),
            _ => Proto::Unknown,
        });
    }

    /// Narrows the network layer by `meta protocol`, in families where that says something.
    pub(crate) fn learn_protocol(&mut self, ethertype: u128) {
        if matches!(self.family, Family::Bridge | Family::Netdev) {
            self.learn_network(ethertype);
        }
    }

    /// Narrows the network layer by the type in an Ethernet header or VLAN tag.
    pub(crate) fn learn_ethertype(&mut self, ethertype: u128) {
        if matches!(ethertype, 0x8100 | 0x88a8) {
            self.link = Some(Proto::Header(Header::Vlan));
            self.tags += 1;
        } else if matches!(ethertype, 0x0800 | 0x0806 | 0x86dd) {
            self.learn_network(ethertype);
        }
    }

    fn learn_network(&mut self, ethertype: u128) {
        match ethertype {
            0x0800 => self.network = Some(Proto::Header(Header::Ip)),
            0x86dd => self.network = Some(Proto::Header(Header::Ip6)),
            0x0806 => self.network = Some(Proto::Header(Header::Arp)),
            0x8100 | 0x88a8 => self.link = Some(Proto::Header(Header::Vlan)),
            _ => self.network = Some(Proto::Unknown),
        }
    }

    /// Narrows the transport layer by the protocol number in a network header; one without fields here says nothing.
    pub(crate) fn learn_next_header(&mut self, number: u128) {
        if transport(number).is_some() {
            self.learn_l4proto(number);
        }
    }

    /// Narrows the transport layer by a protocol number; the one learned last stands last.
    pub(crate) fn learn_l4proto(&mut self, number: u128) {
        let proto = transport(number).map_or(Proto::Unknown, Proto::Header);
        self.transport.retain(|known| *known != proto);
        self.transport.push(proto);
    }
}

/// The transport header with a protocol number.
fn transport(number: u128) -> Option<Header> {
    Header::ALL.iter().copied().find(|header| {
        let info = header.info();
        info.base == Base::Transport
            && *header != Header::Gretap
            && info.requires.l4proto().map(u128::from) == Some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_imply_their_protocols_by_family() {
        let check = |family, header, want: &[Implied]| {
            assert_eq!(
                Protocols::new(family).requirements(header).as_deref(),
                Ok(want),
                "{family} {header}"
            );
        };
        check(Family::Ip, Header::Ip, &[]);
        check(Family::Ip, Header::Tcp, &[Implied::L4proto(6)]);
        check(Family::Ip, Header::Icmpv6, &[Implied::L4proto(58)]);
        check(Family::Inet, Header::Ip, &[Implied::Nfproto(2)]);
        check(Family::Inet, Header::Udp, &[Implied::L4proto(17)]);
        check(
            Family::Inet,
            Header::Icmp,
            &[Implied::Nfproto(2), Implied::L4proto(1)],
        );
        check(Family::Inet, Header::Ether, &[Implied::Iiftype]);
        check(Family::Inet, Header::Th, &[]);
        check(Family::Bridge, Header::Ip, &[Implied::Protocol(0x0800)]);
        check(Family::Bridge, Header::Arp, &[Implied::EtherType(0x0806)]);
        check(Family::Bridge, Header::Vlan, &[Implied::EtherType(0x8100)]);
        check(Family::Bridge, Header::Ether, &[]);
        check(Family::Netdev, Header::Ip6, &[Implied::Protocol(0x86dd)]);
        check(
            Family::Netdev,
            Header::Vlan,
            &[Implied::Iiftype, Implied::EtherType(0x8100)],
        );
    }

    #[test]
    fn contradictions_are_conflicts() {
        assert!(
            Protocols::new(Family::Ip)
                .requirements(Header::Ip6)
                .is_err()
        );
        assert!(
            Protocols::new(Family::Arp)
                .requirements(Header::Tcp)
                .is_err()
        );
        let mut known = Protocols::new(Family::Inet);
        known.learn_l4proto(6);
        assert_eq!(
            known.requirements(Header::Udp),
            Err(Conflict::With(Proto::Header(Header::Tcp)))
        );
        assert_eq!(known.requirements(Header::Tcp), Ok(vec![]));
        known.learn_l4proto(17);
        assert!(known.requirements(Header::Tcp).is_err());
        known.learn_nfproto(10);
        assert_eq!(
            known.requirements(Header::Ip),
            Err(Conflict::With(Proto::Header(Header::Ip6)))
        );
    }
}
