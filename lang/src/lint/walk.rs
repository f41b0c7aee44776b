//! A walk over everything that a file says, for the table of what came with which version.

use crate::ast::{
    ChainBody, ChainItem, Command, CommandKind, Element, Expr, ExprKind, File, FlowtableItem,
    HookSpec, MapData, ObjectBody, ObjectItem, Rule, SetBody, SetBodyItem, SetItem, SetLit, Stmt,
    StmtKind, TableItem, TableItemKind, Target, Verdict, Word,
};
use crate::source::Sources;

/// A part of a file.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    /// A command, before what it holds.
    Command(&'a Command),
    /// A flag of a table.
    TableFlag(Word),
    /// A chain's hook.
    Hook(&'a HookSpec),
    /// Devices of a chain or flowtable.
    Devices(&'a Expr),
    /// A line of a set, and whether it is a map.
    SetLine(&'a SetBodyItem, bool),
    /// An element with more than a key of literals.
    Element(&'a Element),
    /// What is in an object.
    Object(&'a ObjectBody),
    /// A flag of a flowtable.
    FlowtableFlag(Word),
    /// A statement, before its expressions.
    Stmt(&'a Stmt),
    /// An expression, before those in it; of types too (`typeof`).
    Expr(&'a Expr),
}

/// Comes to every part of a file, each with the word of its table's family.
pub(super) fn walk<'a>(
    file: &'a File,
    sources: &'a Sources,
    visit: &mut dyn FnMut(&'a str, Part<'a>),
) {
    for command in &file.commands {
        let word = family_word(&command.kind);
        let family = word.map_or("ip", |word| word.text(sources));
        let mut walk = Walk { family, visit };
        walk.command(command);
    }
}

fn family_word(command: &CommandKind) -> Option<Word> {
    match command {
        CommandKind::Table(c) => c.family,
        CommandKind::Chain(c) => c.table.family,
        CommandKind::Rule(c) => c.table.family,
        CommandKind::Set(c) => c.table.family,
        CommandKind::Element(c) => c.table.family,
        CommandKind::Object(c) => c.table.family,
        CommandKind::Flowtable(c) => c.table.family,
        CommandKind::Define(_)
        | CommandKind::Undefine(_)
        | CommandKind::RenameChain(_)
        | CommandKind::Flush(_)
        | CommandKind::Query(_) => None,
    }
}

struct Walk<'v, 'a> {
    family: &'a str,
    visit: &'v mut dyn FnMut(&'a str, Part<'a>),
}

impl<'a> Walk<'_, 'a> {
    fn see(&mut self, part: Part<'a>) {
        (self.visit)(self.family, part);
    }

    fn command(&mut self, command: &'a Command) {
        self.see(Part::Command(command));
        match &command.kind {
            CommandKind::Define(define) => self.expr(&define.value),
            CommandKind::Table(table) => {
                for item in table.body.iter().flatten() {
                    self.table_item(item);
                }
            }
            CommandKind::Chain(chain) => {
                if let Some(body) = &chain.body {
                    self.chain(body);
                }
            }
            CommandKind::Rule(rule) => {
                if let Some(rule) = &rule.rule {
                    self.rule(rule);
                }
            }
            CommandKind::Set(set) => {
                if let Some(body) = &set.body {
                    self.set(body, set.is_map);
                }
            }
            CommandKind::Element(elements) => self.expr(&elements.elements),
            CommandKind::Object(object) => {
                if let Some(body) = &object.body {
                    self.object(body);
                }
            }
            CommandKind::Flowtable(flowtable) => {
                self.flowtable(flowtable.body.as_deref().unwrap_or_default());
            }
            CommandKind::Undefine(_)
            | CommandKind::RenameChain(_)
            | CommandKind::Flush(_)
            | CommandKind::Query(_) => {}
        }
    }

    fn table_item(&mut self, item: &'a TableItem) {
        match &item.kind {
            TableItemKind::Define(define) => self.expr(&define.value),
            TableItemKind::Flags(flags) => {
                for flag in flags {
                    self.see(Part::TableFlag(*flag));
                }
            }
            TableItemKind::Chain(chain) => self.chain(&chain.body),
            TableItemKind::Set(set) => self.set(&set.body, set.is_map),
            TableItemKind::Object(object) => self.object(&object.body),
            TableItemKind::Flowtable(flowtable) => self.flowtable(&flowtable.items),
            TableItemKind::Undefine(_) | TableItemKind::Comment(_) => {}
        }
    }

    fn chain(&mut self, body: &'a ChainBody) {
        for item in &body.items {
            match item {
                ChainItem::Rule(rule) => self.rule(rule),
                ChainItem::Hook(hook) => {
                    self.see(Part::Hook(hook));
                    if let Some(devices) = &hook.devices {
                        self.see(Part::Devices(devices));
                    }
                }
                ChainItem::Devices(devices) => self.see(Part::Devices(devices)),
                ChainItem::Define(define) => self.expr(&define.value),
                ChainItem::Policy(_)
                | ChainItem::Flags(_)
                | ChainItem::Comment(_)
                | ChainItem::Undefine(_) => {}
            }
        }
    }

    fn set(&mut self, body: &'a SetBody, is_map: bool) {
        for item in &body.items {
            self.see(Part::SetLine(item, is_map));
            match item {
                SetBodyItem::Typeof(of) => {
                    self.expr(&of.key);
                    of.data.iter().for_each(|data| self.expr(data));
                }
                SetBodyItem::Stmt(stmt) => self.stmt(stmt),
                SetBodyItem::Elements(elements) => self.expr(elements),
                SetBodyItem::Define(define) => self.expr(&define.value),
                SetBodyItem::Type(_)
                | SetBodyItem::Flags(_)
                | SetBodyItem::Timeout(..)
                | SetBodyItem::GcInterval(..)
                | SetBodyItem::Size(_)
                | SetBodyItem::Policy(_)
                | SetBodyItem::AutoMerge(_)
                | SetBodyItem::Comment(_)
                | SetBodyItem::Undefine(_) => {}
            }
        }
    }

    fn object(&mut self, body: &'a ObjectBody) {
        self.see(Part::Object(body));
        for item in &body.items {
            if let ObjectItem::Dport(port) = item {
                self.expr(port);
            }
        }
    }

    fn flowtable(&mut self, items: &'a [FlowtableItem]) {
        for item in items {
            match item {
                FlowtableItem::Devices(devices) => self.see(Part::Devices(devices)),
                FlowtableItem::Flags(flags) => {
                    for flag in flags {
                        self.see(Part::FlowtableFlag(*flag));
                    }
                }
                FlowtableItem::Hook(..) | FlowtableItem::Counter => {}
            }
        }
    }

    fn rule(&mut self, rule: &'a Rule) {
        for stmt in &rule.stmts {
            self.stmt(stmt);
        }
    }

    fn verdict(&mut self, verdict: &'a Verdict) {
        match verdict {
            Verdict::Jump(target) | Verdict::Goto(target) => match target {
                Target::Chain(name) => self.expr(name),
                Target::Block(body) => self.chain(body),
            },
            Verdict::Accept
            | Verdict::Drop
            | Verdict::Continue
            | Verdict::Return
            | Verdict::Queue => {}
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        self.see(Part::Stmt(stmt));
        match &stmt.kind {
            StmtKind::Match(m) => {
                self.expr(&m.left);
                self.expr(&m.right);
            }
            StmtKind::Verdict(verdict) => self.verdict(verdict),
            StmtKind::Vmap { key, map } => {
                self.expr(key);
                self.expr(map);
            }
            StmtKind::Log(log) => log.prefix.iter().for_each(|e| self.expr(e)),
            StmtKind::Nat(nat) => {
                let parts = nat.addr.iter().chain(&nat.port);
                parts.for_each(|e| self.expr(e));
            }
            StmtKind::Tproxy { addr, port, .. } => {
                let parts = addr.iter().chain(port);
                parts.for_each(|e| self.expr(e));
            }
            StmtKind::Set { field, value } => {
                self.expr(field);
                self.expr(value);
            }
            StmtKind::Objref { name, .. } => self.expr(name),
            StmtKind::Dynset(dynset) => self.element(&dynset.element),
            StmtKind::Meter(meter) => self.element(&meter.element),
            StmtKind::Queue { num, .. } => num.iter().for_each(|e| self.expr(e)),
            StmtKind::Dup { to, device } | StmtKind::Fwd { to, device, .. } => {
                self.expr(to);
                if let Some(e) = device {
                    self.expr(e);
                }
            }
            StmtKind::Reject(_)
            | StmtKind::Counter { .. }
            | StmtKind::Limit(_)
            | StmtKind::Quota(_)
            | StmtKind::Last { .. }
            | StmtKind::CtCount { .. }
            | StmtKind::Notrack
            | StmtKind::ResetTcpOption { .. }
            | StmtKind::Flow { .. }
            | StmtKind::Synproxy(_)
            | StmtKind::Xt(_) => {}
        }
    }

    fn element(&mut self, element: &'a Element) {
        self.see(Part::Element(element));
        self.expr(&element.key);
        for stmt in &element.stmts {
            self.stmt(stmt);
        }
        element.data.iter().for_each(|data| self.expr(data));
    }

    fn expr(&mut self, expr: &'a Expr) {
        self.see(Part::Expr(expr));
        match &expr.kind {
            ExprKind::Range(two)
            | ExprKind::Prefix(two)
            | ExprKind::Binary(_, two)
            | ExprKind::FlagMatch(two)
            | ExprKind::Map(two) => {
                self.expr(&two.0);
                self.expr(&two.1);
            }
            ExprKind::Set(set) => self.literal(set),
            ExprKind::Concat(parts) | ExprKind::List(parts) => {
                for part in parts {
                    self.expr(part);
                }
            }
            ExprKind::Verdict(verdict) => self.verdict(verdict),
            ExprKind::Inner { field, .. } => self.expr(field),
            ExprKind::Jhash { key, .. } => self.expr(&key.0),
            _ => {}
        }
    }

    fn literal(&mut self, set: &'a SetLit) {
        for item in &set.items {
            if let SetItem::Full(element) = item {
                self.element(element);
            }
        }
    }
}

/// The object that a map's data are.
pub(super) fn data_object(line: &SetBodyItem) -> Option<crate::ast::ObjectKind> {
    match line {
        SetBodyItem::Type(types) => match types.data {
            Some(MapData::Object(kind, _)) => Some(kind),
            _ => None,
        },
        _ => None,
    }
}
