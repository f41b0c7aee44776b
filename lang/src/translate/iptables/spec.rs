//! A rule's words as options: which match or target each belongs to, as getopt and iptables' loading of modules decide it.

use super::module::{self, Given, How, Kind, Module, Opt, Seen, opt};
use super::source::{Entry, Family};
use super::words::Word;
use crate::source::Span;

/// Options that every rule may have.
pub static GENERIC: &[Opt] = &[
    opt(
        &["-s", "--source", "--src"],
        1,
        How::Exact,
        "`ip saddr`, `ip6 saddr`; a list becomes a set",
    ),
    opt(
        &["-d", "--destination", "--dst"],
        1,
        How::Exact,
        "`ip daddr`, `ip6 daddr`",
    ),
    opt(
        &["-i", "--in-interface"],
        1,
        How::Exact,
        "`iifname`; `eth+` becomes `\"eth*\"`",
    ),
    opt(&["-o", "--out-interface"], 1, How::Exact, "`oifname`"),
    opt(
        &["-p", "--protocol", "--proto"],
        1,
        How::Exact,
        "`ip protocol`, `meta l4proto`, or what the ports say already",
    ),
    opt(
        &["-f", "--fragment"],
        0,
        How::Exact,
        "`ip frag-off & 0x1fff != 0`",
    ),
    opt(&["-m", "--match"], 1, How::Exact, "what the match becomes"),
    opt(
        &["-j", "--jump"],
        1,
        How::Exact,
        "what the target becomes, or `jump`",
    ),
    opt(&["-g", "--goto"], 1, How::Exact, "`goto`"),
    opt(
        &["-c", "--set-counters"],
        2,
        How::Exact,
        "`counter packets N bytes M`",
    ),
];

/// Where a rule goes.
pub(super) enum Target {
    /// Nowhere: it counts.
    None,
    /// A target of iptables.
    Module(Seen),
    /// A chain.
    Chain {
        /// Its name.
        name: Word,
        /// Whether it is gone to and not jumped to.
        goto: bool,
    },
}

/// A rule understood option by option.
pub(super) struct Spec {
    /// `-s`, `-d` and their like.
    pub(super) generic: Vec<Given>,
    /// Matches, in order.
    pub(super) matches: Vec<Seen>,
    /// The target.
    pub(super) target: Target,
}

/// What cannot be understood: where, and what is wrong.
pub(super) type Fault = (Span, String);

/// Understands a rule.
///
/// # Errors
/// The first option that is not known, or lacks what must follow it.
pub(super) fn read(
    entry: &Entry,
    family: Family,
    is_chain: &dyn Fn(&str) -> bool,
) -> Result<Spec, Fault> {
    let mut reader = Reader {
        family,
        is_chain,
        spec: Spec {
            generic: Vec::new(),
            matches: Vec::new(),
            target: Target::None,
        },
        target_is_last: false,
    };
    let words = split_equals(&entry.words);
    let mut words = words.iter().peekable();
    let mut not = None;
    while let Some(word) = words.next() {
        if word.text == "!" {
            not = Some(word.span);
            continue;
        }
        if !word.text.starts_with('-') || word.text.len() < 2 {
            return Err((word.span, format!("`{}` belongs to no option", word.text)));
        }
        let (place, row, attached) = reader.find(word)?;
        let mut given = Given {
            opt: row,
            not: not.is_some(),
            args: Vec::new(),
            span: not.unwrap_or(word.span).to(word.span),
        };
        not = None;
        given.args.extend(attached);
        while given.args.len() < row.args {
            let Some(argument) = words.next() else {
                return Err((word.span, format!("something must follow `{}`", word.text)));
            };
            given.span = given.span.to(argument.span);
            if argument.text == "!" {
                // the place of the exclamation mark before iptables 1.4.3
                given.not = true;
            } else {
                given.args.push(argument.clone());
            }
        }
        reader.take(place, given)?;
    }
    if let Some(span) = not {
        return Err((span, "`!` stands before no option".to_owned()));
    }
    Ok(reader.spec)
}

/// `--option=value` is two words.
fn split_equals(words: &[Word]) -> Vec<Word> {
    let mut out = Vec::with_capacity(words.len());
    for word in words {
        match word
            .text
            .strip_prefix("--")
            .and_then(|text| text.split_once('='))
        {
            Some((option, value)) => {
                out.push(Word {
                    text: format!("--{option}"),
                    ..word.clone()
                });
                out.push(Word {
                    text: value.to_owned(),
                    ..word.clone()
                });
            }
            None => out.push(word.clone()),
        }
    }
    out
}

/// Whose option it is.
#[derive(Clone, Copy)]
enum Place {
    Generic,
    Match(usize),
    Target,
}

type Found = (Place, &'static Opt, Option<Word>);

struct Reader<'a> {
    family: Family,
    /// Chains go before targets of the same name.
    is_chain: &'a dyn Fn(&str) -> bool,
    spec: Spec,
    target_is_last: bool,
}

impl Reader<'_> {
    fn find(&mut self, word: &Word) -> Result<Found, Fault> {
        let text = word.text.as_str();
        if let Some(row) = GENERIC.iter().find(|row| row.names.contains(&text)) {
            return Ok((Place::Generic, row, None));
        }
        if let Some(found) = self.loaded(|row| row.names.contains(&text)) {
            return Ok(found);
        }
        if !text.starts_with("--") {
            // getopt: the value may follow a letter at once
            let row = GENERIC.iter().find(|row| {
                row.args == 1
                    && row
                        .names
                        .iter()
                        .any(|name| name.len() == 2 && text.starts_with(name))
            });
            return match row.zip(text.get(2..)) {
                Some((row, value)) => Ok((
                    Place::Generic,
                    row,
                    Some(Word {
                        text: value.to_owned(),
                        ..word.clone()
                    }),
                )),
                None => Err((word.span, format!("no option is called `{text}`"))),
            };
        }
        if let Some(found) = self.by_protocol(text) {
            return Ok(found);
        }
        // getopt: a name may be cut short
        let short = |row: &Opt| row.names.iter().any(|name| name.starts_with(text));
        if let Some(found) = self.loaded(short) {
            return Ok(found);
        }
        if let Some(row) = GENERIC.iter().find(|row| short(row)) {
            return Ok((Place::Generic, row, None));
        }
        Err((
            word.span,
            format!("no match or target of this rule has an option `{text}`"),
        ))
    }

    /// An option of what was loaded, the last first.
    fn loaded(&self, is: impl Fn(&Opt) -> bool) -> Option<Found> {
        let of = |module: &'static Module| module.options.iter().find(|row| is(row));
        let target = || match &self.spec.target {
            Target::Module(seen) => of(seen.module).map(|row| (Place::Target, row, None)),
            Target::None | Target::Chain { .. } => None,
        };
        let matches = || {
            let found =
                |(at, seen): (usize, &Seen)| Some((Place::Match(at), of(seen.module)?, None));
            self.spec.matches.iter().enumerate().rev().find_map(found)
        };
        if self.target_is_last {
            target().or_else(matches)
        } else {
            matches().or_else(target)
        }
    }

    /// An option of the protocol's own match, which need not be named.
    fn by_protocol(&mut self, text: &str) -> Option<Found> {
        let protocol = self
            .spec
            .generic
            .iter()
            .find(|given| given.name() == "-p")?;
        let module = module::find(Kind::Match, self.family, &protocol.value().to_lowercase())?;
        let row = module
            .options
            .iter()
            .find(|row| row.names.iter().any(|name| name.starts_with(text)))?;
        let span = protocol.span;
        self.spec.matches.push(Seen {
            module,
            span,
            options: Vec::new(),
        });
        Some((Place::Match(self.spec.matches.len() - 1), row, None))
    }

    fn take(&mut self, place: Place, given: Given) -> Result<(), Fault> {
        match place {
            Place::Match(at) => {
                if let Some(seen) = self.spec.matches.get_mut(at) {
                    seen.options.push(given);
                }
            }
            Place::Target => {
                if let Target::Module(seen) = &mut self.spec.target {
                    seen.options.push(given);
                }
            }
            Place::Generic => return self.generic(given),
        }
        Ok(())
    }

    fn generic(&mut self, given: Given) -> Result<(), Fault> {
        let Some(word) = given.args.first().cloned() else {
            self.spec.generic.push(given);
            return Ok(());
        };
        let span = given.span;
        match given.name() {
            "-m" => {
                let Some(module) = module::find(Kind::Match, self.family, &word.text) else {
                    return Err((word.span, format!("no match is called `{}`", word.text)));
                };
                if let How::Refused(why) = module.how {
                    return Err((word.span, why.to_owned()));
                }
                self.spec.matches.push(Seen {
                    module,
                    span,
                    options: Vec::new(),
                });
                self.target_is_last = false;
            }
            "-j" => {
                let is_chain = (self.is_chain)(&word.text);
                let module = module::find(Kind::Target, self.family, &word.text);
                self.spec.target = match module
                    .filter(|_| !is_chain)
                    .map(|module| (module, module.how))
                {
                    Some((_, How::Refused(why))) => return Err((word.span, why.to_owned())),
                    Some((module, _)) => Target::Module(Seen {
                        module,
                        span,
                        options: Vec::new(),
                    }),
                    None => Target::Chain {
                        name: word,
                        goto: false,
                    },
                };
                self.target_is_last = true;
            }
            "-g" => {
                self.spec.target = Target::Chain {
                    name: word,
                    goto: true,
                }
            }
            _ => self.spec.generic.push(given),
        }
        Ok(())
    }
}
