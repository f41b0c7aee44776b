//! Files, blocks and includes: the loops that cut lines, have them built, and put the trees together.
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a path to a method of the builder would fix its lifetime"
)]

use super::build_decl::{Common, Line, TableLine};
use super::tree::Rule;
use super::{Parser, Shared, add_bytes, read_source};
use crate::ast::{
    ChainBlock, ChainBody, ChainItem, Command, CommandKind, Define, FlowtableBlock, FlowtableItem,
    Ident, ObjectBlock, ObjectBody, ObjectItem, SetBlock, SetBody, SetBodyItem, Str, TableItem,
    TableItemKind, Word,
};
use crate::cut::Block;
use crate::cut::cursor::Tok;
use crate::cut::line::Cut;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::token;
use std::path::Path;

/// Includes in includes; nft's limit.
const MAX_INCLUDE_DEPTH: usize = 16;

/// Files of one ruleset. Depth alone would let 16 files that each include the next one twice be 65,536.
const MAX_INCLUDES: usize = 4096;

/// What a block's next line is.
enum Step {
    /// A line in `toks`, which opens a block where there is a brace.
    Line(Option<(Block, Tok)>),
    End,
}

impl Parser<'_> {
    /// The next line of a block. `open` is the block's brace; None at the top of a file.
    fn step(&mut self, block: Block, open: Option<Tok>) -> Step {
        loop {
            match self.cut(block) {
                Cut::Line => return Step::Line(None),
                Cut::Open(inner, brace) => return Step::Line(Some((inner, brace))),
                Cut::Close | Cut::Unwind if open.is_some() => return Step::End,
                Cut::Close => {
                    let end = self.cursor.peek().start;
                    self.stray_brace(end);
                }
                Cut::End => {
                    if let Some(open) = open {
                        let span = open.span(self.source);
                        let message = format!("this {} is not closed", block.name());
                        self.report(
                            Diagnostic::new(Code::UnclosedBrace, span, message)
                                .help("a `}` is missing below"),
                        );
                    }
                    return Step::End;
                }
                Cut::Unwind => {
                    // an included file holds lines of a block, not the block that this header needs
                    if let Some(brace) = self.pending.take() {
                        self.too_deep_skip(brace);
                    }
                }
            }
        }
    }

    fn stray_brace(&mut self, behind: u32) {
        let start = self
            .text
            .get(..behind as usize)
            .and_then(|text| text.rfind('}'));
        let start = start.map_or(behind, |at| u32::try_from(at).unwrap_or(u32::MAX));
        let span = Span::new(self.source, start, start.saturating_add(1));
        self.report(
            Diagnostic::new(Code::StrayBrace, span, "this `}` closes nothing")
                .help("remove it, or look for a block above that is closed too early"),
        );
    }

    /// Runs `read` inside a block's braces and returns their span.
    fn inside(&mut self, open: Tok, read: impl FnOnce(&mut Self)) -> Span {
        self.depth += 1;
        self.opens.push(open);
        read(self);
        self.opens.pop();
        self.depth -= 1;
        let end = self.cursor.last_end().max(open.end);
        Span::new(self.source, open.start, end)
    }

    /// Forgets the sets and chains of lines that have been built.
    fn forget(&mut self, kept: (usize, usize)) {
        self.sets.truncate(kept.0);
        self.chains.truncate(kept.1);
    }

    fn kept(&self) -> (usize, usize) {
        (self.sets.len(), self.chains.len())
    }

    // ---- the file

    /// Reads the commands of a file.
    pub(super) fn commands(&mut self, commands: &mut Vec<Command>) {
        loop {
            let kept = self.kept();
            let Step::Line(open) = self.step(Block::Top, None) else {
                return;
            };
            self.command(open, commands);
            self.forget(kept);
        }
    }

    fn command(&mut self, open: Option<(Block, Tok)>, commands: &mut Vec<Command>) {
        let toks = std::mem::take(&mut self.toks);
        let start = toks
            .first()
            .map_or(Span::default(), |tok| tok.span(self.source));
        let line = if self.dropped {
            None
        } else {
            self.build(Rule::e_command, &toks, |builder, at| builder.command(at))
        };
        let mut span = toks
            .last()
            .map_or(start, |tok| start.to(tok.span(self.source)));
        self.toks = toks;
        let mut kind = match line {
            Some(Line::Item(kind)) => Some(kind),
            Some(Line::Common(Common::Define(define))) => Some(CommandKind::Define(define)),
            Some(Line::Common(Common::Undefine(word))) => Some(CommandKind::Undefine(word)),
            Some(Line::Common(Common::Include(path))) => {
                self.include(path, |parser| parser.commands(commands));
                None
            }
            None => None,
        };
        if let Some((block, brace)) = open {
            span = span.to(self.command_body(block, brace, &mut kind));
        }
        commands.extend(kind.map(|kind| Command { span, kind }));
    }

    /// Reads the block of a command and puts it into the command, if there is one.
    fn command_body(&mut self, block: Block, brace: Tok, kind: &mut Option<CommandKind>) -> Span {
        match block {
            Block::Top | Block::Table => {
                let (items, span) = self.table_body(brace);
                if let Some(CommandKind::Table(table)) = kind {
                    table.body = Some(items);
                }
                span
            }
            Block::Chain => {
                let body = self.chain_body(brace);
                let span = body.span;
                if let Some(CommandKind::Chain(chain)) = kind {
                    chain.body = Some(body);
                }
                span
            }
            Block::Set => {
                let body = self.set_body(brace);
                let span = body.span;
                if let Some(CommandKind::Set(set)) = kind {
                    set.body = Some(body);
                }
                span
            }
            Block::Object | Block::Tunnel => {
                let body = self.object_body(brace);
                let span = body.span;
                if let Some(CommandKind::Object(object)) = kind {
                    object.body = Some(body);
                }
                span
            }
            Block::Flowtable => {
                let (items, span) = self.flowtable_body(brace);
                if let Some(CommandKind::Flowtable(flowtable)) = kind {
                    flowtable.body = Some(items);
                }
                span
            }
        }
    }

    // ---- tables

    fn table_body(&mut self, open: Tok) -> (Vec<TableItem>, Span) {
        let mut items = Vec::new();
        let span = self.inside(open, |parser| parser.table_lines(&mut items, Some(open)));
        self.after_block();
        (items, span)
    }

    fn table_lines(&mut self, items: &mut Vec<TableItem>, open: Option<Tok>) {
        loop {
            let kept = self.kept();
            let Step::Line(inner) = self.step(Block::Table, open) else {
                return;
            };
            self.table_line(inner, items);
            self.forget(kept);
        }
    }

    fn table_line(&mut self, inner: Option<(Block, Tok)>, items: &mut Vec<TableItem>) {
        let toks = std::mem::take(&mut self.toks);
        let start = toks
            .first()
            .map_or(Span::default(), |tok| tok.span(self.source));
        let mut span = toks
            .last()
            .map_or(start, |tok| start.to(tok.span(self.source)));
        let line = if self.dropped {
            None
        } else {
            self.build(Rule::e_table_line, &toks, |builder, at| {
                builder.table_line(at)
            })
        };
        self.toks = toks;
        let kind = if let Some((block, brace)) = inner {
            let (kind, end) = self.table_block(block, brace, line.as_ref());
            span = span.to(end);
            kind
        } else {
            self.table_item(line, span, items)
        };
        items.extend(kind.map(|kind| TableItem { span, kind }));
    }

    /// A line without a block.
    fn table_item(
        &mut self,
        line: Option<TableLine>,
        span: Span,
        items: &mut Vec<TableItem>,
    ) -> Option<TableItemKind> {
        match line? {
            TableLine::Item(kind) => Some(kind),
            TableLine::Common(Common::Define(define)) => Some(TableItemKind::Define(define)),
            TableLine::Common(Common::Undefine(word)) => Some(TableItemKind::Undefine(word)),
            TableLine::Common(Common::Include(path)) => {
                self.include(path, |parser| parser.table_lines(items, None));
                None
            }
            TableLine::Chain(_)
            | TableLine::Set { .. }
            | TableLine::Object { .. }
            | TableLine::Flowtable(_) => {
                let end = Span::new(span.source, span.end, span.end);
                self.report(
                    Diagnostic::new(Code::SyntaxError, end, "expected `{` behind the name")
                        .related(span, "the block of this"),
                );
                None
            }
        }
    }

    /// A line with its block.
    fn table_block(
        &mut self,
        block: Block,
        brace: Tok,
        line: Option<&TableLine>,
    ) -> (Option<TableItemKind>, Span) {
        match block {
            Block::Top | Block::Table => {
                let (_, span) = self.table_body(brace);
                (None, span)
            }
            Block::Chain => {
                let body = self.chain_body(brace);
                let span = body.span;
                let Some(&TableLine::Chain(name)) = line else {
                    return (None, span);
                };
                (
                    Some(TableItemKind::Chain(Box::new(ChainBlock { name, body }))),
                    span,
                )
            }
            Block::Set => {
                let body = self.set_body(brace);
                let span = body.span;
                let Some(&TableLine::Set { name, is_map }) = line else {
                    return (None, span);
                };
                (
                    Some(TableItemKind::Set(Box::new(SetBlock {
                        name,
                        is_map,
                        body,
                    }))),
                    span,
                )
            }
            Block::Object | Block::Tunnel => {
                let body = self.object_body(brace);
                let span = body.span;
                let Some(&TableLine::Object { kind, name }) = line else {
                    return (None, span);
                };
                (
                    Some(TableItemKind::Object(Box::new(ObjectBlock {
                        kind,
                        name,
                        body,
                    }))),
                    span,
                )
            }
            Block::Flowtable => {
                let (items, span) = self.flowtable_body(brace);
                let Some(&TableLine::Flowtable(name)) = line else {
                    return (None, span);
                };
                (
                    Some(TableItemKind::Flowtable(Box::new(FlowtableBlock {
                        id: Ident::Name(name),
                        items,
                    }))),
                    span,
                )
            }
        }
    }

    // ---- chains, sets, objects, flowtables

    /// Reads a chain behind its `{`.
    fn chain_body(&mut self, open: Tok) -> ChainBody {
        let body = self.chain_in_braces(open);
        self.after_block();
        body
    }

    /// Reads a chain behind its `{`; what follows its `}` may be the rest of a rule.
    pub(crate) fn chain_in_braces(&mut self, open: Tok) -> ChainBody {
        let mut body = ChainBody::default();
        body.span = self.inside(open, |parser| {
            parser.chain_lines(&mut body.items, Some(open));
        });
        body
    }

    fn chain_lines(&mut self, items: &mut Vec<ChainItem>, open: Option<Tok>) {
        self.lines(Block::Chain, open, |parser, toks| {
            let line = parser.build(Rule::e_chain_line, toks, |builder, at| {
                builder.chain_line(at)
            });
            parser.common(
                line,
                items,
                ChainItem::Define,
                ChainItem::Undefine,
                |parser, items, open| parser.chain_lines(items, open),
            );
        });
    }

    fn set_body(&mut self, open: Tok) -> SetBody {
        let mut body = SetBody::default();
        let before = self.errors;
        body.span = self.inside(open, |parser| parser.set_lines(&mut body.items, Some(open)));
        body.spoilt = self.errors > before;
        self.after_block();
        body
    }

    fn set_lines(&mut self, items: &mut Vec<SetBodyItem>, open: Option<Tok>) {
        self.lines(Block::Set, open, |parser, toks| {
            let lines = parser.build_all(Rule::e_set_line, toks, |builder, parts| {
                parts
                    .map(|part| builder.set_line(part))
                    .collect::<Option<Vec<_>>>()
            });
            for line in lines.into_iter().flatten() {
                parser.common(
                    Some(line),
                    items,
                    SetBodyItem::Define,
                    SetBodyItem::Undefine,
                    |parser, items, open| {
                        parser.set_lines(items, open);
                    },
                );
            }
        });
    }

    fn object_body(&mut self, open: Tok) -> ObjectBody {
        let mut body = ObjectBody::default();
        let mut items = Vec::new();
        body.span = self.inside(open, |parser| {
            parser.object_lines(Block::Object, open, &mut items);
        });
        body.items = items;
        self.after_block();
        body
    }

    /// The lines of an object. Of all objects only a tunnel has a block inside.
    fn object_lines(&mut self, block: Block, open: Tok, items: &mut Vec<ObjectItem>) {
        loop {
            let kept = self.kept();
            let Step::Line(inner) = self.step(block, Some(open)) else {
                return;
            };
            let rule = if inner.is_some() {
                Rule::e_tunnel_kind
            } else {
                Rule::e_object_line
            };
            let toks = std::mem::take(&mut self.toks);
            self.build_all(rule, &toks, |builder, lines| {
                builder.object_lines(lines, items)
            });
            self.toks = toks;
            self.forget(kept);
            if let Some((inner, brace)) = inner {
                let mut lines = Vec::new();
                self.inside(brace, |parser| {
                    parser.object_lines(inner, brace, &mut lines);
                });
                if let Some(ObjectItem::TunnelKind(_, of)) = items.last_mut() {
                    *of = lines;
                }
            }
        }
    }

    fn flowtable_body(&mut self, open: Tok) -> (Vec<FlowtableItem>, Span) {
        let mut items = Vec::new();
        let span = self.inside(open, |parser| {
            parser.lines(Block::Flowtable, Some(open), |parser, toks| {
                items.extend(parser.build(Rule::e_flowtable_line, toks, |builder, at| {
                    builder.flowtable_line(at)
                }));
            });
        });
        self.after_block();
        (items, span)
    }

    /// Cuts the lines of a block in which no blocks open, and hands over their tokens.
    fn lines(&mut self, block: Block, open: Option<Tok>, mut each: impl FnMut(&mut Self, &[Tok])) {
        loop {
            let kept = self.kept();
            let Step::Line(_) = self.step(block, open) else {
                return;
            };
            let toks = std::mem::take(&mut self.toks);
            each(self, &toks);
            self.toks = toks;
            self.forget(kept);
        }
    }

    /// Takes in a line that may be an include.
    fn common<T>(
        &mut self,
        line: Option<Line<T>>,
        items: &mut Vec<T>,
        define: fn(Box<Define>) -> T,
        undefine: fn(Word) -> T,
        lines: fn(&mut Parser<'_>, &mut Vec<T>, Option<Tok>),
    ) {
        match line {
            None => {}
            Some(Line::Item(item)) => items.push(item),
            Some(Line::Common(Common::Define(value))) => items.push(define(value)),
            Some(Line::Common(Common::Undefine(word))) => items.push(undefine(word)),
            Some(Line::Common(Common::Include(path))) => {
                self.include(path, |parser| lines(parser, items, None));
            }
        }
    }

    // ---- includes

    /// Reads the files that an include means.
    fn include(&mut self, path: Str, mut read: impl FnMut(&mut Parser<'_>)) {
        let span = path.span;
        let mut name = self
            .text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
            .to_owned();
        if path.wildcard {
            name.push('*');
        }
        if self.shared.stack.len() > MAX_INCLUDE_DEPTH {
            let message = format!("includes nested deeper than {MAX_INCLUDE_DEPTH}");
            self.report(Diagnostic::new(Code::IncludeTooDeep, span, message));
            return;
        }
        for file in self.shared.loader.resolve(&name) {
            self.include_file(span, &file, &mut read);
        }
    }

    fn include_file(&mut self, span: Span, path: &Path, read: &mut impl FnMut(&mut Parser<'_>)) {
        if self.shared.includes.len() >= MAX_INCLUDES {
            let message = format!("more than {MAX_INCLUDES} included files");
            self.report(Diagnostic::new(Code::IncludeTooDeep, span, message));
            return;
        }
        let identity = self.shared.loader.identity(path);
        let shown = path.display().to_string();
        if self.shared.stack.contains(&identity) {
            let message = format!("`{shown}` includes itself");
            self.report(
                Diagnostic::new(Code::IncludeLoop, span, message).help("remove this include"),
            );
            return;
        }
        let bytes = match self.shared.loader.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("cannot read `{shown}`: {error}");
                self.report(
                    Diagnostic::new(Code::IncludeNotFound, span, message)
                        .help("paths are relative to the directory of the file that is read, then to the `-I` directories, `/etc` and the working directory"),
                );
                return;
            }
        };
        let (id, findings) = add_bytes(self.shared.sources, &shown, bytes);
        self.shared.findings.extend(findings);
        self.shared.includes.push((span, id));
        self.shared.stack.push(identity);
        self.with_shared(|shared| read_source(shared, id, |parser| read(parser)));
        self.shared.stack.pop();
    }

    /// Lends what is shared to another parser.
    fn with_shared(&mut self, lend: impl FnOnce(Shared<'_>) -> Shared<'_>) {
        let shared = &mut self.shared;
        let lent = Shared {
            sources: &mut *shared.sources,
            loader: shared.loader,
            shapes: std::mem::take(&mut shared.shapes),
            findings: std::mem::take(&mut shared.findings),
            stack: std::mem::take(&mut shared.stack),
            includes: std::mem::take(&mut shared.includes),
        };
        let Shared {
            shapes,
            findings,
            stack,
            includes,
            ..
        } = lend(lent);
        shared.shapes = shapes;
        shared.findings = findings;
        shared.stack = stack;
        shared.includes = includes;
    }

    /// Skips a block that cannot be read where it stands.
    fn too_deep_skip(&mut self, brace: Tok) {
        let span = brace.span(self.source);
        self.report(Diagnostic::new(
            Code::MissingBrace,
            span,
            "a block like this cannot stand in this included file",
        ));
        let mut depth = 1_usize;
        while depth > 0 {
            match self.cursor.next().kind {
                token::LBRACE => depth += 1,
                token::RBRACE => depth -= 1,
                token::END => return,
                _ => {}
            }
        }
    }
}
