//! pest on token strings, and the cache of parse trees by shape.
//!
//! A parse tree depends on nothing but the kinds of a statement's tokens, so it is kept by them, with token indices for places: 50,000 rules have a few dozen
//! shapes. Where a statement fails, it is parsed once more with pest's error detail to learn which tokens were expected.

use crate::token::Kind;
use pest::Parser as _;
use pest::iterators::Pair;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::{Mutex, Once};

mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "grammar/terminals.pest"]
    #[grammar = "grammar/expr.pest"]
    #[grammar = "grammar/stmt.pest"]
    #[grammar = "grammar/decl.pest"]
    pub(crate) struct Grammar;
}

pub(crate) use grammar::Rule;

/// One node of a parse tree. Trees are kept in preorder: a node's descendants follow it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) rule: Rule,
    /// Index of its first token.
    pub(crate) start: u32,
    /// Index behind its last token.
    pub(crate) end: u32,
    /// Number of nodes, itself included.
    size: u32,
}

/// A node with what is below it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'n> {
    node: Node,
    below: &'n [Node],
}

impl<'n> At<'n> {
    fn of(nodes: &'n [Node]) -> Option<(Self, &'n [Node])> {
        let (node, rest) = nodes.split_first()?;
        let (below, after) = rest.split_at_checked((node.size as usize).checked_sub(1)?)?;
        Some((Self { node: *node, below }, after))
    }

    /// All nodes of the tree's top.
    pub(crate) fn roots(nodes: &'n [Node]) -> Kids<'n> {
        Kids(nodes)
    }

    pub(crate) fn rule(self) -> Rule {
        self.node.rule
    }

    pub(crate) fn node(self) -> Node {
        self.node
    }

    /// Its children in order.
    pub(crate) fn kids(self) -> Kids<'n> {
        Kids(self.below)
    }

    /// Its first child.
    pub(crate) fn first(self) -> Option<Self> {
        self.kids().next()
    }

    /// Its first child that `rule` made.
    pub(crate) fn kid(self, rule: Rule) -> Option<Self> {
        self.kids().find(|kid| kid.rule() == rule)
    }
}

/// Children of a node.
#[derive(Debug, Clone)]
pub(crate) struct Kids<'n>(&'n [Node]);

impl<'n> Iterator for Kids<'n> {
    type Item = At<'n>;

    fn next(&mut self) -> Option<At<'n>> {
        let (at, after) = At::of(self.0)?;
        self.0 = after;
        Some(at)
    }
}

/// Why a statement is not in the grammar.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failure {
    /// Index of the token that does not fit; the number of tokens at the end.
    pub(crate) at: usize,
    /// Tokens that would fit.
    pub(crate) expected: Vec<Kind>,
    /// Groups of tokens that would fit, first and last.
    pub(crate) groups: Vec<(Kind, Kind)>,
    /// Whether the statement was given up because reading it took too long.
    pub(crate) gave_up: bool,
}

/// Calls of grammar rules for one statement, above which it is given up. The longest statements that people write need a few thousand.
const CALL_LIMIT: usize = 2_000_000;

/// Shapes to keep; a file made to have more starts over.
const MAX_SHAPES: usize = 1 << 15;

/// UTF-8 length of the characters that stand for tokens.
const CHAR_LEN: usize = 3;

/// Parse trees by entry rule and token kinds.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    known: HashMap<Box<[u16]>, Rc<[Node]>>,
    key: Vec<u16>,
}

impl Shapes {
    /// The tree of a token sequence under an entry rule.
    pub(crate) fn tree(
        &mut self,
        entry: Rule,
        kinds: impl Iterator<Item = Kind>,
    ) -> Result<Rc<[Node]>, Failure> {
        self.key.clear();
        self.key.push(entry as u16);
        self.key.extend(kinds.map(|kind| kind.0));
        if let Some(tree) = self.known.get(self.key.as_slice()) {
            return Ok(Rc::clone(tree));
        }
        let text: String = self
            .key
            .iter()
            .skip(1)
            .map(|&kind| Kind(kind).char())
            .collect();
        let tree: Rc<[Node]> = read(entry, &text)?.into();
        if self.known.len() >= MAX_SHAPES {
            self.known.clear();
        }
        self.known
            .insert(self.key.as_slice().into(), Rc::clone(&tree));
        Ok(tree)
    }
}

fn read(entry: Rule, text: &str) -> Result<Vec<Node>, Failure> {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(NonZeroUsize::new(CALL_LIMIT)));
    match grammar::Grammar::parse(entry, text) {
        Ok(pairs) => {
            let mut nodes = Vec::new();
            // below the entry rule stands what the caller wants, then the end of input
            for pair in pairs.flat_map(Pair::into_inner) {
                flatten(pair, &mut nodes);
            }
            Ok(nodes)
        }
        Err(_) => Err(explain(entry, text)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "statements are cut off at 16,384 tokens"
)]
fn flatten(pair: Pair<'_, Rule>, nodes: &mut Vec<Node>) {
    if pair.as_rule() == Rule::EOI {
        return;
    }
    let at = nodes.len();
    let span = pair.as_span();
    nodes.push(Node {
        rule: pair.as_rule(),
        start: (span.start() / CHAR_LEN) as u32,
        end: (span.end() / CHAR_LEN) as u32,
        size: 0,
    });
    for kid in pair.into_inner() {
        flatten(kid, nodes);
    }
    let size = nodes.len() - at;
    if let Some(node) = nodes.get_mut(at) {
        node.size = size as u32;
    }
}

/// Parses again for the tokens that were expected. pest's switch for that belongs to the whole process, hence the lock; a parse on another thread meanwhile is only slower.
fn explain(entry: Rule, text: &str) -> Failure {
    static SWITCH: Mutex<()> = Mutex::new(());
    let guard = SWITCH.lock();
    pest::set_error_detail(true);
    let result = grammar::Grammar::parse(entry, text);
    pest::set_error_detail(false);
    drop(guard);
    let mut failure = Failure::default();
    let Err(error) = result else {
        return failure;
    };
    if let pest::error::ErrorVariant::CustomError { .. } = error.variant {
        failure.gave_up = true;
        return failure;
    }
    let Some(attempts) = error.parse_attempts() else {
        return failure;
    };
    failure.at = attempts.max_position / CHAR_LEN;
    for token in attempts.expected_tokens() {
        // pest does not export the token's type; it prints as the character, or as `first..last`
        let text = token.to_string();
        let mut chars = text.chars().filter_map(Kind::of_char);
        match (chars.next(), chars.next()) {
            (Some(first), Some(last)) => failure.groups.push((first, last)),
            (Some(kind), None) => failure.expected.push(kind),
            (None, _) => {}
        }
    }
    failure
}
