//! Whether a blank stands between two tokens.

use crate::cut::cursor::Tok;
use crate::token::{self, Kind, keyword};

/// Where in a line the tokens stand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// Inside `{ ... }`.
    pub(super) in_set: bool,
    /// Colons so far in this element.
    pub(super) colons: usize,
    /// The line declares something (`type a : b`), so that its colon stands free.
    pub(super) declares: bool,
    /// The token before the last one.
    pub(super) before: Option<Kind>,
}

/// Whether a kind runs into a sign that follows it without a blank (`a-b` is one word).
fn runs_on(kind: Kind) -> bool {
    kind == token::WORD || kind == token::VAR || kind == token::SET_REF || kind.is_keyword()
}

/// Whether a blank stands between `left` and `right`; `gap` says whether one stood there.
pub(super) fn blank(left: Tok, right: Tok, gap: bool, place: Place) -> bool {
    match (left.kind, right.kind) {
        (_, token::COMMA | token::RPAREN | token::RBRACKET)
        | (token::LPAREN | token::LBRACKET | token::AT, _) => false,
        (token::COMMA, _) => place.in_set,
        (_, token::COLON) => before_colon(left, gap, place),
        (token::COLON, _) => free_colon(place),
        (_, token::DASH) => before_dash(left.kind),
        (token::DASH, _) => place
            .before
            .is_some_and(|kind| runs_on(kind) && !unary(kind)),
        (_, token::SLASH) => before_slash(left.kind, place.before),
        (token::SLASH, _) => {
            place.before.is_some_and(|kind| spaced_slash(kind, None)) && !rate(right.kind)
        }
        (_, token::LBRACKET) => gap || left.kind == keyword("to"),
        _ => gap || !wordy(left.kind) || !wordy(right.kind),
    }
}

/// Tokens that are letters and digits: two of them without a blank are one thing (`1a`).
fn wordy(kind: Kind) -> bool {
    matches!(kind, token::NUMBER | token::TIME | token::WORD)
}

/// Whether `-` behind this kind is a sign, not a range.
fn unary(kind: Kind) -> bool {
    kind == keyword("priority") || kind == token::ASSIGN
}

fn before_dash(left: Kind) -> bool {
    runs_on(left) || unary(left)
}

fn rate(kind: Kind) -> bool {
    [
        keyword("second"),
        keyword("minute"),
        keyword("hour"),
        keyword("day"),
        keyword("week"),
    ]
    .contains(&kind)
}

/// `mbytes/second` is written without blanks, `syn / syn,ack` with them.
fn spaced_slash(left: Kind, _before: Option<Kind>) -> bool {
    let unit = [keyword("bytes"), keyword("kbytes"), keyword("mbytes")].contains(&left);
    (runs_on(left) && !unit) || left == token::RPAREN
}

fn before_slash(left: Kind, before: Option<Kind>) -> bool {
    spaced_slash(left, before)
}

/// In sets and declarations colons stand free; the second one of an element belongs to a class (`1:11`).
fn free_colon(place: Place) -> bool {
    (place.in_set && place.colons <= 1) || place.declares
}

fn before_colon(left: Tok, gap: bool, place: Place) -> bool {
    if place.in_set {
        return place.colons == 0;
    }
    // `to :80`, but `10.0.0.1:80`
    place.declares || left.kind == keyword("to") || (gap && left.kind.is_keyword())
}
