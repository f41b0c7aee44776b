//! What a capture's interfaces are called as ports.

use anyhow::{Result, bail};
use redan_runtime::driver::capture::Interface;
use redan_runtime::site::is_interface_name;

use super::counted;

/// The names of a capture's interfaces as ports.
pub(crate) struct Names {
    /// What the user calls an interface of a name or index.
    renamed: Vec<(String, String)>,
    /// Names of interfaces without one, by index or ordinal.
    given: Vec<(u32, String)>,
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
                counted(nameless.len() as u64, "interface"),
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
