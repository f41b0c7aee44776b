//! From documents to the model: kinds of objects, lists of them, who owns whom.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Fields, at, field, text_at};
use super::model::{Labels, Model, NAMESPACE_NAME, Pod};
use super::yaml::{Node, Value};
use super::{policy, workload, yaml};
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::source::{SourceId, Sources, Span};

/// How deep lists may lie in lists.
const MAX_LISTS: usize = 8;

/// What decides about traffic and is not translated: who reads the rest only would be told less than the truth.
const OTHER_POLICIES: [&str; 12] = [
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "CiliumNetworkPolicy",
    "ClusterNetworkPolicy",
    "ClusterUserDefinedNetwork",
    "EgressFirewall",
    "GlobalNetworkPolicy",
    "MultiNetworkPolicy",
    "NetworkPolicy",
    "StagedNetworkPolicy",
    "UserDefinedNetwork",
];

/// Kinds of Kubernetes' own groups that say nothing of who may reach whom.
const OTHER_KINDS: [&str; 52] = [
    "APIService",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "ConfigMap",
    "ControllerRevision",
    "CSIDriver",
    "CSINode",
    "CSIStorageCapacity",
    "CustomResourceDefinition",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "FlowSchema",
    "Gateway",
    "GatewayClass",
    "GRPCRoute",
    "HorizontalPodAutoscaler",
    "HTTPRoute",
    "Ingress",
    "IngressClass",
    "IPAddress",
    "Lease",
    "LimitRange",
    "MutatingWebhookConfiguration",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "PodMetrics",
    "PodSecurityPolicy",
    "PodTemplate",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ReferenceGrant",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "RuntimeClass",
    "Secret",
    "Service",
    "ServiceAccount",
    "ServiceCIDR",
    "StorageClass",
    "TCPRoute",
    "TLSRoute",
    "UDPRoute",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// Reads texts that belong together. `found` are those that were found in a folder: there may be other things in them.
pub(super) fn read(
    sources: &Sources,
    inputs: &[SourceId],
    found: &[SourceId],
    findings: &mut Vec<Diagnostic>,
) -> Model {
    let mut reader = Reader {
        fields: Fields { findings },
        model: Model::default(),
        policies: BTreeMap::new(),
        owners: BTreeMap::new(),
        pods: BTreeMap::new(),
        objects: 0,
    };
    for &id in inputs {
        let is_found = found.contains(&id);
        let Some(documents) = yaml::documents(sources, id, reader.fields.findings) else {
            continue;
        };
        for document in &documents {
            if !matches!(document.value, Value::Null) {
                reader.object(document, is_found, None, 0);
            }
        }
    }
    let faulty = reader.fields.findings.iter().any(Diagnostic::is_error);
    if reader.objects == 0 && !faulty {
        let at = inputs
            .first()
            .map_or(Span::default(), |&id| Span::new(id, 0, 0));
        let message = "there is nothing of Kubernetes here";
        let finding = Diagnostic::new(Code::NothingToTranslate, at, message);
        reader.fields.findings.push(finding);
    }
    reader.finish()
}

struct Reader<'a> {
    fields: Fields<'a>,
    model: Model,
    /// Where each policy stands.
    policies: BTreeMap<(String, String), Span>,
    /// Who owns a workload.
    owners: BTreeMap<Name, Option<(String, String)>>,
    /// Pods and workloads.
    pods: BTreeMap<Name, Pod>,
    objects: usize,
}

/// Namespace, kind and name.
type Name = (String, String, String);

impl Reader<'_> {
    fn object(&mut self, node: &Node, is_found: bool, kind: Option<&str>, depth: usize) {
        let own = text_at(node, &["kind"]);
        let Some(kind) = own.or(kind) else {
            let message = "this is no object of Kubernetes: it has no `kind`";
            if is_found {
                let finding = Diagnostic::new(Code::PassedOverObject, node.span, message);
                self.fields.findings.push(finding);
            } else {
                self.fields.wrong(node.span, message);
            }
            return;
        };
        self.objects += 1;
        if let Some(of) = kind.strip_suffix("List").filter(|_| depth < MAX_LISTS)
            && let Some(items) = at(node, &["items"])
        {
            let of = (!of.is_empty()).then_some(of);
            for item in self.fields.list(items, "items") {
                self.object(item, is_found, of, depth + 1);
            }
            return;
        }
        if kind.ends_with("List") {
            return; // an empty one
        }
        let kind_at = at(node, &["kind"]).map_or(node.span, |node| node.span);
        let group = text_at(node, &["apiVersion"]).map(|version| {
            let (group, _) = version.split_once('/').unwrap_or(("", version));
            group.to_owned()
        });
        match kind {
            "NetworkPolicy" if group.as_deref().unwrap_or("") == "networking.k8s.io" => {
                self.policy(node, kind_at);
            }
            "Namespace" => self.namespace(node, kind_at),
            "Pod" => self.workload(node, kind, kind_at),
            kind if workload::kinds().any(|known| known == kind) => {
                self.workload(node, kind, kind_at);
            }
            kind => self.other(kind, group.as_deref(), node, kind_at),
        }
    }

    fn policy(&mut self, node: &Node, span: Span) {
        let version = text_at(node, &["apiVersion"]).unwrap_or_default();
        if version != "networking.k8s.io/v1" {
            let message = format!("{version} of NetworkPolicy is not known: there is v1");
            self.fields.wrong(span, message);
            return;
        }
        let entries = self.fields.map(node, "NetworkPolicy");
        let known = ["apiVersion", "kind", "metadata", "spec", "status"];
        self.fields.only(entries, "a NetworkPolicy", &known);
        let Some((name, namespace)) = self.name(node, span) else {
            return;
        };
        let Some(spec) = field(entries, "spec") else {
            let message = "a NetworkPolicy needs a `spec`";
            self.fields.wrong(span, message);
            return;
        };
        let key = (namespace.clone(), name.clone());
        if let Some(first) = self.policies.insert(key, span) {
            let message = format!("the policy {namespace}/{name} is there twice: this one counts");
            let finding = Diagnostic::new(Code::PassedOverObject, span, message)
                .related(first, "this one is left out");
            self.fields.findings.push(finding);
            let same = |policy: &super::model::Policy| {
                policy.namespace == namespace && policy.name == name
            };
            self.model.policies.retain(|policy| !same(policy));
        }
        let policy = policy::policy(&mut self.fields, spec, &name, &namespace, span);
        self.model.policies.push(policy);
    }

    fn namespace(&mut self, node: &Node, span: Span) {
        let Some((name, _)) = self.name(node, span) else {
            return;
        };
        let labels = self
            .fields
            .labels(at(node, &["metadata", "labels"]), "labels");
        self.model
            .namespaces
            .entry(name)
            .or_default()
            .extend(labels);
    }

    fn workload(&mut self, node: &Node, kind: &str, span: Span) {
        let Some((name, namespace)) = self.name(node, span) else {
            return;
        };
        if kind == "Pod" && workload::has_ended(node) {
            return;
        }
        let pod = workload::workload(&mut self.fields, node, kind, &name, &namespace, span);
        let Some(pod) = pod else { return };
        let key = (namespace, kind.to_owned(), name);
        self.owners.insert(key.clone(), pod.owner.clone());
        self.pods.insert(key, pod);
    }

    /// What is of no use here, or not known.
    fn other(&mut self, kind: &str, group: Option<&str>, node: &Node, span: Span) {
        let name = text_at(node, &["metadata", "name"]).unwrap_or("?");
        if OTHER_POLICIES.contains(&kind) {
            let group = group.unwrap_or("no group");
            let message = format!(
                "{kind} {name} of {group} is not translated, and rules without it would let other packets through"
            );
            let finding = Diagnostic::new(Code::UnknownKind, span, message)
                .help("leave it out of the input if the rest is wanted all the same; NetworkPolicy of networking.k8s.io/v1 is translated");
            self.fields.findings.push(finding);
            return;
        }
        // names of groups of others have a dot and are not Kubernetes' own
        let is_foreign =
            group.is_some_and(|group| group.contains('.') && !group.ends_with(".k8s.io"));
        if OTHER_KINDS.contains(&kind) {
            return;
        }
        if is_foreign {
            let message = format!("{kind} {name} says nothing here: it is passed over");
            let finding = Diagnostic::new(Code::PassedOverObject, span, message);
            self.fields.findings.push(finding);
            return;
        }
        let message = format!("`{kind}` is no kind that is known");
        let mut finding = Diagnostic::new(Code::UnknownKind, span, message);
        let known = workload::kinds()
            .chain(["NetworkPolicy", "Namespace", "Pod", "List"])
            .chain(OTHER_KINDS);
        finding.help = did_you_mean(kind, known).map(|like| format!("did you mean `{like}`?"));
        self.fields.findings.push(finding);
    }

    /// Name and namespace of an object.
    fn name(&mut self, node: &Node, span: Span) -> Option<(String, String)> {
        let name = at(node, &["metadata", "name"]);
        let generated = at(node, &["metadata", "generateName"]);
        let Some(name) = name.or(generated) else {
            let message = "this object has no `metadata.name`";
            self.fields.wrong(span, message);
            return None;
        };
        let name = self.fields.text(name, "name")?.to_owned();
        let namespace = match at(node, &["metadata", "namespace"]) {
            Some(node) => self.fields.text(node, "namespace")?.to_owned(),
            None => "default".to_owned(),
        };
        for word in [&name, &namespace] {
            // validation.go (apimachinery): IsDNS1123Subdomain
            let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            if word.is_empty() || word.len() > 253 || !word.chars().all(fine) {
                let message = format!("`{word}` is no name of Kubernetes: a-z, 0-9, - and .");
                self.fields.wrong(span, message);
                return None;
            }
        }
        Some((name, namespace))
    }

    /// Fills in what follows from all objects together.
    fn finish(mut self) -> Model {
        let keys: BTreeSet<Name> = self.pods.keys().cloned().collect();
        let mut has_pods: BTreeSet<Name> = BTreeSet::new();
        let mut tops = BTreeMap::new();
        for (key, pod) in &self.pods {
            let top = self.top(key, pod);
            let over = [&top, &pod.owner].map(|owner| {
                let (kind, name) = owner.clone()?;
                Some((key.0.clone(), kind, name))
            });
            if key.1 == "Pod" {
                has_pods.extend(over.into_iter().flatten());
            } else if over.iter().flatten().any(|over| keys.contains(over)) {
                has_pods.insert(key.clone());
            }
            tops.insert(key.clone(), top);
        }
        for (key, mut pod) in std::mem::take(&mut self.pods) {
            pod.owner = tops.remove(&key).flatten();
            if !has_pods.contains(&key) {
                self.model.pods.push(pod);
            }
        }
        let spaces: BTreeSet<String> = (self.model.pods.iter().map(|pod| &pod.namespace))
            .chain(self.model.policies.iter().map(|policy| &policy.namespace))
            .cloned()
            .collect();
        for name in spaces {
            self.model.namespaces.entry(name).or_default();
        }
        for (name, labels) in &mut self.model.namespaces {
            let labels: &mut Labels = labels;
            labels.insert(NAMESPACE_NAME.to_owned(), name.clone());
        }
        self.model
            .policies
            .sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        self.model
    }

    /// The outermost owner of a pod or workload. A `ReplicaSet` that is not in the input is known by the hash in its name.
    fn top(&self, key: &Name, pod: &Pod) -> Option<(String, String)> {
        let mut owner = pod.owner.clone()?;
        for _ in 0..MAX_LISTS {
            let over = (key.0.clone(), owner.0.clone(), owner.1.clone());
            if let Some(Some(next)) = self.owners.get(&over) {
                owner = next.clone();
                continue;
            }
            let hash = pod.labels.get("pod-template-hash");
            let stem = hash.and_then(|hash| owner.1.strip_suffix(hash.as_str())?.strip_suffix('-'));
            if let Some(stem) = stem.filter(|_| owner.0 == "ReplicaSet") {
                let deployment = (key.0.clone(), "Deployment".to_owned(), stem.to_owned());
                if self.owners.contains_key(&deployment) {
                    return Some((deployment.1, deployment.2));
                }
            }
            return Some(owner);
        }
        Some(owner)
    }
}
