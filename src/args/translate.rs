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
