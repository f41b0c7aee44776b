//! The way from a syntax tree to a compiled ruleset.

use crate::ast::File;
use crate::datatype::Clock;
use crate::diag::Diagnostic;
use crate::resolve::{self, Context};
use crate::source::Sources;
use crate::typed::Program;
use redan_vm::Ruleset;
use typed_arena::Arena;

/// What a compilation needs to know beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Local time, for dates and hours in rules.
    pub clock: Clock,
    /// Interface names in order of their indices; `lo` is the first, whether it is named or not.
    pub interfaces: Vec<String>,
    /// Whether loads are merged and shortened as nft does it. Without, every match is one plain field test.
    pub peephole: bool,
    /// Whether rules are kept as syntax tree and as typed statements, for lints and listings: both take more room than the bytecode.
    pub keep_rules: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            interfaces: Vec::new(),
            peephole: true,
            keep_rules: true,
        }
    }
}

/// What a compilation yields.
#[derive(Debug)]
pub struct Compiled {
    /// The ruleset; sound only where no diagnostic is an error.
    pub ruleset: Ruleset,
    /// The same with types and places, for lints.
    pub program: Program,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// Local time, in which dates and hours are listed.
    pub clock: Clock,
}

/// Resolves, checks and compiles a parsed file. All errors are found in one run; what could be compiled is there nevertheless.
/// Without [`Options::keep_rules`] the tree loses its rules.
pub fn analyze(file: &mut File, sources: &Sources, options: &Options) -> Compiled {
    let values = Arena::new();
    let mut cx = Context::new(sources, options, &values);
    resolve::run(&mut cx, file);
    let ruleset = std::mem::take(&mut cx.ruleset);
    let (program, diagnostics) = cx.finish();
    Compiled {
        ruleset,
        program,
        diagnostics,
        clock: options.clock,
    }
}

/// Compiles a parsed file: a ruleset where there are no errors, and what was found.
pub fn compile(
    mut file: File,
    sources: &Sources,
    options: &Options,
) -> (Option<Ruleset>, Vec<Diagnostic>) {
    let options = Options {
        keep_rules: false,
        ..options.clone()
    };
    let compiled = analyze(&mut file, sources, &options);
    let sound = !compiled.diagnostics.iter().any(Diagnostic::is_error);
    (sound.then_some(compiled.ruleset), compiled.diagnostics)
}
