//! The rules of a translation.
//!
//! ```text
//! forward ──source is isolated──> egress-policies ──jump, a chain for each policy──┐
//!    │                                │ no policy allows: drop                     │ goto
//!    └────────────> allowed-by-source <────────────────────────────────────────────┘
//!                         │ destination is isolated
//!                         └──> ingress-policies ──jump, a chain for each policy──> accept
//!                                     │ no policy allows: drop
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::model::{Block, Cidr, Direction, Model, Peer, Pod, Policy, Port, Protocol, Rule, Which};
use super::sets::{Family, Names, Pods, Sets, Spaces, What, comment_of, long};

/// The chain behind the policies of the source.
const BEHIND: &str = "allowed-by-source";

/// Writes the rules of a model.
struct Writer<'a> {
    model: &'a Model,
    families: Vec<Family>,
    explain: bool,
    sets: Sets,
    chains: Names,
}

/// A match of one family, or of both.
#[derive(Clone)]
struct Part {
    family: Option<Family>,
    text: String,
}

/// The text of the rules.
pub(super) fn write(model: &Model, explain: bool) -> String {
    let mut writer = Writer {
        model,
        families: families(model),
        explain,
        sets: Sets::default(),
        chains: Names::default(),
    };
    let chains = writer.chains();
    let mut out = "#!/usr/sbin/nft -f\n# Translated from network policies of Kubernetes.\n\ntable inet networkpolicy {\n".to_owned();
    writer.sets.write(&mut out, model, |word, pod| {
        let direction = [Direction::Ingress, Direction::Egress]
            .into_iter()
            .find(|direction| direction.word() == word);
        direction.is_some_and(|direction| is_isolated(model, direction, pod))
    });
    out.push_str(&chains);
    out.push_str("}\n");
    out
}

/// Families that the model speaks of; IPv4 where it speaks of none.
fn families(model: &Model) -> Vec<Family> {
    let pods = model.pods.iter().flat_map(|pod| &pod.addresses).copied();
    let rules = model
        .policies
        .iter()
        .flat_map(|policy| policy.ingress.iter().chain(&policy.egress).flatten());
    let blocks = rules
        .flat_map(|rule| &rule.peers)
        .filter_map(|peer| match peer {
            Peer::Block(block) => Some(block.cidr.address),
            Peer::Pods { .. } => None,
        });
    let all: Vec<_> = pods.chain(blocks).collect();
    let mut found: Vec<Family> = [Family::V4, Family::V6]
        .into_iter()
        .filter(|family| all.iter().any(|address| family.has(*address)))
        .collect();
    if found.is_empty() {
        found.push(Family::V4);
    }
    found
}

fn is_isolated(model: &Model, direction: Direction, pod: &Pod) -> bool {
    model
        .policies
        .iter()
        .any(|policy| policy.rules(direction).is_some() && about(policy).has(model, pod))
}

/// The pods that a policy is about.
pub(super) fn about(policy: &Policy) -> Pods {
    Pods {
        spaces: Spaces::One(policy.namespace.clone()),
        pods: policy.pods.clone(),
    }
}

/// The field of a packet that is the end in question.
fn own(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "daddr",
        Direction::Egress => "saddr",
    }
}

impl Writer<'_> {
    fn chains(&mut self) -> String {
        let has = |direction| {
            let mut policies = self.model.policies.iter();
            policies.any(|policy| policy.rules(direction).is_some())
        };
        let (egress, ingress) = (has(Direction::Egress), has(Direction::Ingress));
        let mut out = "\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n\n\t\tct state established,related accept\n".to_owned();
        if egress {
            self.isolation(&mut out, Direction::Egress);
            if ingress {
                _ = writeln!(out, "\t\tgoto {BEHIND}");
            }
            out.push_str("\t}\n\n");
            let allowed = if ingress {
                _ = writeln!(out, "\tchain {BEHIND} {{");
                self.isolation(&mut out, Direction::Ingress);
                out.push_str("\t\taccept\n\t}\n\n");
                format!("goto {BEHIND}")
            } else {
                "accept".to_owned()
            };
            self.policies(&mut out, Direction::Egress, &allowed);
        } else {
            if ingress {
                self.isolation(&mut out, Direction::Ingress);
            }
            out.push_str("\t}\n\n");
        }
        if ingress {
            self.policies(&mut out, Direction::Ingress, "accept");
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    /// The rules that lead pods with policies to these.
    fn isolation(&mut self, out: &mut String, direction: Direction) {
        let word = direction.word();
        for family in self.families.clone() {
            let set = self.sets.name(&What::Isolated(word), family);
            let (header, field) = (family.header(), own(direction));
            _ = writeln!(out, "\t\t{header} {field} @{set} goto {word}-policies");
        }
    }

    /// The chain that asks each policy, and the chains of the policies.
    fn policies(&mut self, out: &mut String, direction: Direction, allowed: &str) {
        let word = direction.word();
        let mut first = format!("\tchain {word}-policies {{\n");
        let mut chains = String::new();
        let mut open: BTreeSet<Pods> = BTreeSet::new();
        for policy in &self.model.policies {
            let Some(rules) = policy.rules(direction) else {
                continue;
            };
            let who = format!("{}/{}", policy.namespace, policy.name);
            let pods = about(policy);
            let about = long(&pods);
            if rules.is_empty() {
                _ = writeln!(first, "\t\t# {who} allows nothing: {about}");
                continue;
            }
            if open.contains(&pods) {
                _ = writeln!(
                    first,
                    "\t\t# {who} adds nothing, since another policy allows everything: {about}"
                );
                continue;
            }
            let body = self.body(policy, rules, direction, allowed);
            let everything = rules
                .iter()
                .any(|rule| rule.peers.is_empty() && rule.ports.is_empty());
            if everything {
                open.insert(pods.clone());
            }
            let chain = self.chains.fresh(&format!("{word}-{who}"));
            let what = What::Pods(pods);
            let comment = self.comment(&format!("{who}: {about}"));
            for family in self.families.clone() {
                let set = self.sets.name(&what, family);
                let (header, field) = (family.header(), own(direction));
                _ = writeln!(first, "\t\t{header} {field} @{set} jump {chain}{comment}");
            }
            _ = write!(chains, "\tchain {chain} {{\n{body}\t}}\n\n");
        }
        let comment = self.comment(&format!("no policy for {word} allows it"));
        _ = write!(out, "{first}\t\tdrop{comment}\n\t}}\n\n{chains}");
    }

    fn comment(&self, text: &str) -> String {
        if self.explain {
            format!(" comment \"{}\"", comment_of(text))
        } else {
            String::new()
        }
    }

    /// The rules of a policy's chain.
    fn body(
        &mut self,
        policy: &Policy,
        rules: &[Rule],
        direction: Direction,
        allowed: &str,
    ) -> String {
        let mut lines: Vec<(String, String)> = Vec::new();
        let mut add = |text: String, comment: String| {
            if !lines.iter().any(|(known, _)| *known == text) {
                lines.push((text, comment));
            }
        };
        // what allows everything leaves nothing to the rules beside it
        let everything = rules
            .iter()
            .position(|rule| rule.peers.is_empty() && rule.ports.is_empty());
        for (at, rule) in rules.iter().enumerate() {
            if everything.is_some_and(|only| only != at) {
                continue;
            }
            let word = direction.word();
            let text = format!("{}/{} {word}[{at}]", policy.namespace, policy.name);
            let comment = self.comment(&text);
            for peer in self.peers(policy, rule, direction) {
                let ports = self.ports(policy, rule, direction, &peer);
                for part in ports {
                    let parts = [peer.1.text.as_str(), part.as_str(), allowed];
                    let filled = parts.into_iter().filter(|part| !part.is_empty());
                    add(filled.collect::<Vec<_>>().join(" "), comment.clone());
                }
            }
        }
        let mut out = String::new();
        for (text, comment) in lines {
            _ = writeln!(out, "\t\t{text}{comment}");
        }
        out
    }

    /// The other end: for each, the pods that it is (if it is pods) and the match of one family.
    fn peers(
        &mut self,
        policy: &Policy,
        rule: &Rule,
        direction: Direction,
    ) -> Vec<(Option<Pods>, Part)> {
        let field = match direction {
            Direction::Ingress => "saddr",
            Direction::Egress => "daddr",
        };
        let named = rule
            .ports
            .iter()
            .any(|port| matches!(port.which, Which::Named(_)));
        if rule.peers.is_empty() {
            let mut all = vec![(None, Part::both())];
            if named {
                // a named port is asked for together with an address of one family
                all.extend(
                    self.families
                        .iter()
                        .map(|family| (None, Part::of(*family, String::new()))),
                );
            }
            return all;
        }
        let mut found = Vec::new();
        let mut plain: BTreeMap<Family, Vec<Cidr>> = BTreeMap::new();
        for peer in &rule.peers {
            match peer {
                Peer::Block(block) if block.except.is_empty() => {
                    let family = family_of(block);
                    plain.entry(family).or_default().push(block.cidr);
                }
                Peer::Block(block) => {
                    let family = family_of(block);
                    let text = except(block, family, field);
                    found.push((None, Part::of(family, text)));
                }
                Peer::Pods { namespaces, pods } => {
                    let spaces = match namespaces {
                        None => Spaces::One(policy.namespace.clone()),
                        Some(selector) => Spaces::With(selector.clone()),
                    };
                    let pods = Pods {
                        spaces,
                        pods: pods.clone(),
                    };
                    for family in self.families.clone() {
                        let set = self.sets.name(&What::Pods(pods.clone()), family);
                        let text = format!("{} {field} @{set}", family.header());
                        found.push((Some(pods.clone()), Part::of(family, text)));
                    }
                }
            }
        }
        for (family, cidrs) in plain {
            let text = within(&cidrs, family, field);
            found.push((None, Part::of(family, text)));
        }
        found
    }

    /// Matches of ports, one of which must hold.
    fn ports(
        &mut self,
        policy: &Policy,
        rule: &Rule,
        direction: Direction,
        peer: &(Option<Pods>, Part),
    ) -> Vec<String> {
        if rule.ports.is_empty() {
            return vec![String::new()];
        }
        let (pods, part) = peer;
        let mut out = Vec::new();
        // a rule for one family that names no address is there for named ports only
        if part.family.is_none() || !part.text.is_empty() {
            out.extend(numbers(&rule.ports));
        }
        let Some(family) = part.family else {
            return out;
        };
        let reached = match direction {
            Direction::Ingress => about(policy),
            Direction::Egress => pods.clone().unwrap_or_else(|| Pods {
                spaces: Spaces::With(super::model::Selector::default()),
                pods: super::model::Selector::default(),
            }),
        };
        for port in &rule.ports {
            if let Which::Named(name) = &port.which {
                let what = What::Ports(reached.clone(), port.protocol, name.clone());
                let set = self.sets.name(&what, family);
                let header = family.header();
                out.push(format!(
                    "{header} daddr . {} dport @{set}",
                    port.protocol.nft()
                ));
            }
        }
        out
    }
}

impl Part {
    fn both() -> Self {
        Self {
            family: None,
            text: String::new(),
        }
    }

    fn of(family: Family, text: String) -> Self {
        Self {
            family: Some(family),
            text,
        }
    }
}

impl Protocol {
    /// nft's word for it.
    fn nft(self) -> &'static str {
        match self {
            Self::Sctp => "sctp",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

fn family_of(block: &Block) -> Family {
    if block.cidr.address.is_ipv6() {
        Family::V6
    } else {
        Family::V4
    }
}

/// Prefixes without those that lie in another.
fn outermost(cidrs: &[Cidr]) -> Vec<Cidr> {
    let mut sorted = cidrs.to_vec();
    sorted.sort_by_key(|cidr| (cidr.bits, cidr.address));
    let mut kept: Vec<Cidr> = Vec::new();
    for cidr in sorted {
        let inside = |outer: &Cidr| {
            let mut cut = cidr;
            cut.bits = outer.bits;
            cut.network() == outer.network()
        };
        if !kept.iter().any(inside) {
            kept.push(cidr);
        }
    }
    kept.sort();
    kept
}

impl Cidr {
    /// The bits of the prefix as text of ones and zeros, for comparison.
    fn network(&self) -> (u8, u128) {
        let (number, width) = match self.address {
            std::net::IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
            std::net::IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let free = u32::from(width - self.bits.min(width));
        (width, number.checked_shr(free).unwrap_or(0))
    }

    fn text(&self) -> String {
        let whole = if self.address.is_ipv6() { 128 } else { 32 };
        if self.bits == whole {
            self.address.to_string()
        } else {
            format!("{}/{}", self.address, self.bits)
        }
    }
}

/// One prefix, or several in braces.
fn braced(cidrs: &[Cidr]) -> String {
    let texts: Vec<String> = outermost(cidrs).iter().map(Cidr::text).collect();
    match texts.as_slice() {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    }
}

fn whole(family: Family) -> &'static str {
    match family {
        Family::V4 => "meta nfproto ipv4",
        Family::V6 => "meta nfproto ipv6",
    }
}

fn within(cidrs: &[Cidr], family: Family, field: &str) -> String {
    if cidrs.iter().any(|cidr| cidr.bits == 0) {
        return whole(family).to_owned();
    }
    format!("{} {field} {}", family.header(), braced(cidrs))
}

fn except(block: &Block, family: Family, field: &str) -> String {
    let header = family.header();
    let except = format!("{header} {field} != {}", braced(&block.except));
    if block.cidr.bits == 0 {
        return except;
    }
    format!("{header} {field} {} {except}", block.cidr.text())
}

/// Matches of ports by number, protocols with the same ports together.
fn numbers(ports: &[Port]) -> Vec<String> {
    let mut by_protocol: BTreeMap<Protocol, Vec<(u16, u16)>> = BTreeMap::new();
    for port in ports {
        let range = match port.which {
            Which::Any => (0, u16::MAX),
            Which::Numbers(first, last) => (first, last),
            Which::Named(_) => continue,
        };
        by_protocol.entry(port.protocol).or_default().push(range);
    }
    let mut by_ports: BTreeMap<Vec<(u16, u16)>, Vec<Protocol>> = BTreeMap::new();
    for (protocol, ranges) in by_protocol {
        by_ports.entry(joined(ranges)).or_default().push(protocol);
    }
    let mut out = Vec::new();
    for (ranges, protocols) in by_ports {
        let words: Vec<&str> = protocols.iter().map(|protocol| protocol.nft()).collect();
        let (protocol, field) = match words.as_slice() {
            [one] => (format!("meta l4proto {one}"), format!("{one} dport")),
            many => (
                format!("meta l4proto {{ {} }}", many.join(", ")),
                "th dport".to_owned(),
            ),
        };
        let texts: Vec<String> = ranges
            .iter()
            .map(|(first, last)| {
                if first == last {
                    first.to_string()
                } else {
                    format!("{first}-{last}")
                }
            })
            .collect();
        let one = words.len() == 1;
        out.push(match (ranges.as_slice(), texts.as_slice()) {
            ([(0, u16::MAX)], _) => protocol,
            (_, [text]) if one => format!("{field} {text}"),
            (_, many) if one => format!("{field} {{ {} }}", many.join(", ")),
            (_, [text]) => format!("{protocol} {field} {text}"),
            (_, many) => format!("{protocol} {field} {{ {} }}", many.join(", ")),
        });
    }
    out
}

/// Sorted, and joined where they overlap or touch.
fn joined(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    ranges.sort_unstable();
    let mut out: Vec<(u16, u16)> = Vec::new();
    for (first, last) in ranges {
        if let Some(before) = out.last_mut()
            && u32::from(first) <= u32::from(before.1) + 1
        {
            before.1 = before.1.max(last);
        } else {
            out.push((first, last));
        }
    }
    out
}
