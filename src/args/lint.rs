//! What `redan lint` may be told.

use std::path::PathBuf;

use clap::ValueEnum;

use super::RuleArgs;

/// `lint`.
#[derive(Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// Rulesets; `-` is stdin.
    #[arg(required_unless_present = "explain", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// How findings are printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: LintFormat,
    /// What makes the exit code 1 beside errors.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) deny: Option<Deny>,
    /// Say also what an older nft or Linux does not understand or compiles wrongly, such as nft-1.0.6 or kernel-5.10.
    #[arg(long, value_name = "VERSION")]
    pub(crate) target: Option<redan_lang::lint::Target>,
    /// Explain a code, such as L001 or shadowed-rule, and end.
    #[arg(long, value_name = "CODE")]
    pub(crate) explain: Option<String>,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// For people.
    Text,
    /// One array of objects.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub Actions annotations.
    Github,
}

/// Levels that can be denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Warnings count like errors.
    Warnings,
}
