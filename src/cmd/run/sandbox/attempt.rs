//! Something to try: a packet that meets a rule, as what a host's sockets send or, where no socket would, as a frame.

use std::net::{IpAddr, SocketAddr};

use redan_runtime::{Mac, Mode, PortId};
use redan_vm::packet::{icmp, icmpv6, protocol, tcp};

use super::protocol::Try;
use super::scene::Scene;
use crate::craft::{Spec, Transport};
use crate::meet::{Draft, Kind};

/// Behind what ESP and its like begin with, so that fields that rules ask for do not write over the mark.
const HEADROOM: usize = 32;

/// With what every mark begins.
pub(super) const MARK: &[u8] = b"redan try ";

/// An attempt.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// The packet that opens it.
    pub(super) draft: Draft,
    /// Who tries.
    pub(super) from: PortId,
    /// Who is to hear of it; `None` when it is redan itself.
    pub(super) to: Option<PortId>,
    /// Frames that are sent first, all at once: what limits let pass.
    pub(super) before: Vec<Vec<u8>>,
    /// What the trying host is told.
    pub(super) what: Try,
}

impl Attempt {
    /// Makes one of a packet; `number` tells it from others.
    pub(super) fn new(scene: &Scene, mut draft: Draft, number: usize) -> Option<Self> {
        let (from, to) = *scene.ends.get(draft.way)?;
        let (src, dst) = (draft.spec.src, draft.spec.dst);
        let is_plain =
            draft.is_plain() && draft.kind != Kind::Stray && is_host(src) && is_host(dst);
        let mac = |port: PortId| scene.hosts.get(port.index()).map(|host| host.mac);
        let next = match scene.site.mode {
            Mode::Router => scene.site.ports.get(from.index()).map(|port| port.mac),
            Mode::Wire | Mode::Host => mac(to?),
        };
        let macs = (mac(from)?, next?);
        let before = crowd(&draft, number, macs);
        let what = match draft.spec.transport {
            Transport::Tcp {
                sport,
                dport,
                flags: tcp::flags::SYN,
                ..
            } if is_plain && sport != 0 && dport != 0 => Try::Tcp {
                from: SocketAddr::new(src, sport),
                to: SocketAddr::new(dst, dport),
            },
            Transport::Udp { sport, dport } if is_plain && sport != 0 && dport != 0 => Try::Udp {
                from: SocketAddr::new(src, sport),
                to: SocketAddr::new(dst, dport),
            },
            Transport::Icmp {
                kind, code: 0, id, ..
            } if is_plain && kind == echo_request(src) => Try::Ping {
                from: src,
                to: dst,
                id,
            },
            Transport::Tcp { .. }
            | Transport::Udp { .. }
            | Transport::Icmp { .. }
            | Transport::Other(_) => {
                let mark = [MARK, format!("{number:05}").as_bytes()].concat();
                put_mark(&mut draft.spec, &mark);
                Try::Raw {
                    frame: draft.frame(macs.0, macs.1),
                    mark,
                }
            }
        };
        Some(Self {
            draft,
            from,
            to,
            before,
            what,
        })
    }

    /// The service that has to listen for it.
    pub(super) fn service(&self) -> Option<SocketAddr> {
        match self.what {
            Try::Udp { to, .. } | Try::Tcp { to, .. } if self.draft.kind != Kind::Closed => {
                Some(to)
            }
            Try::Udp { .. } | Try::Tcp { .. } | Try::Ping { .. } | Try::Raw { .. } => None,
        }
    }

    /// The ports of a reset that would answer it.
    pub(super) const fn reset(&self) -> Option<(u16, u16)> {
        match self.draft.spec.transport {
            Transport::Tcp { sport, dport, .. } => Some((dport, sport)),
            Transport::Udp { .. } | Transport::Icmp { .. } | Transport::Other(_) => None,
        }
    }

    /// What it is called.
    pub(super) fn title(&self) -> String {
        let name = self.name();
        match self.before.len() {
            0 => name,
            some => format!("{name} x {}", some + 1),
        }
    }

    fn name(&self) -> String {
        let raw = matches!(self.what, Try::Raw { .. });
        match self.draft.spec.transport {
            Transport::Tcp { flags, .. } if raw => format!("tcp {}", flag_names(flags)),
            Transport::Tcp { .. } => "tcp".to_owned(),
            Transport::Udp { .. } if self.draft.kind == Kind::Closed => "udp, closed".to_owned(),
            Transport::Udp { .. } => "udp".to_owned(),
            Transport::Icmp { kind, code: 0, .. } if kind == echo_request(self.draft.spec.src) => {
                "ping".to_owned()
            }
            Transport::Icmp { kind, code, .. } => {
                let name = if self.draft.spec.src.is_ipv4() {
                    "icmp"
                } else {
                    "icmpv6"
                };
                if code == 0 {
                    format!("{name} {kind}")
                } else {
                    format!("{name} {kind}/{code}")
                }
            }
            Transport::Other(number) => match number {
                protocol::ICMP => "icmp".to_owned(),
                50 => "esp".to_owned(),
                51 => "ah".to_owned(),
                47 => "gre".to_owned(),
                protocol::SCTP => "sctp".to_owned(),
                _ => format!("protocol {number}"),
            },
        }
    }

    /// Source and destination for people.
    pub(super) fn route(&self) -> String {
        let spec = &self.draft.spec;
        match spec.transport {
            Transport::Tcp { sport, dport, .. } | Transport::Udp { sport, dport } => format!(
                "{} > {}",
                SocketAddr::new(spec.src, sport),
                SocketAddr::new(spec.dst, dport)
            ),
            Transport::Icmp { .. } | Transport::Other(_) => format!("{} > {}", spec.src, spec.dst),
        }
    }
}

/// The same packet several times, from ports of its own each, so that limits and counts are used up.
fn crowd(draft: &Draft, number: usize, (from, to): (Mac, Mac)) -> Vec<Vec<u8>> {
    let mark = [MARK, format!("{number:05}").as_bytes()].concat();
    let another = |at: u16| {
        let mut draft = draft.clone();
        match &mut draft.spec.transport {
            Transport::Tcp { sport, .. } | Transport::Udp { sport, .. } => *sport = 50000 + at,
            Transport::Icmp { id, .. } => *id = 50000 + at,
            Transport::Other(_) => {}
        }
        put_mark(&mut draft.spec, &mark);
        draft.frame(from, to)
    };
    (0..draft.crowd).map(another).collect()
}

/// Whether a host can have the address.
const fn is_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            !a.is_unspecified() && !a.is_loopback() && !a.is_multicast() && !a.is_broadcast()
        }
        IpAddr::V6(a) => {
            !a.is_unspecified()
                && !a.is_loopback()
                && !a.is_multicast()
                && !a.is_unicast_link_local()
        }
    }
}

/// The type of an echo request in an address's family.
const fn echo_request(of: IpAddr) -> u8 {
    match of {
        IpAddr::V4(_) => icmp::icmp_type::ECHO_REQUEST,
        IpAddr::V6(_) => icmpv6::icmpv6_type::ECHO_REQUEST,
    }
}

/// Puts something into a packet by which it is known again.
fn put_mark(spec: &mut Spec, mark: &[u8]) {
    if !spec.payload.is_empty() {
        // Its length is asked for.
        for (to, from) in spec.payload.iter_mut().zip(mark) {
            *to = *from;
        }
        return;
    }
    match spec.transport {
        Transport::Icmp { .. } if is_error(spec) => {
            // An error quotes what it is about (RFC 792, RFC 4443 3): a datagram that its receiver might have sent.
            let udp = Transport::Udp {
                sport: 40000,
                dport: 33434,
            };
            let mut quoted = Spec::new(spec.dst, spec.src, udp);
            quoted.payload = mark.to_vec();
            spec.payload = quoted.packet();
        }
        Transport::Other(protocol::SCTP) => {
            // RFC 9260 3.3.2: an INIT chunk, whose unknown parameter holds the mark.
            let mut chunk = vec![0; 12];
            let body = 20 + 4 + mark.len();
            chunk.extend([1, 0]);
            chunk.extend(u16::try_from(body).unwrap_or(0).to_be_bytes());
            chunk.extend([0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
            chunk.extend([0x80, 0x7f]);
            chunk.extend(u16::try_from(4 + mark.len()).unwrap_or(0).to_be_bytes());
            chunk.extend(mark);
            spec.payload = chunk;
        }
        Transport::Other(_) => {
            spec.payload = vec![0; HEADROOM];
            spec.payload.extend(mark);
        }
        Transport::Tcp { .. } | Transport::Udp { .. } | Transport::Icmp { .. } => {
            spec.payload = mark.to_vec();
        }
    }
}

/// Whether an ICMP message is an error.
const fn is_error(spec: &Spec) -> bool {
    let Transport::Icmp { kind, .. } = spec.transport else {
        return false;
    };
    match spec.src {
        IpAddr::V4(_) => matches!(kind, 3 | 4 | 5 | 11 | 12),
        IpAddr::V6(_) => kind < 128,
    }
}

fn flag_names(flags: u8) -> String {
    let names = ["fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"];
    let set: Vec<&str> = (0..)
        .zip(names)
        .filter(|(bit, _)| flags & (1 << bit) != 0)
        .map(|(_, name)| name)
        .collect();
    if set.is_empty() {
        "no flags".to_owned()
    } else {
        set.join(",")
    }
}
