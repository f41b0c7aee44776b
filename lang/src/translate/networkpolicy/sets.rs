//! The sets of a translation: one for each selector, so that a pod that comes or goes changes elements and no rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use super::model::{Labels, Model, Operator, Pod, Protocol, Selector};

/// Bytes of a selector in a name; nft takes 255 of a name (`NFT_NAME_MAXLEN`), and people fewer.
const MAX_NAME: usize = 80;

/// Bytes that nft takes of a comment (`NFTNL_UDATA_COMMENT_MAXLEN`, its end counted).
pub(super) const MAX_COMMENT: usize = 127;

/// Which pods of which namespaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pods {
    /// The namespaces.
    pub(super) spaces: Spaces,
    /// Which of their pods.
    pub(super) pods: Selector,
}

/// Which namespaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spaces {
    /// This one.
    One(String),
    /// Those with such labels.
    With(Selector),
}

/// What a set has in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// Addresses of pods that at least one policy for a direction is about; by the direction's word.
    Isolated(&'static str),
    /// Addresses of pods.
    Pods(Pods),
    /// Addresses and ports that containers of pods call so.
    Ports(Pods, Protocol, String),
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// nft's word for its header.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::V4 => "ip",
            Self::V6 => "ip6",
        }
    }

    fn datatype(self) -> &'static str {
        match self {
            Self::V4 => "ipv4_addr",
            Self::V6 => "ipv6_addr",
        }
    }

    /// Whether an address is of it.
    pub(super) fn has(self, address: IpAddr) -> bool {
        address.is_ipv6() == (self == Self::V6)
    }
}

/// Names, given out once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name like `text` that nft takes and nobody has.
    pub(super) fn fresh(&mut self, text: &str) -> String {
        let mut stem = String::new();
        for c in text.chars() {
            let fine = c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
            let c = if fine { c } else { '_' };
            if c != '_' || !stem.ends_with('_') {
                stem.push(c);
            }
        }
        if !stem.starts_with(|c: char| c.is_ascii_alphabetic()) {
            stem.insert(0, 'x');
        }
        stem.truncate(MAX_NAME);
        let mut name = stem.clone();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{stem}.{number}");
            number += 1;
        }
        name
    }
}

/// The sets that rules have asked for.
#[derive(Debug, Default)]
pub(super) struct Sets {
    names: Names,
    /// By what they hold.
    known: BTreeMap<(What, Family), String>,
}

impl Sets {
    /// The name of a set.
    pub(super) fn name(&mut self, what: &What, family: Family) -> String {
        let key = (what.clone(), family);
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let mut text = match what {
            What::Isolated(word) => format!("isolated-{word}"),
            What::Pods(pods) => short(pods),
            What::Ports(pods, protocol, port) => {
                format!("{}/{}.{port}", short(pods), protocol.word().to_lowercase())
            }
        };
        if family == Family::V6 {
            text.push_str("-v6");
        }
        let name = self.names.fresh(&text);
        self.known.insert(key, name.clone());
        name
    }

    /// The text of all sets. `isolated` says whether a direction's policies are about a pod.
    pub(super) fn write(
        &self,
        out: &mut String,
        model: &Model,
        isolated: impl Fn(&'static str, &Pod) -> bool,
    ) {
        for ((what, family), name) in &self.known {
            let (kind, comment) = match what {
                What::Isolated(word) => (
                    family.datatype().to_owned(),
                    format!("pods that a policy for {word} is about"),
                ),
                What::Pods(pods) => (family.datatype().to_owned(), long(pods)),
                What::Ports(pods, protocol, port) => (
                    format!("{} . inet_service", family.datatype()),
                    format!("{} port {port} of {}", protocol.word(), long(pods)),
                ),
            };
            _ = writeln!(out, "\tset {name} {{\n\t\ttype {kind}");
            let elements = elements(model, what, *family, &isolated);
            if !elements.is_empty() {
                _ = writeln!(out, "\t\telements = {{ {} }}", elements.join(", "));
            }
            _ = writeln!(out, "\t\tcomment \"{}\"\n\t}}\n", comment_of(&comment));
        }
    }
}

/// A text as nft takes it for a comment: cut, and without quotes.
pub(super) fn comment_of(text: &str) -> String {
    let mut text = text.replace(['"', '\\', '\n'], "'");
    if text.len() > MAX_COMMENT {
        let mut end = MAX_COMMENT - 3;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    text
}

fn elements(
    model: &Model,
    what: &What,
    family: Family,
    isolated: &impl Fn(&'static str, &Pod) -> bool,
) -> Vec<String> {
    let mut found = BTreeSet::new();
    for pod in model.pods.iter().filter(|pod| !pod.on_host) {
        let is_in = match what {
            What::Isolated(word) => isolated(word, pod),
            What::Pods(pods) | What::Ports(pods, ..) => pods.has(model, pod),
        };
        if !is_in {
            continue;
        }
        for address in pod.addresses.iter().filter(|address| family.has(**address)) {
            match what {
                What::Isolated(_) | What::Pods(_) => {
                    found.insert((*address, 0));
                }
                What::Ports(_, protocol, name) => {
                    let named = pod
                        .ports
                        .iter()
                        .filter(|port| port.protocol == *protocol && port.name == *name);
                    found.extend(named.map(|port| (*address, port.port)));
                }
            }
        }
    }
    let is_port = matches!(what, What::Ports(..));
    found
        .into_iter()
        .map(|(address, port)| {
            if is_port {
                format!("{address} . {port}")
            } else {
                address.to_string()
            }
        })
        .collect()
}

impl Pods {
    /// Whether a pod is one of them.
    pub(super) fn has(&self, model: &Model, pod: &Pod) -> bool {
        let here = match &self.spaces {
            Spaces::One(name) => *name == pod.namespace,
            Spaces::With(selector) => {
                let none = Labels::new();
                let labels = model.namespaces.get(&pod.namespace).unwrap_or(&none);
                fits(selector, labels)
            }
        };
        here && fits(&self.pods, &pod.labels)
    }
}

/// Whether labels fit a selector.
fn fits(selector: &Selector, labels: &Labels) -> bool {
    for asked in &selector.all {
        let fits = match (asked.operator, labels.get(&asked.key)) {
            (Operator::In, Some(value)) => asked.values.binary_search(value).is_ok(),
            (Operator::NotIn, Some(value)) => asked.values.binary_search(value).is_err(),
            (Operator::Exists, value) => value.is_some(),
            (Operator::DoesNotExist, value) => value.is_none(),
            (Operator::In, None) => false,
            (Operator::NotIn, None) => true,
        };
        if !fits {
            return false;
        }
    }
    true
}

/// Pods for a name: `web/app.db`.
fn short(pods: &Pods) -> String {
    let spaces = match &pods.spaces {
        Spaces::One(name) => name.clone(),
        Spaces::With(selector) if selector.all.is_empty() => "any-namespace".to_owned(),
        Spaces::With(selector) => format!("namespaces.{}", brief(selector)),
    };
    if pods.pods.all.is_empty() {
        return format!("{spaces}/all");
    }
    format!("{spaces}/{}", brief(&pods.pods))
}

fn brief(selector: &Selector) -> String {
    let parts: Vec<String> = selector
        .all
        .iter()
        .map(|asked| {
            // what stands before the slash of a key says whose it is, seldom which
            let key = asked.key.rsplit('/').next().unwrap_or_default();
            match asked.operator {
                Operator::In => format!("{key}.{}", asked.values.join(".")),
                Operator::NotIn => format!("not.{key}.{}", asked.values.join(".")),
                Operator::Exists => key.to_owned(),
                Operator::DoesNotExist => format!("no.{key}"),
            }
        })
        .collect();
    parts.join("_")
}

/// Pods in words: `pods with app=db in namespace web`.
pub(super) fn long(pods: &Pods) -> String {
    let which = if pods.pods.all.is_empty() {
        "all pods".to_owned()
    } else {
        format!("pods with {}", words(&pods.pods))
    };
    match &pods.spaces {
        Spaces::One(name) => format!("{which} of namespace {name}"),
        Spaces::With(selector) if selector.all.is_empty() => format!("{which} of any namespace"),
        Spaces::With(selector) => format!("{which} of namespaces with {}", words(selector)),
    }
}

fn words(selector: &Selector) -> String {
    let parts: Vec<String> = selector
        .all
        .iter()
        .map(|asked| match (asked.operator, asked.values.as_slice()) {
            (Operator::In, [one]) => format!("{}={one}", asked.key),
            (Operator::In, many) => format!("{} in ({})", asked.key, many.join(", ")),
            (Operator::NotIn, many) => format!("{} not in ({})", asked.key, many.join(", ")),
            (Operator::Exists, _) => asked.key.clone(),
            (Operator::DoesNotExist, _) => format!("no {}", asked.key),
        })
        .collect();
    parts.join(", ")
}
