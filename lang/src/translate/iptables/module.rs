//! What a match or a target of iptables is: a table of its options, each with how well nft says it, and the function that says it.

use super::build::Build;
use super::source::Family;
use super::words::Word;
use crate::source::Span;

/// How well nft says what an option says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The same.
    Exact,
    /// Nearly the same: what differs.
    Approximated(&'static str),
    /// Not at all: why.
    Refused(&'static str),
}

/// An option.
#[derive(Debug)]
pub struct Opt {
    /// Its names, the usual one first.
    pub names: &'static [&'static str],
    /// How many words follow it.
    pub args: usize,
    /// How well nft says it.
    pub how: How,
    /// What it becomes.
    pub nft: &'static str,
}

/// Whether a module matches or does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Behind `-m`.
    Match,
    /// Behind `-j`.
    Target,
}

/// A match or a target.
pub struct Module {
    /// Its names, the usual one first.
    pub names: &'static [&'static str],
    /// Which of both it is.
    pub kind: Kind,
    /// The only program that has it, if not both.
    pub family: Option<Family>,
    /// How well nft says it as a whole.
    pub how: How,
    /// What it becomes, where that does not depend on an option.
    pub nft: &'static str,
    /// Its options.
    pub options: &'static [Opt],
    /// Says it in nft's words.
    pub(super) write: fn(&mut Build<'_>, &Seen),
}

/// A row: names, number of words behind it, how, what it becomes.
pub(super) const fn opt(
    names: &'static [&'static str],
    args: usize,
    how: How,
    nft: &'static str,
) -> Opt {
    Opt {
        names,
        args,
        how,
        nft,
    }
}

/// A match of both families that nft says exactly.
pub(super) const fn a_match(
    names: &'static [&'static str],
    options: &'static [Opt],
    write: fn(&mut Build<'_>, &Seen),
) -> Module {
    Module {
        names,
        kind: Kind::Match,
        family: None,
        how: How::Exact,
        nft: "",
        options,
        write,
    }
}

/// A target of both families that nft says exactly.
pub(super) const fn a_target(
    names: &'static [&'static str],
    nft: &'static str,
    options: &'static [Opt],
    write: fn(&mut Build<'_>, &Seen),
) -> Module {
    Module {
        names,
        kind: Kind::Target,
        family: None,
        how: How::Exact,
        nft,
        options,
        write,
    }
}

/// A module that nft has nothing for.
pub(super) const fn refused(
    kind: Kind,
    names: &'static [&'static str],
    why: &'static str,
) -> Module {
    Module {
        names,
        kind,
        family: None,
        how: How::Refused(why),
        nft: "",
        options: &[],
        write: |_, _| {},
    }
}

impl Module {
    /// The same, for one of the programs alone.
    pub(super) const fn only(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }

    /// The same, with a way in which it differs.
    pub(super) const fn differs(mut self, how: &'static str) -> Self {
        self.how = How::Approximated(how);
        self
    }

    /// The same, with what it becomes without options.
    pub(super) const fn becomes(mut self, nft: &'static str) -> Self {
        self.nft = nft;
        self
    }
}

/// An option as a rule has it.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// Its row.
    pub(super) opt: &'static Opt,
    /// Whether a `!` stands before it.
    pub(super) not: bool,
    /// What follows it.
    pub(super) args: Vec<Word>,
    /// All of it.
    pub(super) span: Span,
}

impl Given {
    /// The first word behind it; empty where there is none.
    pub(super) fn value(&self) -> &str {
        self.args.first().map_or("", |word| &word.text)
    }

    /// The second word behind it.
    pub(super) fn second(&self) -> &str {
        self.args.get(1).map_or("", |word| &word.text)
    }

    /// Its usual name.
    pub(super) fn name(&self) -> &'static str {
        self.opt.names.first().copied().unwrap_or("")
    }
}

/// A module as a rule has it.
pub(super) struct Seen {
    /// Its tables.
    pub(super) module: &'static Module,
    /// Where it is named, or first used.
    pub(super) span: Span,
    /// Its options, in order.
    pub(super) options: Vec<Given>,
}

impl Seen {
    /// An option by its usual name.
    pub(super) fn get(&self, name: &str) -> Option<&Given> {
        self.options.iter().find(|given| given.name() == name)
    }

    /// Whether an option stands there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// What follows an option, if it stands there.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(Given::value)
    }
}

/// Every module, in the order of the page.
pub fn modules() -> impl Iterator<Item = &'static Module> {
    super::matches::GROUPS
        .iter()
        .chain(super::targets::GROUPS)
        .copied()
        .flatten()
}

/// The module of this name; the families may have their own each.
pub(super) fn find(kind: Kind, family: Family, name: &str) -> Option<&'static Module> {
    modules().find(|module| {
        module.kind == kind
            && module.family.is_none_or(|only| only == family)
            && module.names.contains(&name)
    })
}
