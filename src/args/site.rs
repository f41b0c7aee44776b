//! What `redan site` may be told.

use std::path::PathBuf;

/// `site`.
#[derive(Debug, clap::Args)]
pub(crate) struct SiteArgs {
    /// Propose the site of the machine that made a capture; `-` is stdin.
    #[arg(long, value_name = "CAPTURE")]
    pub(crate) from_capture: PathBuf,
    /// Name of a port whose interface the capture does not name, in order; or INTERFACE=NAME, by the capture's own name or index for it.
    #[arg(long, value_name = "NAME")]
    pub(crate) port: Vec<String>,
}
