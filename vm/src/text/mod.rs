//! Bytecode in the form in which `nft --debug=netlink` prints it, words as on a little-endian machine.

mod expression;
mod set;
mod statement;

pub use set::print_set;

use std::fmt::{self, Write};

use crate::ids::{ChainId, RuleId, SetId, StateId};
use crate::instr::{Instr, Verdict};
use crate::ruleset::Ruleset;
use crate::{Data, Reg};

/// Prints a rule: its anonymous sets, `FAMILY TABLE CHAIN`, its instructions, and an empty line. A chain without a name of its own
/// (`jump { ... }`) leaves its place empty.
///
/// # Errors
/// Those of `out`.
pub fn print_rule(ruleset: &Ruleset, rule: RuleId, out: &mut impl Write) -> fmt::Result {
    let Some(rule) = ruleset.rules.get(rule.index()) else {
        return Ok(());
    };
    for id in &rule.sets {
        if let Some(set) = ruleset.sets.get(id.index()) {
            print_set(ruleset, set, out)?;
        }
    }
    let table = ruleset
        .chains
        .get(rule.chain.index())
        .and_then(|chain| ruleset.tables.get(chain.table.index()));
    if let Some(table) = table {
        write!(out, "{} {}", table.family, table.name)?;
    }
    if let Some(name) = chain_name(ruleset, rule.chain) {
        write!(out, " {name}")?;
    }
    out.write_char('\n')?;
    for instr in &rule.code {
        out.write_str("  ")?;
        print_instr(ruleset, instr, out)?;
        out.write_char('\n')?;
    }
    out.write_char('\n')
}

/// Prints every rule, in the order in which the file adds them.
///
/// # Errors
/// Those of `out`.
pub fn print_ruleset(ruleset: &Ruleset, out: &mut impl Write) -> fmt::Result {
    let count = u32::try_from(ruleset.rules.len()).unwrap_or(u32::MAX);
    (0..count).try_for_each(|rule| print_rule(ruleset, RuleId(rule), out))
}

/// Prints one instruction with its brackets: `[ cmp eq reg 1 0x00001600 ]`.
///
/// # Errors
/// Those of `out`.
pub fn print_instr(ruleset: &Ruleset, instr: &Instr, out: &mut impl Write) -> fmt::Result {
    out.write_str("[ ")?;
    if !expression::print(ruleset, instr, out)? {
        statement::print(ruleset, instr, out)?;
    }
    out.write_str(" ]")
}

/// A chain's name, unless it has none of its own.
fn chain_name(ruleset: &Ruleset, chain: ChainId) -> Option<&str> {
    let name = ruleset.chains.get(chain.index())?.name.as_str();
    (!name.is_empty() && !name.starts_with("__chain")).then_some(name)
}

fn set_name(ruleset: &Ruleset, set: SetId) -> &str {
    ruleset
        .sets
        .get(set.index())
        .map_or("?", |set| set.name.as_str())
}

fn object_name(ruleset: &Ruleset, state: StateId) -> &str {
    ruleset
        .objects
        .iter()
        .find(|object| object.state == state)
        .map_or("?", |object| object.name.as_str())
}

fn verdict(ruleset: &Ruleset, verdict: Verdict, out: &mut impl Write) -> fmt::Result {
    let (word, chain) = match verdict {
        Verdict::Accept => ("accept", None),
        Verdict::Drop => ("drop", None),
        Verdict::Continue => ("continue", None),
        Verdict::Return => ("return", None),
        Verdict::Jump(chain) => ("jump", Some(chain)),
        Verdict::Goto(chain) => ("goto", Some(chain)),
    };
    out.write_str(word)?;
    match chain.and_then(|chain| chain_name(ruleset, chain)) {
        Some(name) => write!(out, " -> {name}"),
        None => Ok(()),
    }
}

/// The words of register data, each from up to four bytes.
fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        u32::from_le_bytes(word)
    })
}

/// ` 0x00001600` for each word.
fn operand(data: &Data, out: &mut impl Write) -> fmt::Result {
    words(data.as_bytes()).try_for_each(|word| write!(out, " 0x{word:08x}"))
}

/// ` NAME reg N`, where there is a register.
fn optional_reg(name: &str, reg: Option<Reg>, out: &mut impl Write) -> fmt::Result {
    match reg {
        Some(reg) => write!(out, " {name} reg {}", reg.number()),
        None => Ok(()),
    }
}
