//! Bytes as a rule file: the tokens tile it, whatever is found wrong has a place in it and can be drawn.

use redan_lang::diag::render::render;
use redan_lang::lex::Lexer;
use redan_lang::source::{Sources, Span};

use super::rules::Read;

/// Reads the input and draws what is wrong with it.
pub fn run(input: &[u8]) {
    let read = Read::new(input);
    let text = read.sources.whole(redan_lang::source::SourceId(0));
    tiles(text);
    for finding in &read.findings {
        for label in &finding.labels {
            fits(&read.sources, label.span);
        }
        for (span, _) in finding.fix.iter().flat_map(|fix| &fix.edits) {
            fits(&read.sources, *span);
        }
    }
    for command in &read.file.commands {
        fits(&read.sources, command.span);
    }
    assert!(read.is_sound() || !render(&read.findings, &read.sources, false).is_empty());
    read.tree();
}

/// Every byte is in one token, and no token cuts a character.
fn tiles(text: &str) {
    let mut at = 0;
    for lexeme in Lexer::new(text) {
        assert_eq!(lexeme.start, at, "a gap before a token");
        assert!(lexeme.end > lexeme.start, "an empty token at {at}");
        assert!(
            text.is_char_boundary(lexeme.end as usize),
            "a cut character at {}",
            lexeme.end
        );
        at = lexeme.end;
    }
    assert_eq!(at as usize, text.len(), "a gap at the end");
}

fn fits(sources: &Sources, span: Span) {
    let text = sources.whole(span.source);
    assert!(
        text.get(span.start as usize..span.end as usize).is_some(),
        "{span:?} does not fit a text of {} bytes",
        text.len()
    );
}
