//! What `redan why` may be told.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use super::{Checksums, RuleArgs};

/// `why`.
#[derive(Debug, clap::Args)]
pub(crate) struct WhyArgs {
    /// A ruleset; `-` is stdin.
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) reading: RuleArgs,
    /// Packets, one after the other, such as 'tcp 10.1.0.5:40000 > 192.0.2.1:443 in lan0', answer, 'wait 30s'.
    #[arg(
        value_name = "PACKET",
        required_unless_present = "from",
        conflicts_with = "from"
    )]
    pub(crate) packets: Vec<String>,
    /// Take the packet from a capture, in which all before it are put through, too; `-` is stdin.
    #[arg(long, value_name = "CAPTURE", requires = "packet")]
    pub(crate) from: Option<PathBuf>,
    /// Its number in the capture, from 1.
    #[arg(long, value_name = "N", requires = "from", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) packet: Option<u64>,
    /// What is done about checksums in the capture.
    #[arg(long, value_enum, default_value = "verify", requires = "from")]
    pub(crate) checksums: Checksums,
    /// Name of a port whose interface the capture does not name, as for `replay`.
    #[arg(long, value_name = "NAME", requires = "from")]
    pub(crate) port: Vec<String>,
    /// Take frames to any link address as sent to the port.
    #[arg(long, requires = "from")]
    pub(crate) any_mac: bool,
    /// Ports, addresses and routes; without it they are made up to suit rules and packets.
    #[arg(long, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,
    /// An address of the machine itself.
    #[arg(long, value_name = "ADDR")]
    pub(crate) local: Vec<IpAddr>,
    /// How the way is printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: WhyFormat,
    /// Show all rules and lines in full.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// How the way is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhyFormat {
    /// As a tree, for people.
    Text,
    /// One object a packet.
    Json,
}
