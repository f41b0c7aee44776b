//! What is strange about a capture as a whole, and what to do about it: said at the end, on stderr.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use redan_runtime::site::LOOPBACK;
use redan_runtime::{Datapath, Mac, Mode, PortId, Reason, Report, Site};
use redan_vm::family::{Family, Hook};
use redan_vm::meta::MetaKey;
use redan_vm::packet::checksum::Sum;
use redan_vm::packet::{ethernet, protocol};
use redan_vm::{Instr, Ruleset};

use crate::capture::counted;
use crate::capture::flow::Flow;
use crate::capture::machine::Fate;
use crate::output::terminal::Terminal;

/// Most addresses that are counted: a capture of a scan has millions.
const MOST: usize = 4096;

/// What has been noted.
#[derive(Default)]
pub(super) struct Advice {
    /// Frames of a loopback device that the site does not have.
    pub(super) left_out: u64,
    /// Frames of several segments.
    pub(super) joined: u64,
    copies: u64,
    answers: u64,
    sent: u64,
    elsewhere: HashMap<IpAddr, u64>,
    /// Frames with a wrong transport checksum, and of these those that hold the pseudo-header's sum, by sender.
    wrong: HashMap<IpAddr, (u64, u64)>,
    /// Unicast frames by port: taken, and for others by link address.
    addressed: HashMap<PortId, (u64, HashMap<Mac, u64>)>,
    /// Frames that came in or were sent, and how many are from or to each address.
    ended: u64,
    ends: HashMap<IpAddr, u64>,
}

impl Advice {
    /// Notes a frame.
    pub(super) fn note(
        &mut self,
        port: PortId,
        fate: Fate,
        flow: Option<&Flow>,
        bytes: &[u8],
        report: &Report,
    ) {
        match fate {
            Fate::Copy(_) => self.copies += 1,
            Fate::Answer => self.answers += 1,
            Fate::Sent | Fate::Looped => self.sent += 1,
            Fate::In | Fate::Elsewhere => {}
        }
        let Some(flow) = flow else { return };
        if fate == Fate::Elsewhere {
            bump(&mut self.elsewhere, flow.key.src);
        }
        let (src, dst) = (flow.key.src, flow.key.dst);
        if matches!(fate, Fate::In | Fate::Sent) {
            self.ended += 1;
            bump(&mut self.ends, src);
            if src != dst {
                bump(&mut self.ends, dst);
            }
        }
        if fate != Fate::In {
            return;
        }
        if report
            .ct
            .is_some_and(|ct| ct.reason == Some("bad-checksum"))
        {
            let partial = u64::from(is_partial(bytes, flow));
            if self.wrong.len() < MOST || self.wrong.contains_key(&src) {
                let (all, left) = self.wrong.entry(src).or_default();
                *all += 1;
                *left += partial;
            }
        }
        let to = Mac(flow.to());
        if !ethernet::is_multicast(to.0) {
            let (taken, others) = self.addressed.entry(port).or_default();
            if report.reason != Some(Reason::OtherHost) {
                *taken += 1;
            } else if others.len() < MOST || others.contains_key(&to) {
                *others.entry(to).or_default() += 1;
            }
        }
    }

    /// Says it.
    pub(super) fn print(
        &self,
        site: &Site,
        capture: &str,
        datapath: &Datapath,
        terminal: &mut Terminal,
    ) {
        for line in self.notes() {
            terminal.note(&format!("redan: {line}"));
        }
        let ruleset = datapath.ruleset();
        let warnings = [
            self.checksums(),
            self.link_addresses(site),
            self.machine(site, ruleset),
            self.not_own(),
            self.router(site, ruleset, capture),
            names(site, ruleset),
        ];
        for line in warnings.into_iter().flatten() {
            terminal.warning(&line);
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut say = |count: u64, what: &str| {
            if count > 0 {
                lines.push(format!("{}: {what}", counted(count, "frame")));
            }
        };
        say(
            self.copies,
            "captured a second time on the way out, and taken once",
        );
        say(self.answers, "an answer that redan gives too, taken once");
        say(
            self.sent,
            "sent by the machine itself, and taken past output",
        );
        say(
            self.joined,
            "longer than the MTU, and taken as segments that the network card cuts or joins, with a right checksum",
        );
        say(
            self.left_out,
            "of the loopback device, left out; a port `lo` in the site takes them in",
        );
        lines
    }

    /// Checksums that were left to the network card.
    fn checksums(&self) -> Option<String> {
        let (all, left) = self
            .wrong
            .values()
            .fold((0, 0), |(all, left), one| (all + one.0, left + one.1));
        if left == 0 || left * 2 < all {
            return None;
        }
        let most = self
            .wrong
            .iter()
            .max_by_key(|(address, one)| (one.1, **address));
        let (from, _) = most?;
        Some(format!(
            "{} have a wrong checksum and are invalid, but {left} of them hold just what is left to a network card to complete (most are from {from}); add --checksums ignore",
            counted(all, "frame")
        ))
    }

    /// A router none of whose ports is addressed.
    fn link_addresses(&self, site: &Site) -> Option<String> {
        let mut lines = Vec::new();
        for (number, port) in (0..).map(PortId).zip(&site.ports) {
            let Some((taken, others)) = self.addressed.get(&number) else {
                continue;
            };
            let strange: u64 = others.values().sum();
            if strange <= *taken {
                continue;
            }
            let mut seen: Vec<(&Mac, &u64)> = others.iter().collect();
            seen.sort_by_key(|(mac, count)| (u64::MAX - **count, **mac));
            let seen: Vec<String> = seen
                .iter()
                .take(3)
                .map(|(mac, count)| format!("{mac} ({count})"))
                .collect();
            lines.push(format!(
                "{strange} of {} unicast frames on {} are not for its link address {}, but for {}",
                strange + taken,
                port.name,
                port.mac,
                seen.join(", ")
            ));
        }
        (!lines.is_empty()).then(|| {
            format!(
                "{}; write mac = \"...\" into the site, or add --any-mac",
                lines.join("; ")
            )
        })
    }

    /// Rules of a machine's own traffic, and nobody said which is its own.
    fn machine(&self, site: &Site, ruleset: &Ruleset) -> Option<String> {
        let is_known = site.mode != Mode::Wire || !site.local.is_empty();
        if is_known || self.ends.is_empty() || !hooks_own_traffic_alone(ruleset) {
            return None;
        }
        let (likely, count) = self
            .ends
            .iter()
            .max_by_key(|(address, count)| (**count, std::cmp::Reverse(**address)))?;
        Some(format!(
            "the rules hook input and output alone, and no frame that came in met them, since no address is known to be the machine's own; \
             add --local {likely} if that is it ({count} of {} frames are from or to it)",
            self.ended
        ))
    }

    /// A router's capture without its site.
    fn router(&self, site: &Site, ruleset: &Ruleset, capture: &str) -> Option<String> {
        let is_bare = site.mode == Mode::Wire && site.local.is_empty();
        let is_router = self.copies + self.sent > 0 && !hooks_own_traffic_alone(ruleset);
        (is_bare && is_router).then(|| {
            format!(
                "the capture was made on a router, and without its site what goes to it and from it is not told from what goes through; \
                 redan site --from-capture {capture} > site.toml proposes one for --site site.toml"
            )
        })
    }

    /// Frames that the machine sent from addresses that the site does not give it.
    fn not_own(&self) -> Option<String> {
        let (likely, _) = self
            .elsewhere
            .iter()
            .max_by_key(|(address, count)| (**count, std::cmp::Reverse(**address)))?;
        let count: u64 = self.elsewhere.values().sum();
        Some(format!(
            "{} went out that came in by no port, from addresses that the site does not give to the machine, such as {likely}",
            counted(count, "frame")
        ))
    }
}

fn bump(counts: &mut HashMap<IpAddr, u64>, address: IpAddr) {
    if counts.len() < MOST || counts.contains_key(&address) {
        *counts.entry(address).or_default() += 1;
    }
}

/// Whether a transport checksum is just the pseudo-header's sum, which a network card is given to complete (`CHECKSUM_PARTIAL`).
fn is_partial(bytes: &[u8], flow: &Flow) -> bool {
    let at = match flow.key.protocol {
        protocol::TCP => 16,
        protocol::UDP => 6,
        protocol::ICMPV6 => 2,
        _ => return false,
    };
    let start = flow.layout.transport as usize;
    let held = bytes
        .get(start + at..)
        .and_then(<[u8]>::first_chunk)
        .map(|sum| u16::from_be_bytes(*sum));
    let sum = |length| {
        let sum = match (flow.key.src, flow.key.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                Sum::pseudo_v4(src, dst, flow.key.protocol, length)
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                Sum::pseudo_v6(src, dst, flow.key.protocol, length)
            }
            (IpAddr::V4(_) | IpAddr::V6(_), _) => return None,
        };
        Some(sum.fold())
    };
    // Packets of several segments are given the sum without a length by some devices' drivers.
    held.is_some() && (held == sum(flow.layout.transport_len()) || held == sum(0))
}

/// Whether the base chains of IP hang at input and output, and none where a frame passes that is not the machine's.
fn hooks_own_traffic_alone(ruleset: &Ruleset) -> bool {
    let hooks: Vec<Hook> = ruleset
        .chains
        .iter()
        .filter(|chain| !chain.deleted)
        .filter(|chain| {
            let table = ruleset.tables.get(chain.table.index());
            table.is_some_and(|table| {
                matches!(table.family, Family::Ip | Family::Ip6 | Family::Inet)
            })
        })
        .filter_map(|chain| Some(chain.base.as_ref()?.hook))
        .collect();
    let own = |hook: &Hook| matches!(hook, Hook::Input | Hook::Output);
    hooks.iter().any(own) && hooks.iter().all(own)
}

/// Rules that name interfaces none of which is a port.
fn names(site: &Site, ruleset: &Ruleset) -> Option<String> {
    let is_port = |name: &str| site.port_by_name(name).is_some();
    let mut named = BTreeSet::new();
    for rule in &ruleset.rules {
        let mut loaded = None;
        for instr in &rule.code {
            if let Instr::MetaLoad { key, dst } = instr {
                let is_name = matches!(key, MetaKey::Iifname | MetaKey::Oifname);
                loaded = is_name.then_some(*dst);
            } else if let Instr::Cmp { src, data, .. } = instr
                && loaded == Some(*src)
            {
                named.extend(whole_name(data.as_bytes()));
            }
        }
    }
    named.remove(LOOPBACK);
    if named.is_empty() || named.iter().any(|name| is_port(name)) {
        return None;
    }
    let ports: Vec<&str> = site.ports.iter().map(|port| port.name.as_str()).collect();
    let (first, named) = (
        ports.first().copied().unwrap_or("eth0"),
        named.into_iter().collect::<Vec<_>>(),
    );
    let key = first.strip_prefix("if").unwrap_or(first);
    let example = named.first().map_or("", String::as_str);
    Some(format!(
        "no port is called as the rules call interfaces ({}); the ports are {}: --port {key}={example} names one, if that is it",
        named.join(", "),
        ports.join(", ")
    ))
}

/// A name that is compared whole, not its beginning alone.
fn whole_name(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(bytes.get(..end)?).ok()?;
    (!name.is_empty()).then(|| name.to_owned())
}
