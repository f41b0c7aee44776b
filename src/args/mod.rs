//! The command line, declared once, a file for each subcommand; what options mean is said here and nowhere else.

mod compile;
mod fmt;
mod lint;
mod replay;
mod run;
mod site;
mod test;
mod translate;
mod why;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use compile::{CompileArgs, Emit, ListArgs};
pub(crate) use fmt::FmtArgs;
pub(crate) use lint::{Deny, LintArgs, LintFormat};
pub(crate) use replay::{Checksums, ReplayArgs, ReplayFormat};
pub(crate) use run::{RunArgs, SandboxHostArgs};
pub(crate) use site::SiteArgs;
pub(crate) use test::{TestArgs, TestFormat};
pub(crate) use translate::{IptablesArgs, NetworkPolicyArgs, TranslateArgs, TranslateFrom};
pub(crate) use why::{WhyArgs, WhyFormat};

/// A stateful firewall in user space that speaks nftables' rule language.
#[derive(Debug, Parser)]
#[command(name = "redan", version, about, max_term_width = 110)]
pub(crate) struct Args {
    /// Colour in output for people; auto: on a terminal, unless `NO_COLOR` is set.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN"
    )]
    pub(crate) color: ColorWhen,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find errors and likely mistakes in rulesets.
    Lint(LintArgs),
    /// Format rulesets in place.
    Fmt(FmtArgs),
    /// Compile a ruleset and print the result.
    Compile(CompileArgs),
    /// Print a ruleset as nft lists it once it is loaded.
    List(ListArgs),
    /// Turn rules of other programs into rules of nft.
    Translate(TranslateArgs),
    /// Put a capture through a ruleset and say what became of each frame, and why.
    Replay(ReplayArgs),
    /// Show a packet's whole way through a ruleset: each rule with the match that failed or held, routing, the verdict.
    Why(WhyArgs),
    /// Propose a site file.
    Site(SiteArgs),
    /// Check what a ruleset lets through against a `.test` file.
    Test(TestArgs),
    /// Run a ruleset on live traffic, or in a sandbox.
    Run(RunArgs),
    /// One end of the sandbox; started by `run --sandbox`.
    #[command(name = "sandbox-host", hide = true)]
    SandboxHost(SandboxHostArgs),
}

/// What nft's options of the same names say about the files of rules.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleArgs {
    /// Define a variable before the rules are read, such as `-D wan=eth1`; may be given several times.
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE")]
    pub(crate) defines: Vec<String>,
    /// Look for included files here too, behind the directory of the rule file; may be given several times.
    #[arg(short = 'I', long = "includepath", value_name = "DIR")]
    pub(crate) include: Vec<PathBuf>,
}

/// Which engine runs the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    /// The interpreter.
    Interp,
    /// Native code.
    Jit,
}

/// A switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnOff {
    /// Yes.
    On,
    /// No.
    Off,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn declaration_is_consistent() {
        Args::command().debug_assert();
    }
}
