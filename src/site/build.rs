//! From the file's keys to a [`Site`], with a place for whatever is wrong.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use redan_lang::diag::did_you_mean;
use redan_runtime::conntrack::{TunableError, Tunables};
use redan_runtime::{Mac, Mode, Neighbor, Port, Prefix, Route, Side, Site, SiteError, Tracking};
use toml::Spanned;

use super::{Fault, file};

/// The site, as far as it can be made, and everything that is wrong with it.
pub(super) fn build(file: &file::File) -> (Site, Vec<Fault>) {
    let mut builder = Builder::default();
    let site = Site {
        mode: file
            .mode
            .as_ref()
            .map_or(Mode::default(), |word| builder.mode(word)),
        ports: file
            .port
            .iter()
            .enumerate()
            .map(|(index, port)| builder.port(index, port))
            .collect(),
        routes: file
            .route
            .iter()
            .filter_map(|route| builder.route(route))
            .collect(),
        neighbors: file
            .neighbor
            .iter()
            .filter_map(|neighbor| builder.neighbor(neighbor))
            .collect(),
        ..Site::default()
    };
    let mut site = site;
    builder.conntrack(file, &mut site);
    if builder.faults.is_empty() {
        for error in site.check() {
            builder.faults.push(Fault {
                at: place(&error, file),
                message: error.to_string(),
            });
        }
    } else {
        // What was left out above would only give follow-up errors; these hold whatever it was.
        let certain = |error: &SiteError| {
            matches!(
                error,
                SiteError::SameName(_) | SiteError::BadName(_) | SiteError::BadMtu(..)
            )
        };
        for error in site.check().into_iter().filter(certain) {
            builder.faults.push(Fault {
                at: place(&error, file),
                message: error.to_string(),
            });
        }
    }
    (site, builder.faults)
}

#[derive(Default)]
struct Builder {
    faults: Vec<Fault>,
}

impl Builder {
    fn fault<T>(&mut self, at: &Spanned<T>, message: impl Display) {
        self.faults.push(Fault {
            at: at.span().start,
            message: message.to_string(),
        });
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, text: &Spanned<String>) -> Option<T> {
        text.get_ref()
            .parse()
            .map_err(|error| self.fault(text, error))
            .ok()
    }

    fn address(&mut self, text: &Spanned<String>) -> Option<IpAddr> {
        let parsed = text.get_ref().parse().ok();
        if parsed.is_none() {
            let remedy = "write an IPv4 or IPv6 address without a prefix length";
            self.fault(
                text,
                format!("`{}` is not an address; {remedy}", text.get_ref()),
            );
        }
        parsed
    }

    fn mode(&mut self, word: &Spanned<String>) -> Mode {
        Mode::from_word(word.get_ref()).unwrap_or_else(|| {
            self.fault(
                word,
                format!(
                    "`{}` is no mode; write router, wire or host",
                    word.get_ref()
                ),
            );
            Mode::default()
        })
    }

    fn port(&mut self, index: usize, from: &file::Port) -> Port {
        let mut port = Port::new(from.name.get_ref().clone(), index);
        port.tap = from.tap.as_ref().map(|tap| tap.get_ref().clone());
        if let Some(mac) = from.mac.as_ref().and_then(|mac| self.parsed::<Mac>(mac)) {
            port.mac = mac;
            if mac.is_group() {
                let at = from.mac.as_ref().unwrap_or(&from.name);
                self.fault(at, format!("{mac} addresses a group; give the port an address of its own, such as 02:00:00:00:01:01"));
            }
        }
        if let Some(mtu) = &from.mtu {
            port.mtu = *mtu.get_ref();
        }
        port.addresses = from
            .addresses
            .iter()
            .filter_map(|address| self.parsed(address))
            .collect();
        if let Some(side) = &from.side {
            port.side = self.side(side);
        }
        port
    }

    fn side(&mut self, word: &Spanned<String>) -> Side {
        match word.get_ref().as_str() {
            "inside" => Side::Inside,
            "outside" => Side::Outside,
            other => {
                self.fault(
                    word,
                    format!("`{other}` is no side; write inside, or leave it out"),
                );
                Side::default()
            }
        }
    }

    fn route(&mut self, from: &file::Route) -> Option<Route> {
        let via = self.address(&from.via);
        let to = if from.to.get_ref() == "default" {
            via.map(default_route)
        } else {
            self.parsed::<Prefix>(&from.to)
        };
        Some(Route { to: to?, via: via? })
    }

    fn neighbor(&mut self, from: &file::Neighbor) -> Option<Neighbor> {
        let (address, mac) = (self.address(&from.address), self.parsed::<Mac>(&from.mac));
        Some(Neighbor {
            address: address?,
            mac: mac?,
        })
    }

    fn conntrack(&mut self, file: &file::File, site: &mut Site) {
        let mut checked = Tunables::default();
        for (key, value) in &file.conntrack {
            if key == "enabled" {
                if value.get_ref().as_bool() == Some(true) {
                    site.tracking = Tracking::Always;
                } else if value.get_ref().as_str() != Some("auto") {
                    self.fault(value, "`enabled` is \"auto\" or true");
                }
                continue;
            }
            let number = value
                .get_ref()
                .as_integer()
                .and_then(|number| u64::try_from(number).ok());
            match number.map(|number| (number, checked.set(key, number))) {
                Some((number, Ok(()))) => _ = site.conntrack.insert(key.clone(), number),
                Some((_, Err(TunableError::Unknown))) => self.fault(value, unknown_tunable(key)),
                Some((_, Err(TunableError::OutOfRange))) => {
                    self.fault(
                        value,
                        format!("`{key}` does not take this value; a switch takes 0 or 1"),
                    );
                }
                None => self.fault(value, format!("`{key}` takes a whole number, 0 or more")),
            }
        }
    }
}

fn unknown_tunable(key: &str) -> String {
    let near = did_you_mean(key, Tunables::ALL.iter().map(|tunable| tunable.name));
    let hint = near.map_or_else(
        || "remove it".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    format!(
        "unknown key `{key}`; {hint} (keys are the kernel's sysctl names without nf_conntrack_)"
    )
}

/// Everything of a gateway's family.
fn default_route(via: IpAddr) -> Prefix {
    let address = match via {
        IpAddr::V4(_) => IpAddr::from([0; 4]),
        IpAddr::V6(_) => IpAddr::from([0; 16]),
    };
    Prefix { address, bits: 0 }
}

/// Where in the file a fault of the whole site stands.
fn place(error: &SiteError, file: &file::File) -> usize {
    let start = |text: &Spanned<String>| text.span().start;
    let named = |name: &str| {
        file.port
            .iter()
            .rev()
            .find(|port| port.name.get_ref() == name)
    };
    let place = match error {
        SiteError::SameName(name) | SiteError::NoAddress(name) => {
            named(name).map(|port| start(&port.name))
        }
        SiteError::SameTap(name) | SiteError::BadName(name) => file
            .port
            .iter()
            .rev()
            .find_map(|port| {
                [port.tap.as_ref(), Some(&port.name)]
                    .into_iter()
                    .flatten()
                    .find(|text| text.get_ref() == name)
            })
            .map(start),
        SiteError::BadMtu(name, _) => named(name).map(|port| {
            port.mtu
                .as_ref()
                .map_or(start(&port.name), |mtu| mtu.span().start)
        }),
        SiteError::HostSides { .. } => file.mode.as_ref().map(start),
        SiteError::NoGateway { via, .. } | SiteError::MixedRoute { via, .. } => file
            .route
            .iter()
            .find(|route| route.via.get_ref().parse::<IpAddr>().ok() == Some(*via))
            .map(|route| start(&route.via)),
        SiteError::BadTunable(name, _) => file.conntrack.get(name).map(|value| value.span().start),
        SiteError::BadMac(_) | SiteError::BadPrefix(_) | SiteError::NoPorts => None,
    };
    place.unwrap_or(0)
}
