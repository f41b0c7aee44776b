//! The site file: TOML to the runtime's [`Site`]. What is wrong with it is said with file, line, column and remedy, all of it in one run.

mod build;
mod file;
pub(crate) mod named;
pub(crate) mod plausible;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use redan_runtime::Site;

use crate::input;

/// Something wrong at a place of the file.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    /// Where, as a byte offset.
    at: usize,
    /// What, and what to do about it.
    message: String,
}

/// Reads a site file.
pub(crate) fn read(path: &Path) -> Result<Site> {
    let name = input::display_name(path);
    let bytes = input::read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes
            .iter()
            .take(error.valid_up_to())
            .filter(|&&b| b == b'\n')
            .count();
        anyhow::anyhow!("{name}:{line}: not UTF-8; save the file as UTF-8")
    })?;
    parse(&name, text)
}

/// Reads a site file's text; `name` stands for it in messages.
pub(crate) fn parse(name: &str, text: &str) -> Result<Site> {
    let (site, mut faults) = match file::parse(text) {
        Ok(file) => build::build(&file),
        Err(fault) => (Site::default(), vec![fault]),
    };
    if faults.is_empty() {
        return Ok(site);
    }
    faults.sort_by_key(|fault| fault.at);
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| located(name, text, fault))
        .collect();
    let (first, rest) = lines.split_first().context("a fault has been found")?;
    if rest.is_empty() {
        bail!("{first}");
    }
    bail!("{first}\n{}", rest.join("\n"))
}

/// `FILE:LINE:COLUMN: MESSAGE`, columns in characters.
fn located(name: &str, text: &str, fault: &Fault) -> String {
    let before = text.get(..fault.at).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or("").chars().count();
    format!("{name}:{line}:{column}: {}", fault.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        mode = "router"
        [[port]]
        name = "lan0"
        addresses = ["10.1.0.1/16", "fd01::1/64"]
        [[port]]
        name = "wan0"
        tap = "tap7"
        mac = "02:00:00:00:02:01"
        mtu = 9000
        addresses = ["10.2.0.1/16"]
        [[route]]
        to = "default"
        via = "10.2.0.2"
        [[neighbor]]
        address = "10.2.0.2"
        mac = "02:00:00:00:02:02"
        [conntrack]
        enabled = true
        tcp_timeout_established = 60
    "#;

    fn faults(text: &str) -> String {
        parse("s.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn everything_that_a_site_may_say() {
        let site = parse("s.toml", GOOD).unwrap();
        assert_eq!(site.ports.len(), 2);
        assert_eq!(site.ports[1].tap_name(), "tap7");
        assert_eq!(site.ports[1].mtu, 9000);
        assert_eq!(site.routes[0].to.to_string(), "0.0.0.0/0");
        assert_eq!(site.neighbors[0].mac.to_string(), "02:00:00:00:02:02");
        assert_eq!(site.tracking, redan_runtime::Tracking::Always);
        assert_eq!(site.conntrack.get("tcp_timeout_established"), Some(&60));
    }

    #[test]
    fn faults_name_their_place_and_the_remedy() {
        let cases: &[(&str, &str)] = &[
            (
                "mod = \"wire\"\n",
                "s.toml:1:1: unknown key `mod`; did you mean `mode`?",
            ),
            (
                "[[port]]\nname = \"a\"\nmack = \"x\"\n",
                "s.toml:3:1: unknown key `mack`; did you mean `mac`?",
            ),
            (
                "mode = \"bridge\"\n",
                "s.toml:1:8: `bridge` is no mode; write router, wire or host",
            ),
            (
                "[[port]]\nname = \"a\"\n[[port]]\nname = \"a\"\n",
                "s.toml:4:8: two ports are named `a`",
            ),
            (
                "[[port]]\nname = \"a-name-of-16-byt\"\n",
                "s.toml:2:8: `a-name-of-16-byt` is no interface name",
            ),
            (
                "[[port]]\nname = \"a\"\naddresses = [\"10.0.0.1/8\",\n \"10.0.0/8\"]\n",
                "s.toml:4:2: `10.0.0/8` is not an address or prefix",
            ),
            (
                "[[port]]\nname = \"a\"\nmac = \"02:00\"\n",
                "s.toml:3:7: `02:00` is not a MAC address",
            ),
            (
                "[[port]]\nname = \"a\"\n[[route]]\nto = \"default\"\nvia = \"10.9.9.9\"\n",
                "s.toml:5:7: the gateway 10.9.9.9 of the route to 0.0.0.0/0 lies in no port's subnet",
            ),
            (
                "mode = \"router\"\n[[port]]\nname = \"a\"\n",
                "s.toml:3:8: port `a` has no address",
            ),
            ("mode = \n", "s.toml:1:8: "),
            ("", "s.toml:1:1: no port; add a [[port]] with a name"),
            ("[[port]]\nmtu = 1500\n", "s.toml:1:1: missing key `name`"),
            ("[[port]]\nname = \"a\"\nmtu = -1\n", "s.toml:3:7: "),
            (
                "[[port]]\nname = \"a\"\n[conntrack]\nmax = \"many\"\n",
                "s.toml:4:7: `max` takes a whole number",
            ),
            (
                "[[port]]\nname = \"a\"\n[conntrack]\nudp_timout = 1\n",
                "s.toml:4:14: unknown key `udp_timout`; did you mean `udp_timeout`?",
            ),
            (
                "[[port]]\nname = \"a\"\n[conntrack]\nacct = 2\n",
                "s.toml:4:8: `acct` does not take this value",
            ),
            (
                "[[port]]\nname = \"a\"\n[conntrack]\nenabled = \"no\"\n",
                "s.toml:4:11: `enabled` is \"auto\" or true",
            ),
        ];
        for (text, want) in cases {
            let got = faults(text);
            assert!(got.starts_with(want), "{text:?}:\n{got}\nwanted {want}");
        }
    }

    #[test]
    fn all_faults_in_one_run() {
        let got = faults("mode = \"x\"\n[[port]]\nname = \"a/b\"\nmac = \"?\"\n");
        assert_eq!(got.lines().count(), 3, "{got}");
    }
}
