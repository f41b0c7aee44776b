//! The command line, declared once; what a subcommand's options mean is said here and nowhere else.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

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
    /// Put a capture through a ruleset and say what became of each frame, and why.
    Replay(ReplayArgs),
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
    /// Look for included files here too, after the working directory and /etc; may be given several times.
    #[arg(short = 'I', long = "includepath", value_name = "DIR")]
    pub(crate) include: Vec<PathBuf>,
}

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
    /// Say also what an older nft does not understand or compiles wrongly, such as nft-1.0.6.
    #[arg(long, value_name = "VERSION")]
    pub(crate) target: Option<redan_lang::lint::Version>,
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

/// What is done about checksums in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Checksums {
    /// A wrong checksum makes a packet invalid, as on a wire.
    Verify,
    /// Checksums are taken for right (a capture from a machine that lets its card compute them).
    Ignore,
}

/// How a replay is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplayFormat {
    /// One line a frame, for people.
    Text,
    /// One object a frame.
    Json,
}

/// `replay`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// A ruleset; `-` is stdin.
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// A capture, pcapng or pcap; `-` is stdin.
    #[arg(value_name = "CAPTURE")]
    pub(crate) capture: PathBuf,
    /// Ports, addresses and routes; without it frames pass between the capture's interfaces unrouted.
    #[arg(long, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,
    /// Which engine runs the rules.
    #[arg(long, value_enum, default_value = "jit")]
    pub(crate) engine: EngineName,
    /// Whether rules are indexed first.
    #[arg(long, value_enum, default_value = "on")]
    pub(crate) plan: OnOff,
    /// How the replay is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ReplayFormat,
    /// Write the frames that came out to a pcapng file.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Write the counters at the end to a JSON file.
    #[arg(long, value_name = "FILE")]
    pub(crate) counters: Option<PathBuf>,
    /// Write the connection table at the end to a file, in the form of the kernel's own list.
    #[arg(long, value_name = "FILE")]
    pub(crate) conntrack: Option<PathBuf>,
    /// Write what `log group N` logs to DIR/group-N.pcapng instead of stderr.
    #[arg(long, value_name = "DIR")]
    pub(crate) log_dir: Option<PathBuf>,
    /// Show each rule that a frame visits.
    #[arg(long)]
    pub(crate) trace: bool,
    /// Print verdict counts and nanoseconds per packet to stderr.
    #[arg(long)]
    pub(crate) stats: bool,
    /// Run the capture N times, for measuring; the last run is printed.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// What is done about checksums in the capture.
    #[arg(long, value_enum, default_value = "verify")]
    pub(crate) checksums: Checksums,
    /// Name of a port whose interface the capture does not name, in order; default: eth0.
    #[arg(long, value_name = "NAME")]
    pub(crate) port: Vec<String>,
    /// An address of the machine itself: frames to and from it pass input and output.
    #[arg(long, value_name = "ADDR")]
    pub(crate) local: Vec<IpAddr>,
}

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

/// `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// A ruleset.
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// Ports with their TAP devices, addresses and routes.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "sandbox",
        conflicts_with = "sandbox"
    )]
    pub(crate) site: Option<PathBuf>,
    /// Which engine runs the rules.
    #[arg(long, value_enum, default_value = "jit")]
    pub(crate) engine: EngineName,
    /// Whom to become once the TAPs are open; default: nobody.
    #[arg(long, value_name = "NAME", conflicts_with = "sandbox")]
    pub(crate) user: Option<String>,
    /// Socket on which the running firewall takes commands.
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
    /// Write what `log group N` logs to DIR/group-N.pcapng instead of stderr.
    #[arg(long, value_name = "DIR")]
    pub(crate) log_dir: Option<PathBuf>,
    /// Try the rules on real traffic between two throw-away hosts, with this process as the router between them.
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// End by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
}

/// `sandbox-host`.
#[derive(Debug, clap::Args)]
pub(crate) struct SandboxHostArgs {
    /// Whether to work in a user namespace of its own.
    #[arg(long)]
    pub(crate) user_namespace: bool,
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
