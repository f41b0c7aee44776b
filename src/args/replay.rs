//! What `redan replay` may be told.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::output::file::is_stdout;

use super::{EngineName, OnOff, RuleArgs};

/// `replay`.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct ReplayArgs {
    /// A ruleset; `-` is stdin.
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// A capture, pcapng or pcap, also gzipped; `-` is stdin.
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
    /// Print only frames of a verdict (`drop`, `drop,reject`), or those that a match holds for (`tcp dport 22 ct state new`).
    #[arg(long, value_name = "VERDICT|MATCH")]
    pub(crate) only: Option<String>,
    /// Print sums instead of frames: by rule that decided, and by connection.
    #[arg(long)]
    pub(crate) summary: bool,
    /// Print lines of any length: by default they are cut to 120 columns.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Write the frames that came out to a pcapng file; `-` is stdout, here and below, and takes the place of what is printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Write the counters at the end to a JSON file.
    #[arg(long, value_name = "FILE")]
    pub(crate) counters: Option<PathBuf>,
    /// Write the connection table at the end to a file, in the form of the kernel's own list.
    #[arg(long, value_name = "FILE")]
    pub(crate) conntrack: Option<PathBuf>,
    /// Write what sets that packets change hold at the end to a file, in nft's words, with the time that elements have left.
    #[arg(long, value_name = "FILE")]
    pub(crate) sets: Option<PathBuf>,
    /// Write what `log group N` logs to DIR/group-N.pcapng instead of stderr.
    #[arg(long, value_name = "DIR")]
    pub(crate) log_dir: Option<PathBuf>,
    /// Show each rule that a frame visits, and which of its matches failed.
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
    /// Name of a port whose interface the capture does not name, in order; or INTERFACE=NAME, by the capture's own name or index for it.
    #[arg(long, value_name = "NAME")]
    pub(crate) port: Vec<String>,
    /// Take frames to any link address as sent to the port, for a capture from another machine than the site's.
    #[arg(long)]
    pub(crate) any_mac: bool,
    /// An address of the machine itself: frames to and from it pass input and output.
    #[arg(long, value_name = "ADDR")]
    pub(crate) local: Vec<IpAddr>,
}

/// How a replay is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplayFormat {
    /// One line a frame, for people.
    Text,
    /// One object a frame.
    Json,
}

/// What is done about checksums in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Checksums {
    /// A wrong checksum makes a packet invalid, as on a wire.
    Verify,
    /// Checksums are taken for right (a capture from a machine that lets its card compute them).
    Ignore,
}

impl ReplayArgs {
    /// Whether what became of frames is printed: stdout is not taken for a file.
    pub(crate) fn prints(&self) -> bool {
        !self.outputs().iter().any(|(_, path)| is_stdout(path))
    }

    /// The files that are written, each with its option.
    pub(crate) fn outputs(&self) -> Vec<(&'static str, &Path)> {
        let given = [
            ("--write", &self.write),
            ("--counters", &self.counters),
            ("--conntrack", &self.conntrack),
            ("--sets", &self.sets),
        ];
        given
            .into_iter()
            .filter_map(|(option, path)| Some((option, path.as_deref()?)))
            .collect()
    }
}
