//! Which port each of a capture's interfaces is.

use anyhow::{Result, bail};
use redan_runtime::driver::capture::Interface;
use redan_runtime::site::{LOOPBACK, is_interface_name};
use redan_runtime::{Mode, Port, PortId, Site};

use crate::args::ReplayArgs;
use crate::capture::{self, Capture};
use crate::site;

/// The names of a capture's interfaces as ports.
pub(crate) struct Names {
    /// What the user calls an interface of a name or index.
    renamed: Vec<(String, String)>,
    /// Names of interfaces without one, by index or ordinal.
    given: Vec<(u32, String)>,
}

/// The port of each interface.
pub(super) struct Ports {
    names: Names,
    /// By the interface's number, as far as they have been asked for; `None` for one that takes no part.
    known: Vec<Option<PortId>>,
    has_site: bool,
}

impl Names {
    /// Names from `--port`, which must all be of use.
    pub(crate) fn new(given: &[String], interfaces: &[Interface]) -> Result<Self> {
        let mut names = Self {
            renamed: Vec::new(),
            given: Vec::new(),
        };
        let mut plain = Vec::new();
        for text in given {
            let name = if let Some((key, name)) = text.split_once('=') {
                names.renamed.push((key.to_owned(), name.to_owned()));
                name
            } else {
                plain.push(text.as_str());
                text
            };
            if !is_interface_name(name) {
                bail!("--port {text}: `{name}` is no interface name");
            }
        }
        for (key, name) in &names.renamed {
            if !interfaces.iter().any(|interface| is_called(interface, key)) {
                bail!(
                    "--port {key}={name} is not used: the capture has no interface `{key}`, {}",
                    has(interfaces)
                );
            }
        }
        let mut nameless: Vec<u32> = interfaces
            .iter()
            .filter(|interface| names.own(interface).is_none())
            .map(number)
            .collect();
        nameless.sort_unstable();
        nameless.dedup();
        // A capture of nothing may still be given its port.
        let most = nameless.len().max(usize::from(interfaces.is_empty()));
        if let Some(unused) = plain.get(most) {
            bail!(
                "--port {unused} is not used: the capture has {} without a name, {}; INTERFACE={unused} renames one",
                capture::counted(nameless.len() as u64, "interface"),
                has(interfaces)
            );
        }
        names.given = nameless
            .into_iter()
            .zip(plain.into_iter().map(str::to_owned))
            .collect();
        Ok(names)
    }

    /// The name that the user or the capture gives an interface.
    fn own(&self, interface: &Interface) -> Option<String> {
        let renamed = self
            .renamed
            .iter()
            .find(|(key, _)| is_called(interface, key));
        let name = renamed.map(|(_, name)| name).or(interface.name.as_ref());
        name.filter(|name| is_interface_name(name)).cloned()
    }

    /// An interface's name: its own; else the next one that the user gave; else one by its number.
    pub(crate) fn of(&self, interface: &Interface) -> String {
        let given = self.given.iter().find(|(at, _)| *at == number(interface));
        self.own(interface)
            .or_else(|| given.map(|(_, name)| name.clone()))
            .unwrap_or_else(|| match interface.index {
                Some(index) => format!("if{index}"),
                None => format!("eth{}", interface.ordinal),
            })
    }
}

fn number(interface: &Interface) -> u32 {
    interface.index.unwrap_or(interface.ordinal)
}

fn is_called(interface: &Interface, key: &str) -> bool {
    interface.name.as_deref() == Some(key)
        || interface
            .index
            .is_some_and(|index| index.to_string() == key)
}

/// What there is, for messages.
fn has(interfaces: &[Interface]) -> String {
    let names: Vec<String> = interfaces
        .iter()
        .map(|interface| match (&interface.name, interface.index) {
            (Some(name), _) => name.clone(),
            (None, Some(index)) => format!("index {index}"),
            (None, None) => "one without a name".to_owned(),
        })
        .collect();
    format!("which has {}", names.join(", "))
}

/// The site, and the ports of the capture's interfaces.
pub(super) fn assign(args: &ReplayArgs, capture: &Capture) -> Result<(Site, Ports)> {
    // What a wire is made of, and whose names are given by order, must be known from the start.
    let all = if args.site.is_none() || !args.port.is_empty() {
        capture::all_interfaces(&args.capture)?
    } else {
        None
    };
    let interfaces = all.as_deref().unwrap_or(capture.interfaces());
    let names = Names::new(&args.port, interfaces)?;
    let mut site = match &args.site {
        Some(path) => site::read(path)?,
        None => wire(interfaces.iter().map(|interface| names.of(interface))),
    };
    if site.ports.is_empty() {
        let name = args.port.first().map_or("eth0", String::as_str);
        site.ports.push(Port::new(name, 0));
    }
    site.local.extend(&args.local);
    if let Some(error) = site.check().first() {
        bail!("{error}");
    }
    let mut ports = Ports {
        names,
        known: Vec::new(),
        has_site: args.site.is_some(),
    };
    for number in 0..capture.interfaces().len() {
        ports.of(number, capture, &site)?;
    }
    Ok((site, ports))
}

impl Ports {
    /// The port of an interface; `None` for a loopback device that the site does not have.
    pub(super) fn of(
        &mut self,
        number: usize,
        capture: &Capture,
        site: &Site,
    ) -> Result<Option<PortId>> {
        if let Some(port) = self.known.get(number) {
            return Ok(*port);
        }
        for interface in capture.interfaces().iter().skip(self.known.len()) {
            let name = self.names.of(interface);
            let port = site.port_by_name(&name);
            let is_left_out = interface.is_loopback || name == LOOPBACK;
            if port.is_none() && !is_left_out {
                let known: Vec<&str> = site.ports.iter().map(|port| port.name.as_str()).collect();
                let file = &capture.name;
                if self.has_site {
                    let key = interface
                        .index
                        .map_or_else(|| name.clone(), |i| i.to_string());
                    bail!(
                        "{file}: the interface `{name}` is no port of the site, which has {}; name it there, or give its name with --port {key}=NAME",
                        known.join(", ")
                    );
                }
                bail!(
                    "{file}: the interface `{name}` comes too late in a capture that can be read only once; name the ports with --site, or read from a file"
                );
            }
            self.known.push(port);
        }
        Ok(self.known.get(number).copied().flatten())
    }
}

/// A wire between the capture's interfaces, each name once.
fn wire(names: impl Iterator<Item = String>) -> Site {
    let mut site = Site {
        mode: Mode::Wire,
        ..Site::default()
    };
    for name in names {
        if site.port_by_name(&name).is_none() {
            let mut port = Port::new(name.clone(), site.ports.len());
            if name == LOOPBACK {
                port.mtu = 65535;
            }
            site.ports.push(port);
        }
    }
    site
}
