//! What `redan run` and the sandbox that it starts may be told.

use std::path::PathBuf;

use super::{EngineName, RuleArgs};

/// `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// A ruleset.
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// Ports with their TAP devices, addresses and routes.
    #[arg(long, value_name = "FILE", required_unless_present = "sandbox")]
    pub(crate) site: Option<PathBuf>,
    /// Which engine runs the rules.
    #[arg(long, value_enum, default_value = "jit")]
    pub(crate) engine: EngineName,
    /// Whom to become once the TAPs are open; default: nobody.
    #[arg(long, value_name = "NAME", conflicts_with = "sandbox")]
    pub(crate) user: Option<String>,
    /// Socket on which the running firewall takes commands.
    #[arg(long, value_name = "PATH", conflicts_with = "sandbox")]
    pub(crate) control: Option<PathBuf>,
    /// Write what `log group N` logs to DIR/group-N.pcapng instead of stderr.
    #[arg(long, value_name = "DIR", conflicts_with = "sandbox")]
    pub(crate) log_dir: Option<PathBuf>,
    /// Try the rules on real traffic between throw-away hosts: something for each rule, and whether it went as the rules say.
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// End by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS", conflicts_with = "sandbox")]
    pub(crate) seconds: Option<u64>,
}

/// `sandbox-host`.
#[derive(Debug, clap::Args)]
pub(crate) struct SandboxHostArgs {
    /// Whether to work in a user namespace of its own.
    #[arg(long)]
    pub(crate) user_namespace: bool,
}
