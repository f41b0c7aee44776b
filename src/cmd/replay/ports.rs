//! Which port each of a capture's interfaces is.

use anyhow::{Result, bail};
use redan_runtime::site::is_interface_name;
use redan_runtime::{Mode, Port, PortId, Site};

use super::capture::Capture;
use crate::args::ReplayArgs;
use crate::{input, site};

/// The site, and the port of each interface by its number.
pub(super) fn assign(args: &ReplayArgs, capture: &Capture) -> Result<(Site, Vec<PortId>)> {
    let names = names(capture, &args.port);
    let mut site = match &args.site {
        Some(path) => site::read(path)?,
        None => wire(&names),
    };
    site.local.extend(&args.local);
    if let Some(error) = site.check().first() {
        bail!("{error}");
    }
    let mut ports = Vec::new();
    for name in &names {
        let Some(port) = site.port_by_name(name) else {
            let known: Vec<&str> = site.ports.iter().map(|port| port.name.as_str()).collect();
            bail!(
                "{}: the interface `{name}` is no port of the site, which has {}; name it there, or give the name with --port",
                input::display_name(&args.capture),
                known.join(", ")
            );
        };
        ports.push(port);
    }
    Ok((site, ports))
}

/// A name for each interface: its own; else the next one that the user gave; else eth0, eth1 and so on.
fn names(capture: &Capture, given: &[String]) -> Vec<String> {
    let mut given = given.iter();
    let mut names: Vec<String> = capture
        .interfaces
        .iter()
        .enumerate()
        .map(
            |(index, name)| match name.as_ref().filter(|name| is_interface_name(name)) {
                Some(name) => name.clone(),
                None => given
                    .next()
                    .cloned()
                    .unwrap_or_else(|| format!("eth{index}")),
            },
        )
        .collect();
    if names.is_empty() {
        names.push(given.next().cloned().unwrap_or_else(|| "eth0".to_owned()));
    }
    names
}

/// A wire between the capture's interfaces, each name once.
fn wire(names: &[String]) -> Site {
    let mut site = Site {
        mode: Mode::Wire,
        ..Site::default()
    };
    for name in names {
        if site.port_by_name(name).is_none() {
            site.ports.push(Port::new(name.clone(), site.ports.len()));
        }
    }
    site
}
