//! The site: which ports there are, what stands behind them, and how the machine behaves. Plain data; the command reads it from TOML.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Which hooks frames pass, and what becomes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Ports have addresses; frames to a port's MAC are routed.
    Router,
    /// Frames pass from one port to the other.
    #[default]
    Wire,
    /// One port is the network card of the machine behind it.
    Host,
}

impl Mode {
    /// Every mode.
    pub const ALL: &'static [Self] = &[Self::Router, Self::Wire, Self::Host];

    /// The word in the site file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Wire => "wire",
            Self::Host => "host",
        }
    }

    /// The mode that the site file calls `word`.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mode| mode.word() == word)
    }
}

/// A MAC address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Everybody.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether it addresses a group (broadcast included).
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// The address that a replay makes up for a neighbour that it knows nothing of: 02:00 and the IP address's last four bytes.
    pub const fn made_up(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                Self([2, 0, a, b, c, d])
            }
            IpAddr::V6(v6) => {
                let [.., a, b, c, d] = v6.octets();
                Self([2, 0, a, b, c, d])
            }
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, byte) in self.0.iter().enumerate() {
            let colon = if n == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Mac {
    type Err = SiteError;

    fn from_str(text: &str) -> Result<Self, SiteError> {
        let bad = || SiteError::BadMac(text.to_owned());
        let mut mac = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut mac {
            let part = parts.next().filter(|p| p.len() == 2).ok_or_else(bad)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| bad())?;
        }
        if parts.next().is_some() {
            return Err(bad());
        }
        Ok(Self(mac))
    }
}

/// An address and how many of its bits name the network: a port's address (host bits kept) or a route's destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// Bits of the network, 0 to 32 or 128.
    pub bits: u8,
}

impl Prefix {
    /// Whether `address` lies in the network.
    #[inline]
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(a)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.bits.min(32)))
                    .unwrap_or(0);
                net.to_bits() & mask == a.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(a)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.bits.min(128)))
                    .unwrap_or(0);
                net.to_bits() & mask == a.to_bits() & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Prefix {
    type Err = SiteError;

    fn from_str(text: &str) -> Result<Self, SiteError> {
        let bad = || SiteError::BadPrefix(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| bad())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(bad());
        }
        Ok(Self { address, bits })
    }
}

/// Where a port leads, in host mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Side {
    /// To the network.
    #[default]
    Outside,
    /// To the machine itself.
    Inside,
}

/// Number of a port: an index into [`Site::ports`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u16);

impl PortId {
    /// The index as a `usize`.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// What rules see, and the interface name in a pcapng.
    pub name: String,
    /// The TAP device, when it is not named as the port is.
    pub tap: Option<String>,
    /// Its link address; made from its number when not given (see [`Port::new`]).
    pub mac: Mac,
    /// The longest packet, in bytes from the network header on.
    pub mtu: u32,
    /// Its addresses, with the subnets that are reached directly.
    pub addresses: Vec<Prefix>,
    /// Where it leads, in host mode.
    pub side: Side,
}

impl Port {
    /// A port with defaults: number `index` gives the MAC 02:00:00:00:NN:01, NN from 1; MTU 1500.
    pub fn new(name: impl Into<String>, index: usize) -> Self {
        let [.., number] = (index + 1).to_be_bytes();
        Self {
            name: name.into(),
            tap: None,
            mac: Mac([2, 0, 0, 0, number, 1]),
            mtu: 1500,
            addresses: Vec::new(),
            side: Side::Outside,
        }
    }

    /// The TAP device's name.
    pub fn tap_name(&self) -> &str {
        self.tap.as_deref().unwrap_or(&self.name)
    }
}

/// A route through a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Destination; `0.0.0.0/0` or `::/0` for the default route.
    pub to: Prefix,
    /// The gateway, which a port's subnet must contain.
    pub via: IpAddr,
}

/// A neighbour whose link address is known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// Its address.
    pub address: IpAddr,
    /// Its link address.
    pub mac: Mac,
}

/// Whether connections are tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tracking {
    /// When a rule needs it, as in Linux.
    #[default]
    Auto,
    /// Always.
    Always,
}

/// The whole site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// How frames pass.
    pub mode: Mode,
    /// The ports.
    pub ports: Vec<Port>,
    /// Routes beside the ports' subnets.
    pub routes: Vec<Route>,
    /// Neighbours known beforehand.
    pub neighbors: Vec<Neighbor>,
    /// Addresses of the machine itself, in wire mode (`--local`).
    pub local: Vec<IpAddr>,
    /// Whether connections are tracked.
    pub tracking: Tracking,
    /// Numbers of the `[conntrack]` table by the kernel's sysctl names without `nf_conntrack_`.
    pub conntrack: BTreeMap<String, u64>,
}

/// Longest name of an interface, in bytes (`IFNAMSIZ` less the closing zero).
pub const NAME_BYTES: usize = 15;

/// What Linux calls its loopback device.
pub const LOOPBACK: &str = "lo";

/// What is wrong with a site. Messages say the remedy; the command adds the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// Not a MAC address.
    #[error("`{0}` is not a MAC address; write six bytes such as 02:00:00:00:01:01")]
    BadMac(String),
    /// Not an address with a prefix length.
    #[error("`{0}` is not an address or prefix; write such as 10.1.0.1/16 or fd01::1/64")]
    BadPrefix(String),
    /// No port.
    #[error("no port; add a [[port]] with a name")]
    NoPorts,
    /// Two ports of one name.
    #[error("two ports are named `{0}`; give each its own name")]
    SameName(String),
    /// Two ports on one TAP.
    #[error("two ports use the TAP `{0}`; give each its own")]
    SameTap(String),
    /// A name that no interface can have.
    #[error("`{0}` is no interface name; write 1 to 15 bytes without spaces and slashes")]
    BadName(String),
    /// An MTU out of bounds.
    #[error("port `{0}` has an MTU of {1}; write 68 to 65535")]
    BadMtu(String, u32),
    /// Addresses are needed to route.
    #[error(
        "port `{0}` has no address, which router mode needs; add addresses = [\"10.1.0.1/16\"]"
    )]
    NoAddress(String),
    /// Host mode takes one inside and one outside port.
    #[error(
        "host mode needs one port with side = \"inside\" and one without; there are {inside} and {outside}"
    )]
    HostSides {
        /// Ports inside.
        inside: usize,
        /// Ports outside.
        outside: usize,
    },
    /// A gateway that no port reaches.
    #[error(
        "the gateway {via} of the route to {to} lies in no port's subnet; give a port an address beside it"
    )]
    NoGateway {
        /// Destination.
        to: Prefix,
        /// Gateway.
        via: IpAddr,
    },
    /// A route between families.
    #[error("the route to {to} goes via {via}, an address of the other family")]
    MixedRoute {
        /// Destination.
        to: Prefix,
        /// Gateway.
        via: IpAddr,
    },
    /// A conntrack setting that does not exist, or a value that it does not take.
    #[error("[conntrack] {0}: {1}")]
    BadTunable(String, String),
}

impl Site {
    /// The port of a name.
    pub fn port_by_name(&self, name: &str) -> Option<PortId> {
        let index = self.ports.iter().position(|port| port.name == name)?;
        u16::try_from(index).ok().map(PortId)
    }

    /// The ports that lead to other machines: all but the loopback device.
    pub fn wired(&self) -> impl Iterator<Item = PortId> + '_ {
        let ports = (0..).map(PortId).take(self.ports.len());
        ports.filter(|port| self.is_wired(*port))
    }

    /// Whether a port leads to other machines.
    pub fn is_wired(&self, port: PortId) -> bool {
        let port = self.ports.get(port.index());
        port.is_some_and(|port| port.name != LOOPBACK)
    }

    /// Everything that is wrong with it.
    pub fn check(&self) -> Vec<SiteError> {
        let mut errors = Vec::new();
        if self.ports.is_empty() {
            errors.push(SiteError::NoPorts);
        }
        for (i, port) in self.ports.iter().enumerate() {
            self.check_port(port, self.ports.get(..i).unwrap_or(&[]), &mut errors);
        }
        for route in &self.routes {
            if route.to.address.is_ipv4() != route.via.is_ipv4() {
                errors.push(SiteError::MixedRoute {
                    to: route.to,
                    via: route.via,
                });
            } else if !self.is_on_link(route.via) {
                errors.push(SiteError::NoGateway {
                    to: route.to,
                    via: route.via,
                });
            }
        }
        if self.mode == Mode::Host {
            let inside = self.ports.iter().filter(|p| p.side == Side::Inside).count();
            let outside = self.ports.len() - inside;
            if (inside, outside) != (1, 1) {
                errors.push(SiteError::HostSides { inside, outside });
            }
        }
        errors
    }

    fn check_port(&self, port: &Port, before: &[Port], errors: &mut Vec<SiteError>) {
        if before.iter().any(|other| other.name == port.name) {
            errors.push(SiteError::SameName(port.name.clone()));
        } else if before
            .iter()
            .any(|other| other.tap_name() == port.tap_name())
        {
            errors.push(SiteError::SameTap(port.tap_name().to_owned()));
        }
        for name in [Some(&port.name), port.tap.as_ref()].into_iter().flatten() {
            if !is_interface_name(name) {
                errors.push(SiteError::BadName(name.clone()));
            }
        }
        if !(68..=65535).contains(&port.mtu) {
            errors.push(SiteError::BadMtu(port.name.clone(), port.mtu));
        }
        if self.mode == Mode::Router && port.addresses.is_empty() {
            errors.push(SiteError::NoAddress(port.name.clone()));
        }
    }

    fn is_on_link(&self, address: IpAddr) -> bool {
        self.ports
            .iter()
            .flat_map(|p| &p.addresses)
            .any(|a| a.contains(address))
    }
}

/// Whether an interface can be named so (`dev_valid_name`).
pub fn is_interface_name(name: &str) -> bool {
    (1..=NAME_BYTES).contains(&name.len())
        && name != "."
        && name != ".."
        && !name.contains(|c: char| c == '/' || c == ':' || c == '\0' || c.is_whitespace())
}
