//! Building commands and the lines of blocks. What opens a block is built without its body; the parser puts it in.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "pest's enum of rules has a variant for every token"
)]

use super::build::Builder;
use super::build_stmt::object_kind;
use super::literal;
use super::tree::{At, Rule as R};
use crate::ast::{
    ChainCommand, ChainItem, CommandKind, Define, ElementCommand, Expr, ExprKind, FlowtableCommand,
    FlowtableItem, FlushCommand, HookSpec, Ident, MapData, ObjectBody, ObjectCommand, ObjectItem,
    ObjectKind, Priority, QueryCommand, RenameChain, RuleCommand, RulePosition, SetBodyItem,
    SetCommand, SetItem, SetLit, SetType, SetTypeof, Str, TableCommand, TableItemKind, Verb, Word,
};
use crate::diag::{Code, Diagnostic};
use crate::token;
use std::sync::Arc;

/// A line that may stand in any block.
pub(super) enum Common {
    Define(Box<Define>),
    Undefine(Word),
    Include(Str),
}

/// A line of a table.
pub(super) enum TableLine {
    Common(Common),
    Item(TableItemKind),
    Chain(Word),
    Set { name: Word, is_map: bool },
    Object { kind: ObjectKind, name: Word },
    Flowtable(Word),
}

/// A line of another block.
pub(super) enum Line<T> {
    Common(Common),
    Item(T),
}

impl Builder<'_> {
    fn common(&mut self, at: At<'_>) -> Option<Common> {
        Some(match at.rule() {
            R::define => Common::Define(Box::new(Define {
                name: self.name(at.kid(R::word)?),
                redefine: at.kid(R::redefine).is_some(),
                value: Arc::new(self.define_value(at.kid(R::define_value)?.first()?)?),
            })),
            R::undefine => Common::Undefine(self.word(at.first()?)),
            R::include => {
                let mut span = self.span(at);
                // the string is the last token
                span.start = self
                    .toks
                    .get((at.node().end as usize).checked_sub(1)?)?
                    .start;
                Common::Include(literal::string(span, self.slice(span)))
            }
            _ => return None,
        })
    }

    fn define_value(&mut self, at: At<'_>) -> Option<Expr> {
        if at.rule() == R::right {
            return self.right(at);
        }
        Some(Expr {
            span: self.span(at),
            kind: ExprKind::Symbol(self.word(at)),
        })
    }

    fn flags(&self, at: At<'_>) -> Vec<Word> {
        at.kids().map(|kid| self.word(kid)).collect()
    }

    pub(super) fn table_line(&mut self, at: At<'_>) -> Option<TableLine> {
        Some(match at.rule() {
            R::comment => TableLine::Item(TableItemKind::Comment(self.string(at.first()?))),
            R::flags => TableLine::Item(TableItemKind::Flags(self.flags(at))),
            R::in_chain => TableLine::Chain(self.name(at.first()?)),
            R::in_set | R::in_map => TableLine::Set {
                name: self.name(at.first()?),
                is_map: at.rule() == R::in_map,
            },
            R::in_flowtable => TableLine::Flowtable(self.name(at.first()?)),
            R::in_object => {
                let kind = object_kind(at.first()?.rule())?;
                TableLine::Object {
                    kind,
                    name: self.name(at.kid(R::word)?),
                }
            }
            _ => TableLine::Common(self.common(at)?),
        })
    }

    pub(super) fn chain_line(&mut self, at: At<'_>) -> Option<Line<ChainItem>> {
        Some(Line::Item(match at.rule() {
            R::rule_body => ChainItem::Rule(Box::new(self.rule(at)?)),
            R::comment => ChainItem::Comment(self.string(at.first()?)),
            R::flags => ChainItem::Flags(self.flags(at)),
            R::hook => ChainItem::Hook(Box::new(self.hook(at)?)),
            R::chain_policy => ChainItem::Policy(Box::new(self.policy(at.first()?))),
            R::devices => ChainItem::Devices(Box::new(self.map_ref(at.first()?)?)),
            _ => return self.common(at).map(Line::Common),
        }))
    }

    fn policy(&mut self, at: At<'_>) -> Expr {
        let span = self.span(at);
        let kind = match self.tok(at).map(|tok| tok.kind) {
            Some(token::VAR) => ExprKind::Var(self.signed_word(at)),
            Some(token::STR) => ExprKind::Str(self.string(at)),
            _ => ExprKind::Symbol(self.word(at)),
        };
        Expr { span, kind }
    }

    fn hook(&mut self, at: At<'_>) -> Option<HookSpec> {
        let mut words = at
            .kids()
            .filter(|kid| kid.rule() == R::word)
            .map(|kid| self.word(kid));
        let (chain_type, hook) = (words.next()?, words.next()?);
        drop(words);
        let devices = match (at.kid(R::device), at.kid(R::devices)) {
            (Some(device), _) => Some(self.lit(device.first()?)),
            (None, Some(devices)) => Some(self.map_ref(devices.first()?)?),
            (None, None) => None,
        };
        let priority = self.priority(at.kid(R::priority)?);
        Some(HookSpec {
            span: self.span(at),
            chain_type,
            hook,
            devices,
            priority,
        })
    }

    fn priority(&mut self, at: At<'_>) -> Priority {
        let span = self.span(at);
        let mut base = None;
        let mut offset: i64 = 0;
        let mut negative = false;
        for kid in at.kids() {
            match kid.rule() {
                R::lit => base = Some(self.lit(kid)),
                R::priority_sign => negative = self.slice(self.span(kid)) == "-",
                _ => {
                    let number = self.number(kid);
                    offset = i64::try_from(number.value).unwrap_or(i64::MAX);
                }
            }
        }
        if negative {
            offset = -offset;
        }
        Priority { span, base, offset }
    }

    pub(super) fn set_line(&mut self, at: At<'_>) -> Option<Line<SetBodyItem>> {
        let span = self.span(at);
        Some(Line::Item(match at.rule() {
            R::comment => SetBodyItem::Comment(self.string(at.first()?)),
            R::flags => SetBodyItem::Flags(self.flags(at)),
            R::set_type => SetBodyItem::Type(self.set_type(at)?),
            R::set_typeof => SetBodyItem::Typeof(self.set_typeof(at)?),
            R::set_timeout => SetBodyItem::Timeout(self.time_ms(at.first()?), span),
            R::set_gc_interval => SetBodyItem::GcInterval(self.time_ms(at.first()?), span),
            R::set_size => SetBodyItem::Size(self.number_in(at)?),
            R::set_policy => SetBodyItem::Policy(self.word(at.first()?)),
            R::set_auto_merge => SetBodyItem::AutoMerge(span),
            R::set_elements => SetBodyItem::Elements(self.map_ref(at.first()?)?),
            R::s_counter | R::s_limit | R::s_quota | R::s_last | R::s_ct_count => {
                SetBodyItem::Stmt(self.stmt(at)?)
            }
            _ => return self.common(at).map(Line::Common),
        }))
    }

    fn set_type(&mut self, at: At<'_>) -> Option<SetType> {
        let mut kids = at.kids();
        let key = self.flags(kids.next()?);
        let data = match kids.last() {
            None => None,
            Some(kid) if kid.rule() == R::types => Some(MapData::Types(self.flags(kid))),
            Some(kid) => Some(MapData::Object(object_kind(kid.rule())?, self.span(kid))),
        };
        Some(SetType {
            key,
            data_interval: at.kid(R::data_interval).is_some(),
            data,
        })
    }

    fn set_typeof(&mut self, at: At<'_>) -> Option<SetTypeof> {
        let mut kids = at.kids();
        let key = self.concat(kids.next()?)?;
        let data = match kids.last() {
            None => None,
            Some(kid) if kid.rule() == R::v_concat => Some(self.concat(kid)?),
            Some(kid) => Some(Expr {
                span: self.span(kid),
                kind: ExprKind::Symbol(self.word(kid)),
            }),
        };
        Some(SetTypeof {
            key,
            data_interval: at.kid(R::data_interval).is_some(),
            data,
        })
    }

    /// A line of an object may hold several parts.
    pub(super) fn object_lines<'n>(
        &mut self,
        lines: impl Iterator<Item = At<'n>>,
        items: &mut Vec<ObjectItem>,
    ) -> Option<()> {
        for at in lines {
            let item = self.object_line(at)?;
            items.push(item);
        }
        Some(())
    }

    fn object_line(&mut self, at: At<'_>) -> Option<ObjectItem> {
        Some(match at.rule() {
            R::comment => ObjectItem::Comment(self.string(at.first()?)),
            R::object_counter => {
                let mut kids = at.kids();
                let packets = self.number(kids.next()?);
                ObjectItem::Counter(packets, self.number(kids.next()?))
            }
            R::quota_body => ObjectItem::Quota(self.quota(at)?),
            R::limit_body => ObjectItem::Limit(self.limit(at)?),
            R::syn_mss | R::syn_wscale | R::syn_timestamp | R::syn_sack_perm => {
                ObjectItem::Synproxy(self.synproxy(std::iter::once(at)))
            }
            R::object_secmark => ObjectItem::Secmark(self.string(at)),
            R::object_helper => {
                ObjectItem::Helper(self.string(at.first()?), self.word(at.kid(R::word)?))
            }
            R::object_protocol => ObjectItem::Protocol(self.word(at.first()?)),
            R::object_l3proto => ObjectItem::L3proto(self.word(at.first()?)),
            R::object_policy => {
                let set = self.take_set(at.first()?)?;
                ObjectItem::TimeoutPolicy(self.timeout_policy(&set))
            }
            R::object_dport => ObjectItem::Dport(self.concat(at.first()?)?),
            R::object_timeout => ObjectItem::Timeout(self.time_ms(at.first()?)),
            R::object_size => ObjectItem::Size(self.number_in(at)?),
            R::tunnel_number => {
                ObjectItem::TunnelNumber(self.word(at.first()?), self.number_in(at)?)
            }
            R::tunnel_addr => ObjectItem::TunnelAddr(
                self.word(at.first()?),
                self.word(at.kid(R::arp_field)?),
                self.lit(at.kid(R::lit)?),
            ),
            R::tunnel_direction => ObjectItem::TunnelDirection(self.word(at.first()?)),
            R::tunnel_option => {
                let mut numbers = at.kids().filter(|kid| kid.rule() == R::num);
                let class = self.number(numbers.next()?);
                let kind = self.number(numbers.next()?);
                ObjectItem::TunnelOption(class, kind, self.string(at.kid(R::text)?))
            }
            R::tunnel_kind => ObjectItem::TunnelKind(self.word(at), Vec::new()),
            _ => return None,
        })
    }

    /// `{ established : 100, close : 4s }`, in seconds.
    fn timeout_policy(&mut self, set: &SetLit) -> Vec<(Word, u64)> {
        let mut policy = Vec::new();
        for item in &set.items {
            let pair = match item {
                SetItem::Full(element) => match (
                    &element.key.kind,
                    element.data.as_ref().map(|data| &data.kind),
                ) {
                    (ExprKind::Symbol(state), Some(ExprKind::Number(secs))) => {
                        Some((*state, u64::try_from(secs.value()).unwrap_or(u64::MAX)))
                    }
                    (ExprKind::Symbol(state), Some(ExprKind::Time(ms))) => {
                        Some((*state, ms / 1000))
                    }
                    _ => None,
                },
                SetItem::Plain { .. } => None,
            };
            match pair {
                Some(pair) => policy.push(pair),
                None => self.findings.push(Diagnostic::new(
                    Code::SyntaxError,
                    set.span,
                    "expected `state : seconds` pairs",
                )),
            }
        }
        policy
    }

    pub(super) fn flowtable_line(&mut self, at: At<'_>) -> Option<FlowtableItem> {
        Some(match at.rule() {
            R::flow_hook => {
                FlowtableItem::Hook(self.word(at.first()?), self.priority(at.kid(R::priority)?))
            }
            R::devices => FlowtableItem::Devices(self.map_ref(at.first()?)?),
            R::flow_counter => FlowtableItem::Counter,
            R::flags => FlowtableItem::Flags(self.flags(at)),
            _ => return None,
        })
    }

    // ---- commands

    pub(super) fn command(&mut self, at: At<'_>) -> Option<Line<CommandKind>> {
        Some(Line::Item(match at.rule() {
            R::cmd_add | R::cmd_delete => self.object_command(at)?,
            R::cmd_insert => self.rule_command(at, Verb::Insert)?,
            R::cmd_replace => self.rule_command(at, Verb::Replace)?,
            R::cmd_short_rule => self.rule_command(at, Verb::Add)?,
            R::cmd_flush => CommandKind::Flush(Box::new(self.flush(at.first()?)?)),
            R::cmd_rename => {
                let mut words = at.kids().filter(|kid| kid.rule() == R::word);
                CommandKind::RenameChain(Box::new(RenameChain {
                    table: self.table(at.first()?)?,
                    chain: self.word(words.next()?),
                    new_name: self.name(words.next()?),
                }))
            }
            R::cmd_query => CommandKind::Query(Box::new(self.query(at)?)),
            _ => return self.common(at).map(Line::Common),
        }))
    }

    fn query(&mut self, at: At<'_>) -> Option<QueryCommand> {
        let elements = match at.kid(R::set) {
            Some(set) => Some(self.map_ref(set)?),
            None => None,
        };
        let words = at
            .kids()
            .filter(|kid| kid.rule() != R::set)
            .map(|kid| self.word(kid))
            .collect();
        Some(QueryCommand {
            verb: self.word(at.first()?),
            words,
            elements,
        })
    }

    fn flush(&mut self, at: At<'_>) -> Option<FlushCommand> {
        if at.rule() == R::flush_ruleset {
            return Some(FlushCommand::Ruleset {
                family: at.first().map(|family| self.word(family)),
            });
        }
        let table = self.table(at.first()?)?;
        Some(match at.rule() {
            R::flush_table => FlushCommand::Table(table),
            R::flush_chain => FlushCommand::Chain(table, self.word(at.kid(R::word)?)),
            _ => FlushCommand::Set(table, self.word(at.kid(R::word)?)),
        })
    }

    fn rule_command(&mut self, at: At<'_>, verb: Verb) -> Option<CommandKind> {
        let position = match at.kid(R::position).and_then(At::first) {
            Some(kid) => {
                let number = self.number_in(kid)?;
                Some(match kid.rule() {
                    R::pos_handle => RulePosition::Handle(number),
                    R::pos_index => RulePosition::Index(number),
                    _ => RulePosition::Position(number),
                })
            }
            None => None,
        };
        let rule = match at.kid(R::rule_body) {
            Some(kid) => Some(self.rule(kid)?),
            None => None,
        };
        Some(CommandKind::Rule(Box::new(RuleCommand {
            verb,
            table: self.table(at.kid(R::table_name)?)?,
            chain: self.word(at.kid(R::word)?),
            position,
            rule,
        })))
    }

    fn object_command(&mut self, at: At<'_>) -> Option<CommandKind> {
        let mut kids = at.kids();
        let first = kids.next()?;
        let (verb, object) = match first.rule() {
            R::verb_add => (Verb::Add, kids.next()?),
            R::verb_create => (Verb::Create, kids.next()?),
            R::verb_delete => (Verb::Delete, kids.next()?),
            R::verb_destroy => (Verb::Destroy, kids.next()?),
            _ => (Verb::Add, first),
        };
        match object.rule() {
            R::a_rule | R::x_rule => return self.rule_command(object, verb),
            R::a_table | R::x_table => {
                let family = object.kid(R::family).map(|family| self.word(family));
                let id = self.id(object)?;
                return Some(CommandKind::Table(Box::new(TableCommand {
                    verb,
                    family,
                    id,
                    body: None,
                })));
            }
            _ => {}
        }
        let table = self.table(object.kid(R::table_name)?)?;
        let id = self.id(object)?;
        Some(match object.rule() {
            R::a_chain | R::x_chain => CommandKind::Chain(Box::new(ChainCommand {
                verb,
                table,
                id,
                body: None,
            })),
            R::a_set | R::x_set => CommandKind::Set(Box::new(SetCommand {
                verb,
                table,
                id,
                is_map: false,
                body: None,
            })),
            R::a_map | R::x_map => CommandKind::Set(Box::new(SetCommand {
                verb,
                table,
                id,
                is_map: true,
                body: None,
            })),
            R::a_flowtable | R::x_flowtable => CommandKind::Flowtable(Box::new(FlowtableCommand {
                verb,
                table,
                id,
                body: None,
            })),
            R::a_element | R::x_element => {
                let set = self.word(object.kid(R::word)?);
                let elements = object.kid(R::set).or_else(|| object.kid(R::var))?;
                let elements = self.map_ref(elements)?;
                CommandKind::Element(Box::new(ElementCommand {
                    verb,
                    table,
                    set,
                    elements,
                }))
            }
            _ => self.named_object(object, verb, table, id)?,
        })
    }

    fn named_object(
        &mut self,
        at: At<'_>,
        verb: Verb,
        table: crate::ast::TableRef,
        id: Ident,
    ) -> Option<CommandKind> {
        let kind = object_kind(at.first()?.rule())?;
        // kind, table and name come first
        let mut body = ObjectBody {
            span: self.span(at),
            items: Vec::new(),
        };
        self.object_lines(at.kids().skip(3), &mut body.items)?;
        let body = (!body.items.is_empty()).then_some(body);
        Some(CommandKind::Object(Box::new(ObjectCommand {
            verb,
            kind,
            table,
            id,
            body,
        })))
    }
}
