//! Reading: dumps of iptables-save, single commands, scripts of them, ipset's dumps, and lines of other programs among them.

use super::ipset::{self, Sets};
use super::source::{Chain, Counts, Entry, Family, Table, is_builtin, is_table};
use super::words::{Cutter, End, Word, Words};
use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, Sources, Span};

/// All that was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Tables, in the order in which they are spoken of.
    pub(super) tables: Vec<Table>,
    /// ipset's sets.
    pub(super) sets: Sets,
    /// What could not be read.
    pub(super) findings: Vec<Diagnostic>,
    /// Whether anything was read at all.
    pub(super) any: bool,
}

/// Reads one text into what was read before.
pub(super) fn read(sources: &Sources, id: SourceId, family: Option<Family>, into: &mut Read) {
    let text = sources.whole(id);
    let family = family.unwrap_or_else(|| guess(sources.name(id), text));
    let mut reader = Reader {
        id,
        family,
        table: "filter".to_owned(),
        counted: false,
        lines: 0,
        begun: None,
        foreign: None,
        read: into,
    };
    let mut offset = 0;
    for line in joined_lines(text) {
        reader.line(offset, line);
        offset += u32::try_from(line.len()).unwrap_or(u32::MAX);
    }
    reader.end_table();
}

/// Lines with their ends; one that ends with a backslash goes on in the next.
fn joined_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = 0;
        loop {
            let line = rest.get(end..).unwrap_or_default();
            let len = line.find('\n').map_or(line.len(), |at| at + 1);
            end += len;
            let body = line
                .get(..len)
                .unwrap_or_default()
                .trim_end_matches(['\n', '\r']);
            if !body.ends_with('\\') || end >= rest.len() {
                break;
            }
        }
        let (line, more) = rest.split_at(end);
        rest = more;
        Some(line)
    })
}

/// The family of a dump that does not say it: by its name, or by addresses that only one family has.
fn guess(name: &str, text: &str) -> Family {
    let file = name.rsplit('/').next().unwrap_or(name);
    let says = ["ip6tables", "rules.v6", "ip6t"]
        .iter()
        .any(|word| file.contains(word));
    let v6_words = [
        "-p ipv6-icmp",
        "-p icmpv6",
        "-m icmp6",
        "icmp6-",
        "-m hl ",
        "-m rt ",
    ];
    let has_v6 = || {
        text.lines()
            .filter(|line| line.starts_with("-A") || line.starts_with('['))
            .any(|line| {
                v6_words.iter().any(|word| line.contains(word))
                    || line
                        .split(' ')
                        .zip(line.split(' ').skip(1))
                        .any(|(option, value)| {
                            matches!(option, "-s" | "-d") && value.matches(':').count() > 1
                        })
            })
    };
    if says || has_v6() {
        Family::V6
    } else {
        Family::V4
    }
}

struct Reader<'r> {
    id: SourceId,
    family: Family,
    table: String,
    counted: bool,
    /// Where the table began that no COMMIT has ended yet.
    begun: Option<Span>,
    /// Lines so far.
    lines: u64,
    /// The last line of another program, and how many there are in its run.
    foreign: Option<(u64, u64)>,
    read: &'r mut Read,
}

/// What a command does to a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Append,
    Insert,
    Delete,
    Replace,
    New,
    Remove,
    Flush,
    Policy,
    Rename,
    /// Lists, zeroes, checks: nothing changes.
    Look,
}

const VERBS: &[(&str, &str, Verb)] = &[
    ("-A", "--append", Verb::Append),
    ("-I", "--insert", Verb::Insert),
    ("-D", "--delete", Verb::Delete),
    ("-R", "--replace", Verb::Replace),
    ("-N", "--new-chain", Verb::New),
    ("-X", "--delete-chain", Verb::Remove),
    ("-F", "--flush", Verb::Flush),
    ("-P", "--policy", Verb::Policy),
    ("-E", "--rename-chain", Verb::Rename),
    ("-L", "--list", Verb::Look),
    ("-S", "--list-rules", Verb::Look),
    ("-Z", "--zero", Verb::Look),
    ("-C", "--check", Verb::Look),
];

/// Names under which iptables is called.
const PROGRAMS: &[(&str, Family)] = &[
    ("iptables", Family::V4),
    ("iptables-nft", Family::V4),
    ("iptables-legacy", Family::V4),
    ("iptables-translate", Family::V4),
    ("ip6tables", Family::V6),
    ("ip6tables-nft", Family::V6),
    ("ip6tables-legacy", Family::V6),
    ("ip6tables-translate", Family::V6),
];

/// What may stand in front of a command and changes nothing of it.
const WRAPPERS: &[&str] = &["sudo", "exec", "command", "then", "do", "else"];

impl Reader<'_> {
    fn say(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.read
            .findings
            .push(Diagnostic::new(code, span, message));
        #[expect(clippy::expect_used, reason = "pushed just above")]
        self.read.findings.last_mut().expect("there is one")
    }

    fn span(&self, offset: u32, line: &str) -> Span {
        let blanks = line.len() - line.trim_start().len();
        let start = offset + u32::try_from(blanks).unwrap_or(0);
        let len = u32::try_from(line.trim().len()).unwrap_or(u32::MAX);
        Span::new(self.id, start, start + len)
    }

    fn line(&mut self, offset: u32, line: &str) {
        self.lines += 1;
        let body = line.trim();
        let span = self.span(offset, line);
        if let Some(comment) = body.strip_prefix('#') {
            self.comment(comment);
        } else if let Some(table) = body.strip_prefix('*').map(str::trim)
            && is_table(table)
        {
            self.end_table();
            self.begun = Some(span);
            table.clone_into(&mut self.table);
            self.counted = false;
            self.table_mut();
            self.read.any = true;
        } else if let Some(chain) = body.strip_prefix(':') {
            self.declaration(chain, span);
        } else if body == "COMMIT" {
            self.begun = None;
        } else if !body.is_empty() {
            self.commands(offset, line, span);
        }
    }

    /// The input ends, or another table begins.
    fn end_table(&mut self) {
        if let Some(span) = self.begun.take() {
            let message = format!("the table `{}` does not end in COMMIT", self.table);
            self.read.findings.push(
                Diagnostic::new(Code::UnfinishedTable, span, message)
                    .note("the input may have been cut off, and rules behind its end are missing"),
            );
        }
    }

    /// `# Generated by ip6tables-save v1.8` says whose rules follow.
    fn comment(&mut self, text: &str) {
        if text.contains("Generated by ip6tables") {
            self.family = Family::V6;
        } else if text.contains("Generated by iptables") {
            self.family = Family::V4;
        }
    }

    fn table_mut(&mut self) -> &mut Table {
        let (family, name) = (self.family, &self.table);
        let tables = &mut self.read.tables;
        let is = |table: &Table| table.family == family && table.name == *name;
        let at = tables.iter().position(is).unwrap_or_else(|| {
            tables.push(Table {
                family,
                name: name.clone(),
                chains: Vec::new(),
                counted: false,
            });
            tables.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
        &mut tables[at]
    }

    /// `:INPUT DROP [5:800]`.
    fn declaration(&mut self, text: &str, span: Span) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [name, policy, counts @ ..] = words.as_slice() else {
            self.say(
                Code::ForeignLine,
                span,
                "not a chain's declaration, so it is left out",
            );
            return;
        };
        let counts = counts.first().and_then(|text| read_counts(text));
        let policy = (*policy != "-").then(|| (*policy).to_owned());
        if let Some(policy) = &policy
            && !matches!(policy.as_str(), "ACCEPT" | "DROP")
        {
            let message = format!("no policy is called {policy}; the chain accepts");
            self.say(Code::ForeignLine, span, message);
        }
        let chain = self.table_mut().chain(name, span);
        chain.declared = true;
        chain.policy = policy;
        chain.counts = counts;
        self.read.any = true;
    }

    fn commands(&mut self, offset: u32, line: &str, span: Span) {
        let body = line.trim_start();
        let plain = body.starts_with('-') || body.starts_with('[');
        // a backslash at a line's end is a blank; cutting takes it for an escaped newline otherwise
        let text = line.replace("\\\r\n", "   ").replace("\\\n", "  ");
        let mut cutter = Cutter::new(self.id, offset, &text, !plain);
        let mut found = 0;
        while let Some(words) = cutter.next() {
            let Words { list, end } = match words {
                Ok(words) => words,
                Err(_) if !body.contains("tables") && !plain => return self.foreign(span),
                Err(open) => {
                    self.say(
                        Code::ForeignLine,
                        open,
                        "a quote that is not closed; the line is left out",
                    );
                    return;
                }
            };
            found += 1;
            if !self.command(&list, plain) {
                return;
            }
            let next = cutter.rest().split_whitespace().next().unwrap_or_default();
            if end == End::Other && !is_harmless(next) {
                self.say(
                    Code::ForeignLine,
                    span,
                    "what follows `|` runs at times only, so it is left out",
                );
                return;
            }
            if end == End::Other {
                return;
            }
        }
        if found == 0 {
            self.foreign(span);
        }
    }

    /// A line of another program; several of them that follow each other are one finding.
    fn foreign(&mut self, span: Span) {
        let line = self.lines;
        if let Some((last, count)) = &mut self.foreign
            && *last + 1 >= line
            && let Some(finding) = self.read.findings.last_mut()
            && finding.code == Code::ForeignLine
        {
            *count += line - *last;
            *last = line;
            finding.message =
                format!("{count} lines that are not of iptables, so they are left out");
            return;
        }
        self.say(
            Code::ForeignLine,
            span,
            "not a line of iptables, so it is left out",
        );
        self.foreign = Some((line, 1));
    }

    /// One command: a line of a dump, or a call of a program; whether it was one.
    fn command(&mut self, words: &[Word], plain: bool) -> bool {
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return true;
        };
        let span = first.span.to(last.span);
        if plain {
            let counts = first
                .text
                .strip_prefix('[')
                .and_then(|_| read_counts(&first.text));
            let words = if counts.is_some() {
                words.get(1..).unwrap_or_default()
            } else {
                words
            };
            self.counted |= counts.is_some();
            if self.counted {
                self.table_mut().counted = true;
            }
            self.verb(words, span, counts);
            return true;
        }
        let skipped = words
            .iter()
            .take_while(|word| WRAPPERS.contains(&word.text.as_str()))
            .count();
        let words = words.get(skipped..).unwrap_or_default();
        let Some(program) = words.first() else {
            self.foreign(span);
            return false;
        };
        let name = program.text.rsplit('/').next().unwrap_or_default();
        let rest = words.get(1..).unwrap_or_default();
        if let Some((_, family)) = PROGRAMS.iter().find(|(known, _)| *known == name) {
            let (family, table) = (
                std::mem::replace(&mut self.family, *family),
                self.table.clone(),
            );
            "filter".clone_into(&mut self.table);
            self.call(rest, span);
            self.family = family;
            self.table = table;
        } else if name == "ipset" || self.is_of_ipset(words) {
            let rest = if name == "ipset" { rest } else { words };
            let done = ipset::command(rest, &mut self.read.sets);
            self.read.any |= done.is_ok();
            if let Err(message) = done {
                self.say(Code::ForeignLine, span, message);
            }
        } else if program.expands {
            self.say(
                Code::ForeignLine,
                span,
                "the program's name is a variable, so the line is left out",
            )
            .help = Some("write `iptables` in its place".to_owned());
        } else if !is_harmless(name) {
            self.foreign(span);
            return false;
        }
        true
    }

    /// Whether a line is one of `ipset save`, which names no program.
    fn is_of_ipset(&self, words: &[Word]) -> bool {
        let text = |at: usize| words.get(at).map_or("", |word| &word.text);
        match text(0) {
            "create" => text(2).contains(':'),
            "add" => self.read.sets.contains_key(text(1)),
            _ => false,
        }
    }

    /// A call: options that hold for the whole command may stand anywhere.
    fn call(&mut self, words: &[Word], span: Span) {
        if let Some(word) = words.iter().find(|word| word.expands) {
            let message = format!("`{}` is a variable, so the command is left out", word.text);
            self.say(Code::ForeignLine, word.span, message).help = Some(
                "write its value, or run the script and translate what iptables-save prints"
                    .to_owned(),
            );
            return;
        }
        let mut rest = Vec::new();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            match word.text.as_str() {
                "-t" | "--table" => {
                    let Some(table) = words.next() else { continue };
                    table.text.clone_into(&mut self.table);
                }
                "-w" | "--wait" | "-W" | "--wait-interval" => {
                    words.next_if(|next| next.text.parse::<f64>().is_ok());
                }
                "-4" | "--ipv4" => self.family = Family::V4,
                "-6" | "--ipv6" => self.family = Family::V6,
                "-v" | "--verbose" | "-n" | "--numeric" | "-x" | "--exact" | "--line-numbers" => {}
                text => match text.strip_prefix("--table=").or(text.strip_prefix("-t")) {
                    Some(table) if !text.starts_with("--t") || text.starts_with("--table=") => {
                        table.clone_into(&mut self.table);
                    }
                    _ => rest.push(word.clone()),
                },
            }
        }
        if !is_table(&self.table) {
            let message = format!(
                "iptables has no table `{}`; the command is left out",
                self.table
            );
            self.say(Code::ForeignLine, span, message);
            return;
        }
        self.table_mut().counted = true;
        self.verb(&rest, span, None);
    }

    fn verb(&mut self, words: &[Word], span: Span, counts: Option<Counts>) {
        // rules for both families (iptables-restore's -4 and -6) and matches may stand before the verb
        let find = |word: &Word| {
            VERBS
                .iter()
                .find(|(short, long, _)| word.text == *short || word.text == *long)
        };
        let at = words.iter().position(|word| find(word).is_some());
        let Some((at, (_, _, verb))) = at.and_then(|at| Some((at, find(words.get(at)?)?))) else {
            return self.foreign(span);
        };
        let mut args: Vec<Word> = words.get(at + 1..).unwrap_or_default().to_vec();
        let chain = match args.first() {
            Some(word) if !word.text.starts_with('-') => Some(args.remove(0)),
            _ => None,
        };
        let mut spec: Vec<Word> = words.get(..at).unwrap_or_default().to_vec();
        let number = match (verb, args.first()) {
            (Verb::Insert | Verb::Delete | Verb::Replace, Some(word)) => {
                word.text.parse::<usize>().ok()
            }
            _ => None,
        };
        if number.is_some() {
            args.remove(0);
        }
        self.read.any |= chain.is_some() || matches!(verb, Verb::Flush | Verb::Remove);
        let word = args.first().map(|word| word.text.clone());
        spec.extend(args);
        let entry = Entry {
            words: spec,
            span,
            counts,
        };
        self.apply(
            *verb,
            chain,
            Said {
                number,
                word,
                entry,
            },
        );
    }

    fn apply(&mut self, verb: Verb, chain: Option<Word>, said: Said) {
        let span = said.entry.span;
        let Some(name) = chain else {
            return self.whole_table(verb, span);
        };
        let table = self.table_mut();
        match verb {
            Verb::Look => {}
            Verb::Remove => table.chains.retain(|known| known.name != name.text),
            Verb::Append
            | Verb::Insert
            | Verb::Delete
            | Verb::Replace
            | Verb::New
            | Verb::Flush
            | Verb::Policy
            | Verb::Rename => {
                let chain = table.chain(&name.text, name.span);
                if let Some(problem) = change(chain, verb, said) {
                    self.say(Code::ForeignLine, span, problem);
                }
            }
        }
    }

    /// A command that names no chain.
    fn whole_table(&mut self, verb: Verb, span: Span) {
        let table = self.table_mut();
        if verb == Verb::Flush {
            for chain in &mut table.chains {
                chain.rules.clear();
            }
        } else if verb == Verb::Remove {
            let name = table.name.clone();
            table
                .chains
                .retain(|chain| is_builtin(&name, &chain.name) || !chain.rules.is_empty());
        } else if verb != Verb::Look {
            self.foreign(span);
        }
    }
}

/// Does to a chain what a command says; what is wrong with it.
fn change(
    chain: &mut Chain,
    verb: Verb,
    Said {
        number,
        word,
        entry,
    }: Said,
) -> Option<&'static str> {
    match verb {
        Verb::Append => chain.rules.push(entry),
        Verb::Insert => {
            let at = number.unwrap_or(1).max(1) - 1;
            let len = chain.rules.len();
            chain.rules.insert(at.min(len), entry);
            return (at > len).then_some("the chain has fewer rules; the rule is put behind them");
        }
        Verb::Delete | Verb::Replace => {
            let same = |known: &Entry| texts(&known.words).eq(texts(&entry.words));
            let at = match number {
                Some(number) => number.checked_sub(1),
                None => chain.rules.iter().position(same),
            };
            let Some(at) = at.filter(|at| *at < chain.rules.len()) else {
                return Some("the chain has no such rule; the command is left out");
            };
            let new = (verb == Verb::Replace).then_some(entry);
            chain.rules.splice(at..=at, new);
        }
        Verb::New => chain.declared = true,
        Verb::Flush => chain.rules.clear(),
        Verb::Policy => chain.policy = word,
        Verb::Rename => chain.name = word.unwrap_or_else(|| chain.name.clone()),
        Verb::Look | Verb::Remove => {}
    }
    None
}

/// What a command says beside its chain.
struct Said {
    number: Option<usize>,
    word: Option<String>,
    entry: Entry,
}

fn texts(words: &[Word]) -> impl Iterator<Item = &str> {
    words.iter().map(|word| word.text.as_str())
}

/// `[5:800]`.
fn read_counts(text: &str) -> Option<Counts> {
    let (packets, bytes) = text.strip_prefix('[')?.strip_suffix(']')?.split_once(':')?;
    Some((packets.parse().ok()?, bytes.parse().ok()?))
}

/// Commands of a script that have nothing to do with packets: an echo is not worth a warning.
fn is_harmless(name: &str) -> bool {
    matches!(
        name,
        "echo" | "exit" | "fi" | "done" | "set" | "modprobe" | "true" | ":" | "esac" | "printf"
    )
}
