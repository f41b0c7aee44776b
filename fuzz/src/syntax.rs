//! Bytes as a rule file: the tokens tile it, whatever is found wrong has a place in it and can be drawn.

use redan_lang::diag::render::render;
use redan_lang::lex::Lexer;
use redan_lang::source::SourceId;

use super::rules::Read;

/// Reads the input and draws what is wrong with it.
pub fn run(input: &[u8]) {
    let read = Read::new(input);
    let text = read.sources.whole(SourceId(0));
    tiles(text);
    read.has_places_for(&read.findings);
    for command in &read.file.commands {
        read.fits(command.span);
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
