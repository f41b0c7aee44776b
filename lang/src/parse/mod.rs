//! From text to syntax trees: logos and pest share the work.
//!
//! [`crate::lex`] finds tokens, [`crate::cut`] cuts them into lines, blocks and sets, and each line goes to pest as a string with one character a token
//! (`tree.rs`). The builders make syntax trees of parse trees; `blocks.rs` puts lines and blocks together. No mistake in the text stops the parser: it costs one
//! statement and one finding.

mod blocks;
mod build;
mod build_decl;
mod build_expr;
mod build_stmt;
mod explain;
pub mod include;
pub mod literal;
mod tree;

pub use include::{FileLoader, Loader, NoLoader};

use crate::ast::{ChainBody, Element, File, SetLit};
use crate::cut::cursor::{Cursor, Tok};
use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, Sources, Span};
use crate::token;
use build::Builder;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tree::{At, Rule, Shapes};

/// Errors of one file that are reported.
const MAX_ERRORS: usize = 50;

/// What the parsers of a file and of the files that it includes share.
pub(crate) struct Shared<'s> {
    sources: &'s mut Sources,
    loader: &'s dyn Loader,
    shapes: Shapes,
    findings: Vec<Diagnostic>,
    /// Files that are being read, outermost first.
    stack: Vec<PathBuf>,
    /// Every include, in order.
    includes: Vec<(Span, SourceId)>,
}

/// Reads one file.
pub(crate) struct Parser<'a> {
    shared: Shared<'a>,
    pub(crate) source: SourceId,
    text: &'a str,
    pub(crate) cursor: Cursor<'a>,
    /// Tokens of the line that is being cut.
    pub(crate) toks: Vec<Tok>,
    /// Sets that tokens of the line stand for.
    pub(crate) sets: Vec<Option<SetLit>>,
    /// Chains in place that tokens of the line stand for.
    pub(crate) chains: Vec<Option<ChainBody>>,
    /// Whether the line is spoilt; that has been reported.
    pub(crate) dropped: bool,
    /// The brace of a header (in `toks`) that belongs to a block further out.
    pub(crate) pending: Option<Tok>,
    /// Depth of braces.
    pub(crate) depth: usize,
    /// Braces of the blocks that are open.
    pub(crate) opens: Vec<Tok>,
    /// End of the last bad character.
    pub(crate) bad_end: u32,
    errors: usize,
    one_line_block: bool,
}

/// Reads a ruleset: the text of `root`, what it includes, and `defines` (`name=value`, as `-D` gives them) before it. Findings come in the order of their places.
pub fn parse(
    sources: &mut Sources,
    root: SourceId,
    loader: &dyn Loader,
    defines: &[String],
) -> (File, Vec<Diagnostic>) {
    let stack = vec![loader.identity(Path::new(sources.name(root)))];
    let mut shared = Shared {
        sources,
        loader,
        shapes: Shapes::default(),
        findings: Vec::new(),
        stack,
        includes: Vec::new(),
    };
    let mut file = File::default();
    if !defines.is_empty() {
        let mut text = String::new();
        for define in defines {
            text.push_str("define ");
            text.push_str(define);
            text.push('\n');
        }
        let id = shared.sources.add("<command line>", text);
        shared = read_source(shared, id, |parser| parser.commands(&mut file.commands));
    }
    shared = read_source(shared, root, |parser| parser.commands(&mut file.commands));
    file.includes = shared.includes;
    let mut findings = shared.findings;
    findings.sort_by_key(|finding| {
        let span = finding.span();
        (span.source, span.start)
    });
    (file, findings)
}

/// Runs a parser over one source. What is shared moves in and out, so that an include can do the same inside.
fn read_source(
    shared: Shared<'_>,
    source: SourceId,
    read: impl FnOnce(&mut Parser<'_>),
) -> Shared<'_> {
    let text: Arc<String> = shared
        .sources
        .source(source)
        .map(crate::source::Source::shared)
        .unwrap_or_default();
    let Shared {
        sources,
        loader,
        shapes,
        findings,
        stack,
        includes,
    } = shared;
    let mut parser = Parser {
        shared: Shared {
            sources: &mut *sources,
            loader,
            shapes,
            findings,
            stack,
            includes,
        },
        source,
        text: text.as_str(),
        cursor: Cursor::new(text.as_str()),
        toks: Vec::new(),
        sets: Vec::new(),
        chains: Vec::new(),
        dropped: false,
        pending: None,
        depth: 0,
        opens: Vec::new(),
        bad_end: u32::MAX,
        errors: 0,
        one_line_block: false,
    };
    parser.line_ends();
    read(&mut parser);
    parser.last_line();
    let Shared {
        shapes,
        findings,
        stack,
        includes,
        ..
    } = parser.shared;
    Shared {
        sources,
        loader,
        shapes,
        findings,
        stack,
        includes,
    }
}

impl Parser<'_> {
    pub(crate) fn report(&mut self, finding: Diagnostic) {
        if !finding.is_error() {
            self.shared.findings.push(finding);
            return;
        }
        if self.errors > MAX_ERRORS {
            return;
        }
        self.errors += 1;
        if self.errors <= MAX_ERRORS {
            self.shared.findings.push(finding);
            return;
        }
        // what follows is given up, so that a binary file costs no more than its start
        let message = format!("more than {MAX_ERRORS} errors in this file; the rest is not read");
        self.shared.findings.push(Diagnostic::new(
            Code::TooManyErrors,
            finding.span(),
            message,
        ));
        self.cursor.abandon();
    }

    pub(crate) fn slice(&self, tok: Tok) -> &str {
        self.text
            .get(tok.start as usize..tok.end as usize)
            .unwrap_or_default()
    }

    /// The text from an offset on.
    pub(crate) fn text_from(&self, at: u32) -> &str {
        self.text.get(at as usize..).unwrap_or_default()
    }

    pub(crate) fn bad_literal(&mut self, tok: Tok) {
        let Some(kind) = crate::cut::set::plain_kind(tok) else {
            return;
        };
        let finding = build::bad_literal(kind, tok.span(self.source), self.slice(tok));
        self.report(finding);
    }

    /// Parses tokens under an entry rule and hands the tree to `build`; reports what is wrong with them.
    fn build<T>(
        &mut self,
        entry: Rule,
        toks: &[Tok],
        build: impl FnOnce(&mut Builder<'_>, At<'_>) -> Option<T>,
    ) -> Option<T> {
        self.build_all(entry, toks, |builder, mut roots| {
            build(builder, roots.next()?)
        })
    }

    /// Like `build`, for an entry rule with several nodes below it.
    fn build_all<T>(
        &mut self,
        entry: Rule,
        toks: &[Tok],
        build: impl FnOnce(&mut Builder<'_>, tree::Kids<'_>) -> Option<T>,
    ) -> Option<T> {
        let tree = match self
            .shared
            .shapes
            .tree(entry, toks.iter().map(|tok| tok.kind))
        {
            Ok(tree) => tree,
            Err(failure) => {
                let finding = explain::explain(entry, &failure, toks, self.source, self.text);
                self.report(finding);
                return None;
            }
        };
        let mut builder = Builder {
            toks,
            source: self.source,
            text: self.text,
            sets: &mut self.sets,
            chains: &mut self.chains,
            findings: Vec::new(),
        };
        let built = build(&mut builder, At::roots(&tree));
        let findings = builder.findings;
        let told = !findings.is_empty();
        for finding in findings {
            self.report(finding);
        }
        if built.is_none() && !told {
            self.unbuilt(toks);
        }
        built
    }

    /// Grammar and builder disagree, or a chain in place is missing since it was too deep.
    fn unbuilt(&mut self, toks: &[Tok]) {
        let span = toks
            .first()
            .map(|tok| tok.span(self.source))
            .unwrap_or_default();
        self.report(Diagnostic::new(
            Code::SyntaxError,
            span,
            "this statement cannot be read",
        ));
    }

    /// An element of a set that is more than literals.
    pub(crate) fn full_element(&mut self, toks: &[Tok]) -> Option<Element> {
        let first = *toks.first()?;
        let span = toks
            .last()
            .map_or(first, |last| *last)
            .span(self.source)
            .to(first.span(self.source));
        self.build_all(Rule::e_element, toks, |builder, parts| {
            builder.element_of(parts, span)
        })
    }

    /// Windows line ends: nft refuses them without saying why.
    fn line_ends(&mut self) {
        let Some(at) = first_crlf(self.text) else {
            return;
        };
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span::new(self.source, at, at + 1);
        self.report(
            Diagnostic::new(
                Code::CarriageReturn,
                span,
                "this file has Windows line ends (CRLF)",
            )
            .help("nft 1.0.6 refuses them with a bare syntax error; `redan fmt` removes them"),
        );
    }

    fn last_line(&mut self) {
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let Some((start, stop)) = self.cursor.comment else {
            return;
        };
        if stop == end {
            let span = Span::new(self.source, start, stop);
            let finding = Diagnostic::new(
                Code::NoFinalNewline,
                span,
                "the last line is a comment without a newline",
            )
            .help("nft 1.0.6 refuses it; `redan fmt` adds the newline");
            self.report(finding);
        }
    }

    /// Says what nft says of a block closed on the line of its contents; once a file.
    fn closed_on_its_line(&mut self, brace: Tok) {
        if !self.one_line_block {
            self.one_line_block = true;
            let span = brace.span(self.source);
            self.report(
                Diagnostic::new(
                    Code::OneLineBlock,
                    span,
                    "no newline or `;` before this `}`",
                )
                .help("nft 1.0.6 refuses it; `redan fmt` adds the newline"),
            );
        }
    }

    /// What may follow a block's `}`: a newline, `;`, the end of the file, another `}`.
    fn after_block(&mut self) {
        let next = self.cursor.peek();
        match next.kind {
            token::NEWLINE | token::SEMICOLON | token::END => {}
            token::RBRACE => self.closed_on_its_line(next),
            _ => {
                let finding = Diagnostic::new(
                    Code::TrailingTokens,
                    next.span(self.source),
                    "expected a newline or `;` behind the block's `}`",
                )
                .help("nft refuses it; `redan fmt` adds the newline");
                self.report(finding);
            }
        }
    }
}

/// Offset of the first carriage return before a newline.
fn first_crlf(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find('\r')?;
        if text.as_bytes().get(at + 1) == Some(&b'\n') {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Adds a text of bytes to the sources; what is not UTF-8 becomes U+FFFD and a finding; after 50 of them the rest is not read.
pub fn add_bytes(sources: &mut Sources, name: &str, bytes: Vec<u8>) -> (SourceId, Vec<Diagnostic>) {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return (sources.add(name, text), Vec::new()),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    let mut places = Vec::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            places.push((text.len(), chunk.invalid().to_vec()));
            text.push('\u{fffd}');
            if places.len() >= MAX_ERRORS {
                break;
            }
        }
    }
    let id = sources.add(name, text);
    let finding = |(at, bad): (usize, Vec<u8>)| {
        let start = u32::try_from(at).unwrap_or(u32::MAX);
        let hex: Vec<String> = bad.iter().map(|byte| format!("0x{byte:02x}")).collect();
        let span = Span::new(id, start, start.saturating_add(3));
        Diagnostic::new(
            Code::NotUtf8,
            span,
            format!("{} is not UTF-8", hex.join(" ")),
        )
        .help("convert the file, for example with `iconv -f latin1 -t utf-8`")
    };
    (id, places.into_iter().map(finding).collect())
}

#[cfg(test)]
mod tests;
