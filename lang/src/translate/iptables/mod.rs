//! iptables' rules as nft's.
//!
//! ```text
//! text ──words──> commands ──source──> tables of rules as words ──spec──> options of matches and targets
//!                                                                              │ each module's own function
//! text <──write── joined rules <──merge── one table for both families <──family── rules of nft
//! ```
//!
//! What an option becomes and how well is a row of a table (`matches`, `targets`); the page of the book is made from the same rows. Nothing is left out without a
//! finding where it stands and a comment in the output.

mod addr;
mod build;
mod check;
mod family;
mod ipset;
mod matches;
mod merge;
mod module;
mod nft;
mod proto;
mod read;
mod rule;
mod source;
mod spec;
mod table;
mod targets;
mod words;
mod write;

pub use module::{How, Kind, Module, Opt, modules};
pub use source::Family;
pub use spec::GENERIC;

use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, Sources, Span};

/// What the user asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The family of dumps that do not say it; found out without it.
    pub family: Option<Family>,
    /// Whether rules get no counters even where the input has them.
    pub no_counters: bool,
}

/// A translation.
#[derive(Debug)]
pub struct Translation {
    /// The rules; `None` where nothing could be read.
    pub text: Option<String>,
    /// What is left out or differs, and where.
    pub findings: Vec<Diagnostic>,
    /// Rules that were read.
    pub rules: usize,
}

/// Translates texts that belong together: dumps of both families, of ipset, scripts.
pub fn translate(sources: &Sources, inputs: &[SourceId], options: Options) -> Translation {
    let mut read = read::Read::default();
    for &id in inputs {
        read::read(sources, id, options.family, &mut read);
    }
    let mut findings = std::mem::take(&mut read.findings);
    let rules = read
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .map(|chain| chain.rules.len())
        .sum();
    let mut translated = 0;
    let mut tables = Vec::new();
    for table in &read.tables {
        let (table, done) = table::translate(table, &read.sets, options, &mut findings);
        tables.push(table);
        translated += done;
    }
    let policies = read
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .any(|chain| chain.policy.is_some());
    let nothing = !read.any || (rules > 0 && translated == 0 && !policies);
    if nothing {
        let at = inputs
            .first()
            .map_or(Span::default(), |&id| Span::new(id, 0, 0));
        let finding = Diagnostic::new(
            Code::NothingToTranslate,
            at,
            "there is nothing of iptables here that could be translated",
        );
        findings.push(finding);
    }
    let order = ["raw", "mangle", "nat", "filter", "security"];
    tables.sort_by_key(|table: &nft::Table| order.iter().position(|name| *name == table.name));
    let mut tables = family::join(tables);
    for chain in tables.iter_mut().flat_map(|table| &mut table.chains) {
        chain.items = merge::chain(std::mem::take(&mut chain.items));
    }
    let origin = inputs
        .first()
        .map_or(Span::default(), |&id| Span::new(id, 0, 0));
    let text = (!nothing).then(|| check::check(&mut tables, origin, &mut findings));
    findings.sort_by_key(|finding| (finding.span().source, finding.span().start));
    Translation {
        text,
        findings,
        rules,
    }
}
