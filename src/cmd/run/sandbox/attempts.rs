//! What the sandbox tries, in both families: a list of attempts, each with the host that makes it and the frames that it consists of.

use std::net::{IpAddr, SocketAddr};

use redan_runtime::Mac;
use redan_vm::packet::{icmp, icmpv6, tcp};

use super::protocol::{Segment, Try};
use super::tries::segment_spec;
use crate::craft::{Spec, Transport};

/// One of the sandbox's two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Behind the first port.
    Client,
    /// Behind the second port.
    Server,
}

impl End {
    /// Both.
    pub(super) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// The number of the port that the host stands behind.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }

    /// The other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// The host's link address.
    pub(super) const fn mac(self) -> Mac {
        match self {
            Self::Client => Mac([2, 0, 0, 0, 1, 2]),
            Self::Server => Mac([2, 0, 0, 0, 2, 2]),
        }
    }

    /// What people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// Ports on which the hosts answer: UDP questions, TCP requests.
pub(super) const SERVICES: [(End, u16, u16); 2] = [(End::Server, 53, 80), (End::Client, 53, 22)];

/// Something to try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// For people.
    pub(super) title: &'static str,
    /// Who tries.
    pub(super) by: End,
    /// What.
    pub(super) what: Try,
    /// The address that it starts from.
    pub(super) from: IpAddr,
}

/// Everything that is tried between two addresses of one family.
pub(super) fn attempts(client: IpAddr, server: IpAddr) -> Vec<Attempt> {
    let outward = |title, what| Attempt {
        title,
        by: End::Client,
        what,
        from: client,
    };
    let inward = |title, what| Attempt {
        title,
        by: End::Server,
        what,
        from: server,
    };
    vec![
        outward("ping from inside", Try::Ping { to: server }),
        outward(
            "UDP question from inside",
            Try::Udp {
                sport: 40053,
                to: SocketAddr::new(server, 53),
            },
        ),
        outward(
            "TCP fetch from inside",
            Try::Tcp {
                to: SocketAddr::new(server, 80),
            },
        ),
        inward(
            "unsolicited TCP from outside",
            Try::Tcp {
                to: SocketAddr::new(client, 22),
            },
        ),
        inward(
            "stray TCP segment from outside",
            Try::Stray(Segment {
                from: SocketAddr::new(server, 443),
                to: SocketAddr::new(client, 50001),
                flags: tcp::flags::SYN | tcp::flags::ACK,
            }),
        ),
    ]
}

impl Attempt {
    /// Source and destination for people.
    pub(super) fn route(&self) -> String {
        match self.what {
            Try::Ping { to } => format!("{} > {to}", self.from),
            Try::Udp { sport, to } => format!("{} > {to}", SocketAddr::new(self.from, sport)),
            Try::Tcp { to } => format!("{} > {to}", self.from),
            Try::Stray(segment) => format!("{} > {}", segment.from, segment.to),
        }
    }

    /// The destination's address.
    pub(super) const fn to(&self) -> IpAddr {
        match self.what {
            Try::Ping { to } => to,
            Try::Udp { to, .. } | Try::Tcp { to } => to.ip(),
            Try::Stray(segment) => segment.to.ip(),
        }
    }

    /// The frames of the attempt when nothing stops it: who sends what. Each is sent because the one before arrived.
    pub(super) fn dialogue(&self) -> Vec<(End, Spec)> {
        let first = self.opening();
        let (own, other) = (self.by, self.by.other());
        let answer = first.answer();
        match self.what {
            Try::Stray(_) => vec![(own, first)],
            Try::Ping { .. } | Try::Udp { .. } => vec![(own, first), (other, answer)],
            Try::Tcp { .. } => {
                let ack = answer.answer();
                let request = Spec {
                    payload: b"GET / HTTP/1.0\r\n\r\n".to_vec(),
                    ..ack
                };
                let page = Spec {
                    payload: super::host::PAGE.to_vec(),
                    ..request.answer()
                };
                vec![
                    (own, first),
                    (other, answer),
                    (own, ack),
                    (own, request),
                    (other, page),
                ]
            }
        }
    }

    fn opening(&self) -> Spec {
        match self.what {
            Try::Ping { to } => {
                let kind = match to {
                    IpAddr::V4(_) => icmp::icmp_type::ECHO_REQUEST,
                    IpAddr::V6(_) => icmpv6::icmpv6_type::ECHO_REQUEST,
                };
                Spec::new(
                    self.from,
                    to,
                    Transport::Icmp {
                        kind,
                        code: 0,
                        id: 1,
                        seq: 1,
                    },
                )
            }
            Try::Udp { sport, to } => Spec::new(
                self.from,
                to.ip(),
                Transport::Udp {
                    sport,
                    dport: to.port(),
                },
            ),
            Try::Tcp { to } => {
                let transport = Transport::Tcp {
                    sport: 45000,
                    dport: to.port(),
                    flags: tcp::flags::SYN,
                    seq: 1000,
                    ack: 0,
                };
                Spec::new(self.from, to.ip(), transport)
            }
            Try::Stray(segment) => segment_spec(segment),
        }
    }
}
