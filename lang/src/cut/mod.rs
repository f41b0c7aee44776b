//! Cutting a file into statements, blocks and sets before pest sees anything.
//!
//! Braces are ambiguous in nft's language (block, set, chain in place), so the cutter decides by a statement's first words what a `{` opens. It also owns
//! recovery: a statement that cannot be read costs itself, a lost brace costs one message.

pub(crate) mod cursor;
pub(crate) mod line;
pub(crate) mod set;

/// What kind of block a line stands in, or opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// The file itself.
    Top,
    Table,
    Chain,
    Set,
    Object,
    /// The encapsulation of a tunnel object.
    Tunnel,
    Flowtable,
}

impl Block {
    /// How messages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Top => "file",
            Self::Table => "table",
            Self::Chain => "chain",
            Self::Set => "set",
            Self::Object => "object",
            Self::Tunnel => "encapsulation",
            Self::Flowtable => "flowtable",
        }
    }
}

/// Depth of braces and parentheses that is read; deeper ones are reported and skipped.
pub(crate) const MAX_DEPTH: usize = 16;

/// Tokens of one statement (a set counts as one) that are read.
pub(crate) const MAX_TOKENS: usize = 16_384;
