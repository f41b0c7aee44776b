//! Reading pods, and the templates of what makes pods.

use std::net::IpAddr;

use super::fields::{Fields, at, field, text_at};
use super::model::{NamedPort, Pod, Protocol};
use super::policy;
use super::yaml::{Node, Value};
use crate::source::Span;

/// What makes pods, and where its template is.
const TEMPLATES: [(&str, &[&str]); 8] = [
    ("CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("DaemonSet", &["spec", "template"]),
    ("Deployment", &["spec", "template"]),
    ("Job", &["spec", "template"]),
    ("ReplicaSet", &["spec", "template"]),
    ("ReplicationController", &["spec", "template"]),
    ("StatefulSet", &["spec", "template"]),
    // kubevirt.io: its pod has the template's labels
    ("VirtualMachine", &["spec", "template"]),
];

/// Names of what makes pods.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    TEMPLATES.iter().map(|(kind, _)| *kind)
}

/// Reads a pod or a workload.
pub(super) fn workload(
    fields: &mut Fields<'_>,
    node: &Node,
    kind: &str,
    name: &str,
    namespace: &str,
    span: Span,
) -> Option<Pod> {
    let template = match TEMPLATES.iter().find(|(known, _)| *known == kind) {
        None => node,
        Some((_, way)) => {
            let found = at(node, way);
            if found.is_none() {
                let message = format!("this {kind} has no `{}`", way.join("."));
                fields.wrong(span, message);
            }
            found?
        }
    };
    let labels = fields.labels(at(template, &["metadata", "labels"]), "labels");
    let spec = at(template, &["spec"]);
    let on_host = spec.and_then(|spec| at(spec, &["hostNetwork"]));
    let on_host = on_host.is_some_and(|node| fields.truth(node, "hostNetwork"));
    let mut ports = Vec::new();
    if let Some(node) = spec.and_then(|spec| at(spec, &["containers"])) {
        for container in fields.list(node, "containers") {
            if let Some(list) = at(container, &["ports"]) {
                for item in fields.list(list, "ports") {
                    ports.extend(named_port(fields, item));
                }
            }
        }
    }
    ports.sort();
    ports.dedup();
    Some(Pod {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        labels,
        ports,
        addresses: if kind == "Pod" {
            addresses(fields, node)
        } else {
            Vec::new()
        },
        on_host,
        owner: owner(node),
        span,
    })
}

fn named_port(fields: &mut Fields<'_>, node: &Node) -> Option<NamedPort> {
    let entries = fields.map(node, "port");
    let name = field(entries, "name")?;
    let name = fields.text(name, "name")?.to_owned();
    let port = fields.port(field(entries, "containerPort")?, "containerPort")?;
    let protocol = match field(entries, "protocol") {
        None => Protocol::Tcp,
        Some(node) => policy::protocol(fields, node)?,
    };
    Some(NamedPort {
        name,
        protocol,
        port,
    })
}

/// `status.podIPs`, or `status.podIP`. A pod that has ended has none: its address may be another's.
fn addresses(fields: &mut Fields<'_>, node: &Node) -> Vec<IpAddr> {
    if has_ended(node) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let one = at(node, &["status", "podIP"]);
    let many = at(node, &["status", "podIPs"]).map_or(&[][..], |list| fields.list(list, "podIPs"));
    for node in one
        .into_iter()
        .chain(many.iter().filter_map(|item| at(item, &["ip"])))
    {
        let (Value::Plain(text) | Value::Quoted(text)) = &node.value else {
            continue;
        };
        match text.parse() {
            Ok(address) => found.push(address),
            Err(_) => fields.wrong(node.span, format!("`{text}` is no address")),
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether a pod has ended for good.
pub(super) fn has_ended(node: &Node) -> bool {
    matches!(
        text_at(node, &["status", "phase"]),
        Some("Succeeded" | "Failed")
    )
}

/// The controller among `metadata.ownerReferences`, else the first of them.
fn owner(node: &Node) -> Option<(String, String)> {
    let Value::List(list) = &at(node, &["metadata", "ownerReferences"])?.value else {
        return None;
    };
    let controls = |item: &&Node| text_at(item, &["controller"]) == Some("true");
    let item = list.iter().find(controls).or(list.first())?;
    let kind = text_at(item, &["kind"])?.to_owned();
    Some((kind, text_at(item, &["name"])?.to_owned()))
}
