//! `redan list`: a ruleset as nft lists it once it is loaded.

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use redan_lang::list::{self, model::Listing};

use crate::args::{ListArgs, RuleArgs};
use crate::exit::Exit;
use crate::output::terminal::Terminal;
use crate::ruleset::{self, Want};

/// Runs the command.
pub(crate) fn run(args: &ListArgs, terminal: &mut Terminal) -> Result<Exit> {
    let Some(listing) = listing(&args.file, &args.reading, terminal)? else {
        return Ok(Exit::Findings);
    };
    let text = if args.handles {
        list::print_numbered(&listing)
    } else {
        list::print(&listing)
    };
    terminal.write_all(text.as_bytes())?;
    Ok(Exit::Fine)
}

/// The listing of a file; `None` when it is faulty, which stands on stderr then.
pub(super) fn listing(
    path: &Path,
    reading: &RuleArgs,
    terminal: &mut Terminal,
) -> Result<Option<Listing>> {
    let mut checked = ruleset::check(path, reading, Vec::new(), Want::Listing)?;
    let listing = checked.listing.take();
    Ok(ruleset::faultless(&mut checked, terminal).and(listing))
}
