//! Kubernetes' network policies as nft's rules.
//!
//! ```text
//! text ──yaml──> documents ──read──> model: pods, namespaces, policies
//!                                      ├──rules, sets──> text of nft
//!                                      └──evaluate──> who may reach whom: the list of connections, and the other opinion that translations are held against
//! ```
//!
//! What is wrong in the input is an error at its place, and there is no translation then.

mod connections;
pub mod evaluate;
mod fields;
mod model;
mod policy;
mod read;
mod rules;
mod sets;
mod workload;
mod yaml;

pub use model::{Model, Protocol};

use std::net::{IpAddr, Ipv4Addr};

use crate::compile::{self, Options as CompileOptions};
use crate::diag::{Code, Diagnostic};
use crate::fmt;
use crate::parse::{self, NoLoader};
use crate::source::{SourceId, Sources, Span};

/// Where placeholders begin: 198.18.0.1, of the range for tests of devices (RFC 2544).
const PLACEHOLDERS: u32 = 0xc612_0001;

/// How many there are.
const MAX_PLACEHOLDERS: u32 = 0x1_fffe;

/// What the user asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether each rule has a comment that says which policy asked for it.
    pub explain: bool,
    /// Whether pods without an address get one of the range for tests.
    pub placeholders: bool,
}

/// A translation.
#[derive(Debug)]
pub struct Translation {
    /// The rules; `None` where the input has errors.
    pub text: Option<String>,
    /// What is wrong, missing or differs, and where.
    pub findings: Vec<Diagnostic>,
    /// What was read.
    pub model: Model,
}

impl Model {
    /// How many policies there are.
    pub fn policies(&self) -> usize {
        self.policies.len()
    }

    /// Addresses of pods, each with the pod's number.
    pub fn addresses(&self) -> impl Iterator<Item = (usize, IpAddr)> {
        let pods = self.pods.iter().enumerate();
        pods.filter(|(_, pod)| !pod.on_host)
            .flat_map(|(at, pod)| pod.addresses.iter().map(move |address| (at, *address)))
    }

    /// `NAMESPACE/NAME[KIND]` of a pod.
    pub fn name(&self, pod: usize) -> String {
        self.pods.get(pod).map_or_else(String::new, |pod| {
            format!("{}/{}[{}]", pod.namespace, pod.name, pod.kind)
        })
    }

    /// Who may reach whom, a line each.
    pub fn connections(&self) -> String {
        connections::list(self)
    }

    fn fill(&mut self) {
        let mut next = PLACEHOLDERS;
        for pod in &mut self.pods {
            if pod.addresses.is_empty() && next - PLACEHOLDERS < MAX_PLACEHOLDERS {
                pod.addresses = vec![IpAddr::V4(Ipv4Addr::from_bits(next))];
                next += 1;
            }
        }
    }
}

/// Reads texts that belong together; `found` are those that were found in a folder, which may hold other things, too.
pub fn read(
    sources: &Sources,
    inputs: &[SourceId],
    found: &[SourceId],
    findings: &mut Vec<Diagnostic>,
) -> Model {
    read::read(sources, inputs, found, findings)
}

/// Translates texts that belong together.
pub fn translate(
    sources: &Sources,
    inputs: &[SourceId],
    found: &[SourceId],
    options: Options,
) -> Translation {
    let mut findings = Vec::new();
    let mut model = read(sources, inputs, found, &mut findings);
    let origin = inputs
        .first()
        .map_or(Span::default(), |&id| Span::new(id, 0, 0));
    let faulty = findings.iter().any(Diagnostic::is_error);
    if !faulty && model.policies.is_empty() {
        let message = "there is no NetworkPolicy here: everyone may reach everyone";
        findings.push(Diagnostic::new(Code::NothingToTranslate, origin, message));
    }
    if options.placeholders {
        model.fill();
    }
    unsaid(&model, &mut findings);
    let mut text = None;
    if !findings.iter().any(Diagnostic::is_error) {
        text = checked(
            &rules::write(&model, options.explain),
            origin,
            &mut findings,
        );
    }
    findings.sort_by_key(|finding| (finding.span().source, finding.span().start));
    Translation {
        text,
        findings,
        model,
    }
}

/// Says what the input does not say: pods without an address, pods that have their node's, ports that nobody calls so.
fn unsaid(model: &Model, findings: &mut Vec<Diagnostic>) {
    for pod in &model.pods {
        let name = format!("{} {}/{}", pod.kind, pod.namespace, pod.name);
        if pod.on_host {
            let message = format!(
                "{name} has the network of its node: the API does not say what policies do to it, and here they do nothing"
            );
            findings.push(Diagnostic::new(Code::MissingAddress, pod.span, message));
        } else if pod.addresses.is_empty() {
            let message = format!("the address of {name} is not known: no set has it");
            findings.push(Diagnostic::new(Code::MissingAddress, pod.span, message).help(
                "add what `kubectl get pods -A -o yaml` prints as a further file, or take `--placeholders` to try the rules out",
            ));
        }
    }
    for policy in &model.policies {
        let about = rules::about(policy);
        if !model.pods.is_empty() && !model.pods.iter().any(|pod| about.has(model, pod)) {
            let message = format!(
                "{}/{} is about no pod of the input",
                policy.namespace, policy.name
            );
            findings.push(Diagnostic::new(
                Code::PolicyWithoutEffect,
                policy.span,
                message,
            ));
        }
    }
}

/// The text in canonical form, if it compiles.
fn checked(text: &str, origin: Span, findings: &mut Vec<Diagnostic>) -> Option<String> {
    let mut sources = Sources::new();
    let (text, _) = fmt::fmt(&mut Sources::new(), "translation", text);
    let root = sources.add("translation", text.clone());
    let (file, mut found) = parse::parse(&mut sources, root, &NoLoader, &[]);
    let (_, more) = compile::compile(file, &sources, &CompileOptions::default());
    found.extend(more);
    let error = found.into_iter().find(Diagnostic::is_error);
    if let Some(error) = error {
        let line = sources.line(root, error.span().start);
        let message = format!(
            "the translation does not compile: {} in line {line}",
            error.message
        );
        findings.push(Diagnostic::new(Code::FaultyTranslation, origin, message));
        return None;
    }
    Some(text)
}
