//! What is compiled, as text, for `redan compile --emit`.

use std::fmt::Write as _;

use cranelift_codegen::ir::Function;
use redan_vm::Ruleset;

use crate::chunk::{Chunk, cut};
use crate::generate::Generator;
use crate::{JitError, guarded};

/// The ruleset in Cranelift's intermediate form.
///
/// # Errors
/// As [`Jit::compile`](crate::Jit::compile).
pub fn emit_clif(ruleset: &Ruleset) -> Result<String, JitError> {
    emit(ruleset, |generator, name, chunk| {
        let mut function = Function::new();
        generator.chunk(name, chunk, &mut function);
        Ok(function.display().to_string())
    })
}

/// The ruleset in this machine's assembly language.
///
/// # Errors
/// As [`Jit::compile`](crate::Jit::compile).
pub fn emit_asm(ruleset: &Ruleset) -> Result<String, JitError> {
    emit(ruleset, |generator, name, chunk| {
        generator.assembly(name, chunk)
    })
}

/// One text a function, under a line that says which rules it holds.
fn emit(
    ruleset: &Ruleset,
    mut text: impl FnMut(&mut Generator<'_>, u32, &Chunk) -> Result<String, JitError>,
) -> Result<String, JitError> {
    guarded(|| {
        let mut generator = Generator::new(ruleset)?;
        let mut out = String::new();
        for (name, chunk) in (0_u32..).zip(cut(ruleset)) {
            let title = title(ruleset, name, &chunk);
            let text = text(&mut generator, name, &chunk)?;
            // Writing to a string does not fail.
            let _ = writeln!(out, "; {title}\n{}\n", text.trim_end());
        }
        Ok(out)
    })
}

/// Family, table and chain of a chunk, and where its rules stand.
fn title(ruleset: &Ruleset, name: u32, chunk: &Chunk) -> String {
    let rule = |id: Option<&redan_vm::ids::RuleId>| id.and_then(|id| ruleset.rules.get(id.index()));
    let first = rule(chunk.rules.first());
    let chain_index = first.map_or(name as usize, |rule| rule.chain.index());
    let Some(chain) = ruleset.chains.get(chain_index) else {
        return String::new();
    };
    let (family, table) = ruleset
        .tables
        .get(chain.table.index())
        .map_or(("", ""), |table| (table.family.word(), table.name.as_str()));
    let mut title = format!("{family} {table} {}", chain.name);
    if let (Some(first), Some(last)) = (first, rule(chunk.rules.last())) {
        let _ = write!(
            title,
            ", lines {} to {}",
            first.origin.line, last.origin.line
        );
    }
    title
}
