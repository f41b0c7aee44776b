//! What `redan fmt` may be told.

use std::path::PathBuf;

/// `fmt`.
#[derive(Debug, clap::Args)]
pub(crate) struct FmtArgs {
    /// Rulesets to rewrite; `-` formats stdin to stdout.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write nothing; name the files that would change, and exit 1 if there are any.
    #[arg(long)]
    pub(crate) check: bool,
    /// Write nothing; show what would change, and exit 1 if anything would.
    #[arg(long)]
    pub(crate) diff: bool,
}
