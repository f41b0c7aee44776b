//! A packet's way through hooks, chains and rules: as a tree for people, as JSON for programs.

pub(crate) mod json;
mod lines;
pub(crate) mod text;
mod words;

use redan_runtime::{OutFrame, Report, Site};
use redan_vm::Ruleset;

use crate::way::{Step, Texts};

/// What a way is told of.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// The rules.
    pub(crate) ruleset: &'a Ruleset,
    /// Their text.
    pub(crate) texts: &'a Texts,
    /// The ports.
    pub(crate) site: &'a Site,
}

/// A packet, its way, and what became of it.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    /// The packet in words, and its port.
    pub(crate) packet: &'a str,
    /// Its steps.
    pub(crate) steps: &'a [Step],
    /// What became of it.
    pub(crate) report: &'a Report,
    /// Every frame that left because of it.
    pub(crate) out: &'a [OutFrame],
}
