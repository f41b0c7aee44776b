//! Which port each of a capture's interfaces is.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Result, bail};
use redan_runtime::site::LOOPBACK;
use redan_runtime::{Mode, Port, PortId, Site};

use crate::capture::names::Names;
use crate::capture::{self, Capture};
use crate::site;

/// What is asked of a capture and its ports.
pub(in crate::cmd) struct Asked<'a> {
    /// The capture's file.
    pub(in crate::cmd) capture: &'a Path,
    /// The site's.
    pub(in crate::cmd) site: Option<&'a Path>,
    /// Names of ports.
    pub(in crate::cmd) port: &'a [String],
    /// The machine's own addresses.
    pub(in crate::cmd) local: &'a [IpAddr],
}

/// The port of each interface.
pub(in crate::cmd) struct Ports {
    names: Names,
    /// By the interface's number, as far as they have been asked for; `None` for one that takes no part.
    known: Vec<Option<PortId>>,
    has_site: bool,
}

/// The site, and the ports of the capture's interfaces.
pub(in crate::cmd) fn assign(args: &Asked<'_>, capture: &Capture) -> Result<(Site, Ports)> {
    // What a wire is made of, and whose names are given by order, must be known from the start.
    let all = if args.site.is_none() || !args.port.is_empty() {
        capture::all_interfaces(args.capture)?
    } else {
        None
    };
    let interfaces = all.as_deref().unwrap_or(capture.interfaces());
    let names = Names::new(args.port, interfaces)?;
    let mut site = match args.site {
        Some(path) => site::read(path)?,
        None => wire(interfaces.iter().map(|interface| names.of(interface))),
    };
    if site.ports.is_empty() {
        let name = args.port.first().map_or("eth0", String::as_str);
        site.ports.push(Port::new(name, 0));
    }
    site.local.extend(args.local);
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
