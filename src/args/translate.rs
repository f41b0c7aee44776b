//! What `redan translate` may be told.

use std::path::PathBuf;

use clap::Subcommand;

use super::Deny;

/// `translate`.
#[derive(Debug, clap::Args)]
pub(crate) struct TranslateArgs {
    /// Whose rules they are.
    #[command(subcommand)]
    pub(crate) from: TranslateFrom,
}

/// Programs whose rules can be translated.
#[derive(Debug, Subcommand)]
pub(crate) enum TranslateFrom {
    /// What iptables-save and ip6tables-save print, iptables commands, and scripts of them.
    Iptables(IptablesArgs),
    /// Network policies of Kubernetes, with the pods and namespaces that they are about.
    #[command(name = "networkpolicy")]
    NetworkPolicy(NetworkPolicyArgs),
}

/// `translate iptables`.
#[derive(Debug, clap::Args)]
pub(crate) struct IptablesArgs {
    /// Files that belong together: dumps of both families, of ipset, scripts; `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Take dumps for those of ip6tables-save, whatever they look like.
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Write no counters, even where the input has them.
    #[arg(long)]
    pub(crate) no_counters: bool,
    /// What makes the exit code 1 beside errors.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) deny: Option<Deny>,
}

/// `translate networkpolicy`.
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkPolicyArgs {
    /// YAML or JSON that belongs together: policies, namespaces, pods, workloads; of a folder all of it; `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write beside each rule which policy asks for it.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Write who may reach whom instead of rules.
    #[arg(long, conflicts_with_all = ["explain", "placeholders"])]
    pub(crate) connections: bool,
    /// Give pods whose address is not known one of 198.18.0.0/15, to try the rules out.
    #[arg(long)]
    pub(crate) placeholders: bool,
    /// What makes the exit code 1 beside errors.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) deny: Option<Deny>,
}
