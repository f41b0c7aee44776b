//! The syntax tree of rule files, as the parser yields it.
//!
//! Words are kept as places in the source and resolved by later passes; numbers and addresses are parsed once. Nothing here knows datatypes, and every node has
//! a [`Span`]. Included files and `-D` definitions have been expanded: their commands stand where they take effect.

pub mod dump;
pub mod expr;
pub mod object;
pub mod set_lit;
pub mod stmt;

pub use expr::{BinaryOp, Expr, ExprKind, Integer};
pub use object::*;
pub use set_lit::{Element, PlainToken, PlainTokenKind, SetItem, SetLit};
pub use stmt::*;

use crate::source::{SourceId, Sources, Span};
use serde::Serialize;
use std::sync::Arc;

/// A name or keyword whose meaning later passes look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Word {
    /// Where its text stands.
    #[serde(rename = "text")]
    pub span: Span,
}

impl Word {
    /// Its text.
    pub fn text(self, sources: &Sources) -> &str {
        sources.text(self.span)
    }
}

/// A string in quotes, or a bare word where only a string can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Str {
    /// The text without its quotes and without the wildcard's `*`.
    #[serde(rename = "text")]
    pub span: Span,
    /// Whether it stood in quotes.
    pub quoted: bool,
    /// Whether it ends in an unescaped `*`. An escaped one (`\*`) stays in the text with its backslash.
    pub wildcard: bool,
}

impl Str {
    /// Its text, without quotes and wildcard; `\*` is not resolved.
    pub fn text(self, sources: &Sources) -> &str {
        sources.text(self.span)
    }
}

/// A whole ruleset file with what it includes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct File {
    /// Its commands in order; a `table` block is one.
    pub commands: Vec<Command>,
    /// Every file that was included, with the place of the `include`.
    #[serde(skip)]
    pub includes: Vec<(Span, SourceId)>,
}

/// `define`, and `redefine`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Define {
    /// The variable, without `$`.
    pub name: Word,
    /// A value, a set, or a name. Shared, for rules that use the variable may outlive this tree.
    pub value: Arc<Expr>,
    /// Whether it may replace an earlier definition.
    pub redefine: bool,
}

/// The first word of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Verb {
    /// Also the meaning of a block and of a command without a verb.
    Add,
    /// Like add, but the object must not exist.
    Create,
    /// A rule at the front, or before another.
    Insert,
    /// A rule in the place of another.
    Replace,
    /// The object must exist.
    Delete,
    /// Delete, if it exists.
    Destroy,
}

/// One command of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// The whole command with its block.
    #[serde(skip)]
    pub span: Span,
    /// What it does.
    pub kind: CommandKind,
}

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum CommandKind {
    /// `define x = ...` or `redefine x = ...`.
    Define(Box<Define>),
    /// `undefine x`.
    Undefine(Word),
    /// A table block, or a verb on a table.
    Table(Box<TableCommand>),
    /// A verb on a chain.
    Chain(Box<ChainCommand>),
    /// `rename chain T C NEW`.
    RenameChain(Box<RenameChain>),
    /// A verb on a rule.
    Rule(Box<RuleCommand>),
    /// A verb on a set or map.
    Set(Box<SetCommand>),
    /// A verb on elements.
    Element(Box<ElementCommand>),
    /// A verb on a named counter, quota, ...
    Object(Box<ObjectCommand>),
    /// A verb on a flowtable.
    Flowtable(Box<FlowtableCommand>),
    /// `flush ...`.
    Flush(Box<FlushCommand>),
    /// `list`, `reset`, `get`, `describe`, `monitor`, `export`, `import`: commands that only show, or reset counters.
    Query(Box<QueryCommand>),
}

/// A family and a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TableRef {
    /// Both words.
    #[serde(skip)]
    pub span: Span,
    /// `ip` where it is missing.
    pub family: Option<Word>,
    /// The table's name.
    pub name: Word,
}

/// How an object is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Ident {
    /// By name.
    Name(Word),
    /// `handle N`.
    Handle(Number),
}

impl Ident {
    /// Where it stands.
    pub fn span(self) -> Span {
        match self {
            Self::Name(word) => word.span,
            Self::Handle(number) => number.span,
        }
    }
}

/// A plain number where the language wants one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Number {
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// Its value.
    pub value: u64,
}

/// `table ...`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableCommand {
    /// What to do.
    pub verb: Verb,
    /// The family, also where `id` is a handle.
    pub family: Option<Word>,
    /// Name or handle.
    pub id: Ident,
    /// The block.
    pub body: Option<Vec<TableItem>>,
}

/// `add chain T C { ... }` and others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainCommand {
    /// What to do.
    pub verb: Verb,
    /// The table.
    pub table: TableRef,
    /// Name or handle.
    pub id: Ident,
    /// The block.
    pub body: Option<ChainBody>,
}

/// `rename chain T C NEW`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenameChain {
    /// The table.
    pub table: TableRef,
    /// Old name.
    pub chain: Word,
    /// New name.
    pub new_name: Word,
}

/// Where a rule goes, or which one is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum RulePosition {
    /// `handle N`.
    Handle(Number),
    /// `position N`: an older word for a handle.
    Position(Number),
    /// `index N`, from 0.
    Index(Number),
}

/// `add rule T C ...` and others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleCommand {
    /// What to do.
    pub verb: Verb,
    /// The table.
    pub table: TableRef,
    /// The chain.
    pub chain: Word,
    /// Where, or which.
    pub position: Option<RulePosition>,
    /// The rule; absent on `delete`.
    pub rule: Option<Rule>,
}

/// `add set T S { ... }` and others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetCommand {
    /// What to do.
    pub verb: Verb,
    /// The table.
    pub table: TableRef,
    /// Name or handle.
    pub id: Ident,
    /// Whether the word was `map`.
    pub is_map: bool,
    /// The block.
    pub body: Option<SetBody>,
}

/// `add element T S { ... }` and others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ElementCommand {
    /// What to do.
    pub verb: Verb,
    /// The table.
    pub table: TableRef,
    /// The set or map.
    pub set: Word,
    /// A set literal or a variable.
    pub elements: Expr,
}

/// `add counter T N { ... }` and others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectCommand {
    /// What to do.
    pub verb: Verb,
    /// Which kind of object.
    pub kind: ObjectKind,
    /// The table.
    pub table: TableRef,
    /// Name or handle.
    pub id: Ident,
    /// What it is set to.
    pub body: Option<ObjectBody>,
}

/// `add flowtable T F { ... }` and others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowtableCommand {
    /// What to do.
    pub verb: Verb,
    /// The table.
    pub table: TableRef,
    /// Name or handle.
    pub id: Ident,
    /// The block.
    pub body: Option<Vec<FlowtableItem>>,
}

/// `flush ...`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum FlushCommand {
    /// `flush ruleset [family]`.
    Ruleset {
        /// All families where it is missing.
        family: Option<Word>,
    },
    /// `flush table T`: its rules.
    Table(TableRef),
    /// `flush chain T C`: its rules.
    Chain(TableRef, Word),
    /// `flush set T S`, `flush map T M`, `flush meter T M`: its elements.
    Set(TableRef, Word),
}

/// A command that shows something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueryCommand {
    /// `list`, `reset`, `get`, `describe`, `monitor`, `export`, `import`.
    pub verb: Word,
    /// All its words, the verb first.
    pub words: Vec<Word>,
    /// Elements, of `get element` and `reset element`.
    pub elements: Option<Expr>,
}
