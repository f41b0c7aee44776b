//! What `redan test` may be told.

use std::path::PathBuf;

use super::{EngineName, RuleArgs};

/// `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// Test files: NAME.test beside NAME.rules and, for routing, NAME.toml.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// Which engine runs the rules.
    #[arg(long, value_enum, default_value = "jit")]
    pub(crate) engine: EngineName,
}
