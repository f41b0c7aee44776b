//! What every part of name resolution and type check works on.

use super::names::Names;
use super::scope::{Scope, Scopes};
use crate::ast::{Expr, ExprKind, Word};
use crate::compile::Options;
use crate::datatype::{Type, ValueError};
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::source::{SourceId, Sources, Span};
use crate::typed::{Numbered, Program, SetInfo};
use redan_vm::Ruleset;
use redan_vm::ids::{FileId, SetId, StateId, TableId};
use redan_vm::ruleset::{Origin, Set, StateSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use typed_arena::Arena;

/// Deepest chain of variables in variables.
const MAX_VARIABLE_DEPTH: u32 = 32;

/// All of them, or `None` where one is missing; every one is looked at, so that everything that is wrong in a list is reported.
pub(crate) fn every<T>(found: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let found: Vec<Option<T>> = found.collect();
    found.into_iter().collect()
}

/// State of a compilation.
pub(crate) struct Context<'a> {
    /// The texts.
    pub(crate) sources: &'a Sources,
    /// What the caller wants.
    pub(crate) options: &'a Options,
    /// What comes out.
    pub(crate) ruleset: Ruleset,
    /// What lints see.
    pub(crate) program: Program,
    /// Who is called what.
    pub(crate) names: Names,
    /// What variables stand for. It outlives the syntax tree, whose rules go as soon as they are compiled.
    pub(crate) values: &'a Arena<Arc<Expr>>,
    /// Definitions.
    pub(crate) scopes: Scopes<'a>,
    /// Where variables are looked up.
    pub(crate) scope: Scope,
    /// What is wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Elements of interval sets, before they become boundaries.
    pub(crate) pending: BTreeMap<SetId, crate::sets::Intervals>,
    /// Sets whose declaration is faulty, which has been reported: what uses them is not at fault.
    pub(super) faulty_sets: BTreeSet<(TableId, String)>,
    files: BTreeMap<SourceId, FileId>,
    depth: u32,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        sources: &'a Sources,
        options: &'a Options,
        values: &'a Arena<Arc<Expr>>,
    ) -> Self {
        let mut interfaces = options.interfaces.clone();
        if interfaces.first().is_none_or(|first| first != "lo") {
            interfaces.insert(0, "lo".to_owned());
        }
        let ruleset = Ruleset {
            interfaces,
            ..Ruleset::default()
        };
        Self {
            sources,
            options,
            ruleset,
            program: Program::default(),
            names: Names::default(),
            values,
            scopes: Scopes::default(),
            scope: Scope::default(),
            diagnostics: Vec::new(),
            pending: BTreeMap::new(),
            faulty_sets: BTreeSet::new(),
            files: BTreeMap::new(),
            depth: 0,
        }
    }

    /// What lints see, and what was found.
    pub(crate) fn finish(mut self) -> (Program, Vec<Diagnostic>) {
        self.program.defines = self.scopes.into_uses();
        self.program.notes.live = self.names.into_live();
        (self.program, self.diagnostics)
    }

    /// A word's text.
    pub(crate) fn text(&self, word: Word) -> &'a str {
        self.sources.text(word.span)
    }

    /// Notes a finding.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Notes an error; always `None`, for `return`.
    pub(crate) fn error<T>(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> Option<T> {
        self.report(Diagnostic::new(code, span, message));
        None
    }

    /// Notes an error with a remedy; always `None`.
    pub(crate) fn error_help<T>(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.report(Diagnostic::new(code, span, message).help(help));
        None
    }

    /// Notes an unknown name, with the nearest known one; always `None`.
    pub(crate) fn unknown<'n, T>(
        &mut self,
        code: Code,
        span: Span,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Option<T> {
        let finding = Diagnostic::new(code, span, format!("unknown {what} `{name}`"));
        self.report(suggest(finding, span, name, known));
        None
    }

    /// Notes why a text is no value of a type; always `None`.
    pub(crate) fn value_error<T>(&mut self, span: Span, ty: Type, error: &ValueError) -> Option<T> {
        let text = self.sources.text(span);
        if *error == ValueError::HostName && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return None; // an address out of range, which the parser has reported
        }
        let finding = match error {
            ValueError::Range { value, max } => Diagnostic::new(Code::ValueOutOfRange, span, format!("value {value} exceeds valid range 0-{max}"))
                .note(format!("{} of {} bits", crate::datatype::info(ty.datatype).description, ty.bits)),
            ValueError::Unknown { what, nearest } => {
                let finding = Diagnostic::new(Code::UnknownSymbol, span, format!("`{text}` is no {what}"));
                match nearest {
                    Some(word) => finding.help(format!("did you mean `{word}`?")).fix(format!("replace with `{word}`"), span, *word),
                    None => finding,
                }
            }
            ValueError::HostName => Diagnostic::new(Code::HostName, span, format!("`{text}` is no address"))
                .help("write the address: names are resolved once, when the rules are loaded, and that fails at boot"),
            ValueError::NeedsSystem(what) => Diagnostic::new(Code::UnknownSymbol, span, format!("unknown {what} `{text}`"))
                .help(format!("write the {what}'s number: names depend on the machine that loads the rules")),
            ValueError::Length { max } => Diagnostic::new(Code::BadString, span, format!("{text} has {} bytes: 1 to {max} are possible", text.trim_matches('"').len())),
            ValueError::Time(what) => Diagnostic::new(Code::UnknownSymbol, span, format!("`{text}` is no {what}")),
        };
        self.report(finding);
        None
    }

    /// An expression with variables in front of it followed; the scope changes for the time of `body`.
    pub(crate) fn with_resolved<'e, T>(
        &mut self,
        expr: &'e Expr,
        body: impl FnOnce(&mut Self, &'e Expr) -> Option<T>,
    ) -> Option<T>
    where
        'a: 'e,
    {
        let before = self.scope;
        let resolved = self.resolve(expr);
        let found = resolved.and_then(|(expr, scope)| {
            self.scope = scope;
            self.depth += 1;
            let found = body(self, expr);
            self.depth -= 1;
            found
        });
        self.scope = before;
        found
    }

    /// What a chain of variables stands for, and the scope of its definition.
    pub(crate) fn resolve<'e>(&mut self, expr: &'e Expr) -> Option<(&'e Expr, Scope)>
    where
        'a: 'e,
    {
        let mut at = (expr, self.scope);
        for _ in 0..MAX_VARIABLE_DEPTH {
            let ExprKind::Var(word) = at.0.kind else {
                return Some(at);
            };
            let name = self.text(word);
            if let Some(found) = self.scopes.find(at.1, name) {
                at = found;
            } else if self.scopes.is_refused(at.1, name) {
                return None;
            } else {
                let known = self.scopes.names(at.1);
                return self.unknown(Code::UnknownVariable, word.span, "variable", name, known);
            }
        }
        self.error(
            Code::UnknownVariable,
            expr.span,
            "variables refer to each other without end",
        )
    }

    /// Whether something holds of what a variable stands for, without a word where it is unknown. As a definition sees only those before
    /// it, this comes to an end.
    pub(crate) fn holds_of(
        &mut self,
        variable: Word,
        test: impl FnOnce(&mut Self, &'a Expr) -> bool,
    ) -> bool {
        let name = self.text(variable);
        let Some((value, scope)) = self.scopes.find(self.scope, name) else {
            return false;
        };
        let before = std::mem::replace(&mut self.scope, scope);
        let holds = test(self, value);
        self.scope = before;
        holds
    }

    /// Whether variables and sets nest too deeply to be meant.
    pub(crate) fn too_deep(&self) -> bool {
        self.depth > MAX_VARIABLE_DEPTH
    }

    /// File and line of a place.
    pub(crate) fn origin(&mut self, span: Span) -> Origin {
        let next = FileId(u32::try_from(self.ruleset.files.len()).unwrap_or(u32::MAX));
        let file = *self.files.entry(span.source).or_insert(next);
        if file == next {
            self.ruleset
                .files
                .push(self.sources.name(span.source).to_owned());
        }
        Origin {
            file,
            line: self.sources.line(span.source, span.start),
        }
    }

    /// A slot for a stateful expression.
    pub(crate) fn add_state(&mut self, spec: StateSpec) -> StateId {
        let id = StateId(u32::try_from(self.ruleset.states.len()).unwrap_or(u32::MAX));
        self.ruleset.states.push(spec);
        id
    }

    /// A new set.
    pub(crate) fn add_set(&mut self, set: Set, info: SetInfo) -> SetId {
        let id = SetId(u32::try_from(self.ruleset.sets.len()).unwrap_or(u32::MAX));
        let handles = &mut self.program.notes.handles;
        handles.give(set.table, Numbered::Set(id));
        self.ruleset.sets.push(set);
        self.program.sets.push(info);
        id
    }

    /// What is known of a set.
    pub(crate) fn set_info(&self, id: SetId) -> Option<&SetInfo> {
        self.program.sets.get(id.index())
    }

    /// The index of an interface, a new one where the name is new.
    pub(crate) fn interface(&mut self, name: &str) -> u32 {
        let at = self
            .ruleset
            .interfaces
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                self.ruleset.interfaces.push(name.to_owned());
                self.ruleset.interfaces.len() - 1
            });
        u32::try_from(at + 1).unwrap_or(u32::MAX)
    }

    /// The set that `@name` means.
    pub(crate) fn find_set(&mut self, table: TableId, word: Word) -> Option<SetId> {
        let name = self.text(word);
        if let Some(id) = self.names.set(table, name) {
            if let Some(info) = self.program.sets.get_mut(id.index()) {
                info.used = true;
            }
            return Some(id);
        }
        if self.faulty_sets.contains(&(table, name.to_owned())) {
            return None;
        }
        let known: Vec<String> = self
            .names
            .of(table)
            .map(|names| names.sets.keys().cloned().collect())
            .unwrap_or_default();
        self.unknown(
            Code::UnknownSet,
            word.span,
            "set",
            name,
            known.iter().map(String::as_str),
        )
    }
}

/// Adds did-you-mean to a finding.
pub(crate) fn suggest<'n>(
    finding: Diagnostic,
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    /// As many names as can be listed.
    const FEW: usize = 10;
    /// Other programs' words for fields.
    const ELSEWHERE: [(&str, &str); 11] = [
        ("src", "saddr"),
        ("source", "saddr"),
        ("dst", "daddr"),
        ("dest", "daddr"),
        ("destination", "daddr"),
        ("addr", "saddr"),
        ("port", "dport"),
        ("proto", "protocol"),
        ("tos", "dscp"),
        ("seq", "sequence"),
        ("mss", "size"),
    ];
    let known: Vec<&str> = known.into_iter().collect();
    let elsewhere = ELSEWHERE.iter().find(|(word, _)| *word == name);
    let elsewhere = elsewhere
        .map(|(_, here)| *here)
        .filter(|here| known.contains(here));
    match elsewhere.or_else(|| did_you_mean(name, known.iter().copied())) {
        Some(word) => finding.help(format!("did you mean `{word}`?")).fix(
            format!("replace with `{word}`"),
            span,
            word,
        ),
        None if (1..=FEW).contains(&known.len()) => {
            finding.help(format!("there is: {}", known.join(", ")))
        }
        None => finding,
    }
}
