//! The site file's keys, as they stand there, with their places.

use std::collections::BTreeMap;

use redan_lang::diag::did_you_mean;
use serde::Deserialize;
use toml::Spanned;

use super::Fault;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) mode: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) port: Vec<Port>,
    #[serde(default)]
    pub(super) route: Vec<Route>,
    #[serde(default)]
    pub(super) neighbor: Vec<Neighbor>,
    #[serde(default)]
    pub(super) conntrack: BTreeMap<String, Spanned<toml::Value>>,
}

/// `[[port]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Port {
    pub(super) name: Spanned<String>,
    pub(super) tap: Option<Spanned<String>>,
    pub(super) mac: Option<Spanned<String>>,
    pub(super) mtu: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) addresses: Vec<Spanned<String>>,
    pub(super) side: Option<Spanned<String>>,
}

/// `[[route]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    pub(super) to: Spanned<String>,
    pub(super) via: Spanned<String>,
}

/// `[[neighbor]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Neighbor {
    pub(super) address: Spanned<String>,
    pub(super) mac: Spanned<String>,
}

/// Reads the keys; what TOML itself or its shape forbids ends the reading.
pub(super) fn parse(text: &str) -> Result<File, Fault> {
    toml::from_str(text).map_err(|error| Fault {
        at: error.span().map_or(0, |span| span.start),
        message: reworded(error.message()),
    })
}

/// serde's words for a wrong key in ours.
fn reworded(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((key, known)) if message.starts_with("unknown field") => {
            let hint = match did_you_mean(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it".to_owned(),
            };
            format!(
                "unknown key `{key}`; {hint} (known here: {})",
                known.join(", ")
            )
        }
        Some((key, _)) if message.starts_with("missing field") => {
            format!("missing key `{key}`; add it")
        }
        _ => message.trim_end().replace('\n', "; "),
    }
}
