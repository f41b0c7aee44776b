//! Which frames are printed: those of a verdict, or those that a match of the rule language holds for.

use anyhow::{Result, bail};
use redan_lang::compile::{self, Options};
use redan_lang::diag::Diagnostic;
use redan_lang::parse::{self, FileLoader};
use redan_lang::source::Sources;
use redan_runtime::{PortId, Report, Site, Verdict};
use redan_vm::family::nfproto;
use redan_vm::ids::ChainId;
use redan_vm::packet::{Checksums, LinkKind, dissect_with, pkttype};
use redan_vm::{Engine as _, Env, Final, Instant, Interpreter, NoHost, Packet, Ruleset, State};

use crate::capture::machine::Fate;
use crate::output::findings::{self, Findings};
use crate::output::terminal::Terminal;

/// What is wanted of a frame.
pub(super) enum Only {
    /// One of these verdicts.
    Verdicts(Vec<Verdict>),
    /// That a match holds.
    Match(Box<Match>),
}

/// A match, as the only rule of a chain that drops everything else.
pub(super) struct Match {
    engine: Interpreter,
    state: State,
    host: NoHost,
    /// Ports as the rule sees them.
    ports: Vec<(u32, [u8; 16])>,
}

/// A frame as it came in, and what became of it.
pub(super) struct Seen<'a> {
    pub(super) now: Instant,
    pub(super) port: PortId,
    pub(super) fate: Fate,
    pub(super) bytes: &'a [u8],
    pub(super) report: &'a Report,
}

impl Only {
    /// Reads verdicts, or compiles a match.
    pub(super) fn new(text: &str, site: &Site, terminal: &mut Terminal) -> Result<Self> {
        if text.trim().is_empty() {
            bail!(
                "--only is empty; name verdicts, as in `--only drop,reject`, or a match of the rule language"
            );
        }
        let words: Option<Vec<Verdict>> = text
            .split(',')
            .map(|word| {
                Verdict::ALL
                    .iter()
                    .copied()
                    .find(|v| v.name() == word.trim())
            })
            .collect();
        match words {
            Some(verdicts) => Ok(Self::Verdicts(verdicts)),
            None => Match::new(text, site, terminal).map(|found| Self::Match(Box::new(found))),
        }
    }

    /// Whether a frame is wanted.
    pub(super) fn takes(&mut self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Verdicts(verdicts) => verdicts.contains(&seen.report.verdict),
            Self::Match(matched) => matched.holds(seen),
        }
    }
}

impl Match {
    fn new(text: &str, site: &Site, terminal: &mut Terminal) -> Result<Self> {
        let rules = format!(
            "table inet only {{ chain only {{ type filter hook forward priority 0; policy drop; {text} accept; }}; }}\n"
        );
        let mut sources = Sources::new();
        let (root, mut list) = parse::add_bytes(&mut sources, "--only", rules.into_bytes());
        let loader = FileLoader { search: Vec::new() };
        let (file, parsed) = parse::parse(&mut sources, root, &loader, &[]);
        list.extend(parsed);
        let options = Options {
            interfaces: site.ports.iter().map(|port| port.name.clone()).collect(),
            clock: crate::local_time::zone(),
            ..Options::default()
        };
        let (ruleset, found) = compile::compile(file, &sources, &options);
        list.extend(found);
        let is_one = ruleset.as_ref().is_some_and(|ruleset| {
            (
                ruleset.tables.len(),
                ruleset.chains.len(),
                ruleset.rules.len(),
            ) == (1, 1, 1)
        });
        let Some(ruleset) = ruleset.filter(|_| is_one && !list.iter().any(Diagnostic::is_error))
        else {
            terminal.raw_note(&findings::text(
                terminal.err_color,
                &Findings { sources, list },
            ));
            bail!(
                "--only `{text}` is neither a verdict ({}) nor a match of the rule language",
                Verdict::ALL
                    .iter()
                    .map(|verdict| verdict.name())
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        };
        Ok(Self {
            engine: Interpreter::new(&ruleset),
            state: State::new(&ruleset),
            host: NoHost::default(),
            ports: ports(site, &ruleset),
        })
    }

    fn holds(&mut self, seen: &Seen<'_>) -> bool {
        let found = dissect_with(seen.bytes, LinkKind::Ethernet, Checksums::Ignore);
        let Ok(layout) = found else { return false };
        let mut packet = Packet::new(seen.bytes.to_vec(), layout);
        packet.meta.nfproto = if layout.is_ipv4() {
            nfproto::IPV4
        } else if layout.is_ipv6() {
            nfproto::IPV6
        } else {
            nfproto::ARP
        };
        packet.meta.pkttype = packet
            .ethernet()
            .map_or(pkttype::HOST, |link| pkttype::classify(link.dst(), None));
        let named = |port: PortId| self.ports.get(port.index()).copied().unwrap_or_default();
        if seen.fate != Fate::Sent {
            (packet.meta.iif, packet.meta.iifname) = named(seen.port);
        }
        if let Some(port) = seen.report.leaves_by {
            (packet.meta.oif, packet.meta.oifname) = named(port);
        }
        if let Some(ct) = seen.report.ct {
            packet.ct = ct.view;
        }
        let mut env = Env {
            now: seen.now,
            state: &mut self.state,
            host: &mut self.host,
        };
        self.engine.run(ChainId(0), &mut packet, &mut env).verdict == Final::Accept
    }
}

/// Each port's index and name.
fn ports(site: &Site, ruleset: &Ruleset) -> Vec<(u32, [u8; 16])> {
    let seen = |name: &str| {
        let at = ruleset.interfaces.iter().position(|known| known == name);
        let mut padded = [0; 16];
        for (to, from) in padded.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        let index = at.map_or(0, |at| at + 1);
        (u32::try_from(index).unwrap_or(0), padded)
    };
    site.ports.iter().map(|port| seen(&port.name)).collect()
}
