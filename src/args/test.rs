//! What `redan test` may be told.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{EngineName, RuleArgs};

/// `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// Test files; the rules of NAME.test are in NAME.rules or NAME.nft, the site, if there is one, in NAME.toml.
    #[arg(
        value_name = "FILE",
        required_unless_present = "generate",
        conflicts_with = "generate"
    )]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// Test these rules, such as /etc/nftables.conf.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Print a test with a packet for each rule and each policy that a packet can reach: what these rules do today.
    #[arg(long, value_name = "RULES", conflicts_with_all = ["rules", "format"])]
    pub(crate) generate: Option<PathBuf>,
    /// Ports, addresses and routes.
    #[arg(long, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: TestFormat,
    /// Which engine runs the rules.
    #[arg(long, value_enum, default_value = "jit")]
    pub(crate) engine: EngineName,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people.
    Text,
    /// One object a file.
    Json,
    /// `JUnit`'s XML, which most CI systems show.
    Junit,
}
