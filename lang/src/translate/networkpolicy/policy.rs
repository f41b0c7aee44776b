//! Reading a `NetworkPolicy`: every field of `spec`, its defaults, and what the API server would refuse.

use std::net::IpAddr;

use super::fields::{Fields, field};
use super::model::{
    Block, Cidr, Direction, Operator, Peer, Policy, Port, Protocol, Requirement, Rule, Selector,
    Which,
};
use super::yaml::{Entry, Node, Value};
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::source::Span;

const SPEC: [&str; 4] = ["podSelector", "policyTypes", "ingress", "egress"];
const PEER: [&str; 3] = ["podSelector", "namespaceSelector", "ipBlock"];

/// Reads `spec`.
pub(super) fn policy(
    fields: &mut Fields<'_>,
    spec: &Node,
    name: &str,
    namespace: &str,
    span: Span,
) -> Policy {
    let entries = fields.map(spec, "spec");
    fields.only(entries, "`spec` of a NetworkPolicy", &SPEC);
    let pods = if let Some(node) = field(entries, "podSelector") {
        selector(fields, node, "podSelector")
    } else {
        let message = "without `podSelector` the policy is about every pod of its namespace";
        fields.findings.push(
            Diagnostic::new(Code::PolicyWithoutEffect, span, message)
                .help("write `podSelector: {}` if that is meant"),
        );
        Selector::default()
    };
    let given = [Direction::Ingress, Direction::Egress].map(|direction| {
        let node = field(entries, direction.word());
        (direction, node.map(|node| rules(fields, node, direction)))
    });
    let types = types(fields, entries);
    let [ingress, egress] = given.map(|(direction, rules)| {
        let is_listed = types.iter().any(|(listed, _)| *listed == direction);
        let some = rules.as_ref().is_some_and(|rules| !rules.is_empty());
        // defaults.go: SetDefaults_NetworkPolicy: Ingress always, Egress where there are rules for it
        let applies = if types.is_empty() {
            direction == Direction::Ingress || some
        } else {
            is_listed
        };
        if !applies && some {
            let word = direction.word();
            let at = entries.iter().find(|entry| entry.key == word);
            let message = format!("`{word}` has no effect, since `policyTypes` does not name it");
            fields.findings.push(Diagnostic::new(
                Code::PolicyWithoutEffect,
                at.map_or(span, |entry| entry.span),
                message,
            ));
        }
        applies.then(|| rules.unwrap_or_default())
    });
    Policy {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        pods,
        ingress,
        egress,
        span,
    }
}

fn types(fields: &mut Fields<'_>, entries: &[Entry]) -> Vec<(Direction, Span)> {
    let mut types = Vec::new();
    let Some(node) = field(entries, "policyTypes") else {
        return types;
    };
    for item in fields.list(node, "policyTypes") {
        let Some(word) = fields.text(item, "policyTypes") else {
            continue;
        };
        match word {
            "Ingress" => types.push((Direction::Ingress, item.span)),
            "Egress" => types.push((Direction::Egress, item.span)),
            _ => fields.wrong(
                item.span,
                format!("`{word}` is no policy type: there are Ingress and Egress"),
            ),
        }
    }
    types
}

fn rules(fields: &mut Fields<'_>, node: &Node, direction: Direction) -> Vec<Rule> {
    let (what, end) = match direction {
        Direction::Ingress => ("a rule of `ingress`", "from"),
        Direction::Egress => ("a rule of `egress`", "to"),
    };
    let mut rules = Vec::new();
    for item in fields.list(node, direction.word()) {
        let entries = fields.map(item, direction.word());
        fields.only(entries, what, &[end, "ports"]);
        let peers = field(entries, end).map_or(&[][..], |node| fields.list(node, end));
        let ports = field(entries, "ports").map_or(&[][..], |node| fields.list(node, "ports"));
        rules.push(Rule {
            peers: peers.iter().filter_map(|node| peer(fields, node)).collect(),
            ports: ports.iter().filter_map(|node| port(fields, node)).collect(),
        });
    }
    rules
}

fn peer(fields: &mut Fields<'_>, node: &Node) -> Option<Peer> {
    let entries = fields.map(node, "peer");
    fields.only(entries, "a peer", &PEER);
    let block = field(entries, "ipBlock");
    let namespaces = field(entries, "namespaceSelector");
    let pods = field(entries, "podSelector");
    if block.is_some() && (namespaces.is_some() || pods.is_some()) {
        fields.wrong(
            node.span,
            "`ipBlock` stands alone: a peer with selectors takes no addresses",
        );
        return None;
    }
    if let Some(node) = block {
        return self::block(fields, node).map(Peer::Block);
    }
    if namespaces.is_none() && pods.is_none() {
        let message = "a peer must say who it is: `podSelector`, `namespaceSelector` or `ipBlock`";
        fields.wrong(node.span, message);
        return None;
    }
    Some(Peer::Pods {
        namespaces: namespaces.map(|node| selector(fields, node, "namespaceSelector")),
        pods: pods.map_or_else(Selector::default, |node| {
            selector(fields, node, "podSelector")
        }),
    })
}

fn block(fields: &mut Fields<'_>, node: &Node) -> Option<Block> {
    let entries = fields.map(node, "ipBlock");
    fields.only(entries, "`ipBlock`", &["cidr", "except"]);
    let Some(given) = field(entries, "cidr") else {
        fields.wrong(node.span, "`ipBlock` needs a `cidr`");
        return None;
    };
    let cidr = cidr(fields, given, "cidr")?;
    let mut except = Vec::new();
    for item in field(entries, "except").map_or(&[][..], |node| fields.list(node, "except")) {
        let Some(inner) = self::cidr(fields, item, "except") else {
            continue;
        };
        // validation.go: ValidateIPBlock: a strict subset
        if inner.bits > cidr.bits && prefix(inner.address, cidr.bits) == Some(cidr.address) {
            except.push(inner);
        } else {
            let message = "an exception must be a part of `cidr`, and not the whole of it";
            fields.wrong(item.span, message);
        }
    }
    Some(Block { cidr, except })
}

fn cidr(fields: &mut Fields<'_>, node: &Node, what: &str) -> Option<Cidr> {
    let text = fields.text(node, what)?;
    let parsed = text.split_once('/').and_then(|(address, bits)| {
        let address: IpAddr = address.parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        let address = prefix(address, bits)?;
        Some(Cidr { address, bits })
    });
    if parsed.is_none() {
        let message = format!("`{text}` is no address with a prefix length, as 192.0.2.0/24 is");
        fields.wrong(node.span, message);
    }
    parsed
}

/// The first bits of an address, the others zero; `None` where it has not as many.
fn prefix(address: IpAddr, bits: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            Some(IpAddr::V4((u32::from(v4) & mask).into()))
        }
        IpAddr::V6(v6) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            Some(IpAddr::V6((u128::from(v6) & mask).into()))
        }
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

fn port(fields: &mut Fields<'_>, node: &Node) -> Option<Port> {
    let entries = fields.map(node, "port");
    fields.only(
        entries,
        "an item of `ports`",
        &["protocol", "port", "endPort"],
    );
    let protocol = match field(entries, "protocol") {
        None => Protocol::Tcp,
        Some(node) => protocol(fields, node)?,
    };
    let last = field(entries, "endPort");
    let Some(given) = field(entries, "port") else {
        if let Some(last) = last {
            fields.wrong(last.span, "`endPort` needs a `port` to start from");
            return None;
        }
        let which = Which::Any;
        return Some(Port { protocol, which });
    };
    let name = match &given.value {
        Value::Quoted(text) => Some(text),
        Value::Plain(text) if text.contains(|c: char| c.is_ascii_alphabetic()) => Some(text),
        Value::Plain(_) | Value::Null | Value::List(_) | Value::Map(_) => None,
    };
    if let Some(name) = name {
        if let Some(last) = last {
            fields.wrong(last.span, "`endPort` goes with a `port` that is a number");
            return None;
        }
        if !is_port_name(name) {
            fields.wrong(
                given.span,
                format!("`{name}` is no name of a port: up to 15 of a-z, 0-9 and -, with a letter among them"),
            );
            return None;
        }
        let which = Which::Named(name.clone());
        return Some(Port { protocol, which });
    }
    let first = fields.port(given, "port")?;
    let last = last.map_or(Some(first), |node| fields.port(node, "endPort"))?;
    if last < first {
        fields.wrong(node.span, "`endPort` is smaller than `port`");
        return None;
    }
    let which = Which::Numbers(first, last);
    Some(Port { protocol, which })
}

/// validation.go (apimachinery): `IsValidPortName`.
fn is_port_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=15).contains(&name.len())
        && name.chars().all(fine)
        && name.contains(|c: char| c.is_ascii_lowercase())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// A protocol's word.
pub(super) fn protocol(fields: &mut Fields<'_>, node: &Node) -> Option<Protocol> {
    let word = fields.text(node, "protocol")?;
    let found = Protocol::ALL
        .into_iter()
        .find(|protocol| protocol.word() == word);
    if found.is_none() {
        let message = format!("`{word}` is no protocol of the API: there are TCP, UDP and SCTP");
        fields.wrong(node.span, message);
    }
    found
}

/// Reads a label selector.
pub(super) fn selector(fields: &mut Fields<'_>, node: &Node, what: &str) -> Selector {
    let entries = fields.map(node, what);
    fields.only(entries, "a selector", &["matchLabels", "matchExpressions"]);
    let labels = fields.labels(field(entries, "matchLabels"), "matchLabels");
    let mut all: Vec<Requirement> = labels
        .into_iter()
        .map(|(key, value)| Requirement {
            key,
            operator: Operator::In,
            values: vec![value],
        })
        .collect();
    let expressions = field(entries, "matchExpressions");
    for item in expressions.map_or(&[][..], |node| fields.list(node, "matchExpressions")) {
        all.extend(requirement(fields, item));
    }
    all.sort();
    all.dedup();
    Selector { all }
}

fn requirement(fields: &mut Fields<'_>, node: &Node) -> Option<Requirement> {
    let entries = fields.map(node, "matchExpressions");
    fields.only(entries, "an expression", &["key", "operator", "values"]);
    let (Some(key), Some(given)) = (field(entries, "key"), field(entries, "operator")) else {
        fields.wrong(node.span, "an expression needs a `key` and an `operator`");
        return None;
    };
    let key = fields.text(key, "key")?.to_owned();
    let word = fields.text(given, "operator")?;
    let operator = match word {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        _ => {
            let known = ["In", "NotIn", "Exists", "DoesNotExist"];
            let message = format!("`{word}` is no operator: there are {}", known.join(", "));
            let mut finding = Diagnostic::new(Code::WrongField, given.span, message);
            finding.help = did_you_mean(word, known).map(|like| format!("did you mean `{like}`?"));
            fields.findings.push(finding);
            return None;
        }
    };
    let mut values = Vec::new();
    for item in field(entries, "values").map_or(&[][..], |node| fields.list(node, "values")) {
        values.extend(fields.text(item, "values").map(str::to_owned));
    }
    values.sort();
    values.dedup();
    // validation.go (apimachinery): ValidateLabelSelectorRequirement
    let wants_values = matches!(operator, Operator::In | Operator::NotIn);
    if wants_values == values.is_empty() {
        let message = if wants_values {
            format!("`{word}` needs `values`")
        } else {
            format!("`{word}` takes no `values`")
        };
        fields.wrong(node.span, message);
    }
    Some(Requirement {
        key,
        operator,
        values,
    })
}
