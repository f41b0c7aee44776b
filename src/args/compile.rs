//! What `redan compile` and `redan list` may be told.

use std::path::PathBuf;

use clap::ValueEnum;

use super::RuleArgs;

/// `compile`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompileArgs {
    /// A ruleset; `-` is stdin.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// What to print.
    #[arg(long, value_enum, default_value = "bytecode")]
    pub(crate) emit: Emit,
}

/// What `compile` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// Instructions as `nft --debug=netlink` prints them.
    Bytecode,
    /// The syntax tree.
    Ast,
    /// How the rules of each chain are indexed.
    Plan,
    /// Cranelift's intermediate form.
    Clif,
    /// Native code.
    Asm,
    /// libnftables' JSON.
    Json,
}

/// `list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// A ruleset, as rules or in libnftables' JSON; `-` is stdin.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// Write the handle of everything behind it.
    #[arg(short = 'a', long)]
    pub(crate) handles: bool,
}
