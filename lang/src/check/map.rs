//! Maps: verdicts, values and objects that a key is looked up for.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::rule::RuleCheck;
use crate::ast::{self, Expr, ExprKind, ObjectKind, Target};
use crate::datatype::Type;
use crate::diag::{Code, Diagnostic};
use crate::resolve::Context;
use crate::sets::{DataShape, Shape};
use crate::source::Span;
use crate::typed::{StmtKind, Value, ValueKind};
use redan_vm::Verdict;
use redan_vm::ids::{ChainId, SetId, StateId, TableId};
use redan_vm::instr::ObjectKind as VmKind;
use redan_vm::ruleset::SetData;

/// The machine's name for a kind of object.
pub(crate) fn vm_kind(kind: ObjectKind) -> VmKind {
    match kind {
        ObjectKind::Counter => VmKind::Counter,
        ObjectKind::Quota => VmKind::Quota,
        ObjectKind::Limit => VmKind::Limit,
        ObjectKind::CtHelper => VmKind::CtHelper,
        ObjectKind::CtTimeout => VmKind::CtTimeout,
        ObjectKind::CtExpectation => VmKind::CtExpectation,
        ObjectKind::Secmark => VmKind::Secmark,
        ObjectKind::Synproxy => VmKind::Synproxy,
        ObjectKind::Tunnel => VmKind::Tunnel,
    }
}

impl RuleCheck<'_, '_> {
    /// Types `key vmap map`.
    pub(super) fn vmap(&mut self, span: Span, key: &Expr, map: &Expr) -> Option<()> {
        let key = self.lookup_key(key, map)?;
        let (key, set) = self.map_set(key, map, DataShape::Verdict)?;
        if self
            .cx
            .ruleset
            .sets
            .get(set.index())
            .is_some_and(|set| set.data != SetData::Verdict)
        {
            return self.cx.error_help(
                Code::WrongType,
                map.span,
                "this map gives no verdicts",
                "`vmap` needs a map of type `... : verdict`",
            );
        }
        self.push(
            span,
            StmtKind::Vmap {
                key: Box::new(key),
                set,
            },
        );
        Some(())
    }

    /// Types `key map { ... }` as a value of a type.
    pub(super) fn map_value(
        &mut self,
        span: Span,
        key: &Expr,
        map: &Expr,
        want: Type,
    ) -> Option<Value> {
        self.map_of(
            span,
            key,
            map,
            &DataShape::Values {
                types: vec![want],
                interval: false,
            },
            want,
        )
    }

    /// Types `key map { ... }` with data of a shape; the data of a named map must fit `want`.
    pub(super) fn map_of(
        &mut self,
        span: Span,
        key: &Expr,
        map: &Expr,
        data: &DataShape,
        want: Type,
    ) -> Option<Value> {
        let key = self.lookup_key(key, map)?;
        let (key, set) = self.map_set(key, map, data.clone())?;
        let info = self.cx.set_info(set)?;
        if info.data.is_empty() {
            return self
                .cx
                .error(Code::WrongType, map.span, "this map gives no values");
        }
        let have = info.data.first().copied()?;
        if !storable(have, want) {
            let message = format!(
                "datatype mismatch: expected {}, the map gives {}",
                super::describe(want),
                super::describe(have)
            );
            return self.cx.error(Code::WrongType, map.span, message);
        }
        Some(Value {
            span,
            ty: Type::new(want.datatype, want.bits, have.order),
            kind: ValueKind::Map {
                key: Box::new(key),
                set,
            },
        })
    }

    /// The set behind a map expression (a literal, `@name`, or a variable), and what is looked up in it.
    pub(super) fn map_set(
        &mut self,
        key: Value,
        map: &Expr,
        data: DataShape,
    ) -> Option<(Value, SetId)> {
        self.refuse_bare_address(&key)?;
        let (map, scope) = self.cx.resolve(map)?;
        match &map.kind {
            ExprKind::SetRef(word) => {
                let set = self.cx.find_set(self.place.table, *word)?;
                self.check_set_key(&key, set, *word)?;
                if self
                    .cx
                    .ruleset
                    .sets
                    .get(set.index())
                    .is_some_and(|set| set.data == SetData::None)
                {
                    return self.cx.error_help(
                        Code::WrongType,
                        map.span,
                        "this is a set, not a map",
                        "declare it with `map`, and give its elements data",
                    );
                }
                Some((key, set))
            }
            ExprKind::Set(lit) => self.scoped(scope, |check| {
                let name = if matches!(data, DataShape::Object(_)) {
                    "__objmap%d"
                } else {
                    "__map%d"
                };
                let (key, shape) = check.literal_shape(key, lit, data);
                let collected = check.cx.collect(lit, &shape)?;
                if collected.len() == 0 && lit.spoilt {
                    return None;
                }
                if collected.len() == 0 {
                    return check.cx.error(Code::EmptySet, lit.span, "map is empty");
                }
                let set = check.anonymous(lit.span, name, &shape, collected)?;
                Some((key, set))
            }),
            _ => self.cx.error(
                Code::WrongType,
                map.span,
                "a map is wanted here: `{ key : value, ... }` or `@name`",
            ),
        }
    }

    /// Types `counter name "x"` and its like.
    pub(super) fn objref(&mut self, span: Span, kind: ObjectKind, name: &Expr) -> Option<()> {
        let (resolved, scope) = self.cx.resolve(name)?;
        if let ExprKind::Map(sides) = &resolved.kind {
            return self.scoped(scope, |check| {
                let key = check.key(&sides.0)?;
                let (key, set) = check.map_set(key, &sides.1, DataShape::Object(vm_kind(kind)))?;
                let fits = check
                    .cx
                    .ruleset
                    .sets
                    .get(set.index())
                    .is_some_and(|set| set.data == SetData::Object(vm_kind(kind)));
                if !fits {
                    return check.cx.error(
                        Code::WrongType,
                        sides.1.span,
                        format!("this map gives no {}", kind.text()),
                    );
                }
                check.push(
                    span,
                    StmtKind::ObjrefMap {
                        key: Box::new(key),
                        set,
                    },
                );
                Some(())
            });
        }
        let state = self
            .cx
            .object_data(resolved, vm_kind(kind), self.place.table)?;
        self.push(
            span,
            StmtKind::Objref {
                kind: vm_kind(kind),
                state,
            },
        );
        Some(())
    }

    /// Types a verdict.
    pub(super) fn verdict(&mut self, verdict: &ast::Verdict, span: Span) -> Option<Verdict> {
        if let ast::Verdict::Jump(Target::Block(body)) | ast::Verdict::Goto(Target::Block(body)) =
            verdict
        {
            let chain = crate::resolve::inline_chain(self, body);
            return Some(if matches!(verdict, ast::Verdict::Jump(_)) {
                Verdict::Jump(chain)
            } else {
                Verdict::Goto(chain)
            });
        }
        self.cx.named_verdict(verdict, self.place.table, span)
    }
}

/// Whether values of one type may be stored where another is wanted: numbers without a meaning anywhere, and marks take numbers of any meaning
/// (nft's `datatype_compatible`).
pub(super) fn storable(have: Type, want: Type) -> bool {
    use crate::datatype::Base;
    use redan_vm::datatype::DataType;
    let numbers = have.base() != Base::String && want.base() != Base::String;
    let small = want.bits <= 64;
    have.datatype == want.datatype
        || (numbers && small && have.datatype == DataType::Integer)
        || (numbers && want.datatype == DataType::Mark)
}

impl Context<'_> {
    /// A verdict whose chain has a name.
    pub(crate) fn named_verdict(
        &mut self,
        verdict: &ast::Verdict,
        table: TableId,
        span: Span,
    ) -> Option<Verdict> {
        Some(match verdict {
            ast::Verdict::Accept => Verdict::Accept,
            ast::Verdict::Drop => Verdict::Drop,
            ast::Verdict::Continue => Verdict::Continue,
            ast::Verdict::Return => Verdict::Return,
            ast::Verdict::Queue => {
                return self.error(
                    Code::WrongType,
                    span,
                    "queue is a statement, not a verdict that a map can give",
                );
            }
            ast::Verdict::Jump(Target::Chain(chain)) => Verdict::Jump(self.target(chain, table)?),
            ast::Verdict::Goto(Target::Chain(chain)) => Verdict::Goto(self.target(chain, table)?),
            ast::Verdict::Jump(Target::Block(body)) | ast::Verdict::Goto(Target::Block(body)) => {
                return self.error(
                    Code::WrongType,
                    body.span,
                    "a map jumps to chains that have a name; give this one its own `chain NAME { ... }`",
                );
            }
        })
    }

    /// The chain that a jump names.
    pub(crate) fn target(&mut self, chain: &Expr, table: TableId) -> Option<ChainId> {
        let (chain, _) = self.resolve(chain)?;
        let span = match &chain.kind {
            ExprKind::Symbol(word) => word.span,
            ExprKind::Str(text) => text.span,
            _ => chain.span,
        };
        let name = self.sources.text(span);
        let Some(id) = self.names.chain(table, name) else {
            let known: Vec<String> = self
                .names
                .of(table)
                .map(|names| names.chains.keys().cloned().collect())
                .unwrap_or_default();
            return self.unknown(
                Code::UnknownChain,
                span,
                "chain",
                name,
                known.iter().map(String::as_str),
            );
        };
        if self
            .ruleset
            .chains
            .get(id.index())
            .is_some_and(|chain| chain.base.is_some())
        {
            return self.error_help(
                Code::JumpLoop,
                span,
                format!("`{name}` is a base chain"),
                "jump to a chain without a hook",
            );
        }
        Some(id)
    }

    /// A verdict as data of a map's element.
    pub(crate) fn verdict_data(&mut self, data: &Expr, shape: &Shape) -> Option<Verdict> {
        let (data, _) = self.resolve(data)?;
        if let ExprKind::Verdict(verdict) = &data.kind {
            self.named_verdict(verdict, shape.table, data.span)
        } else {
            self.report(
                Diagnostic::new(Code::WrongType, data.span, "a verdict is wanted here")
                    .help("accept, drop, continue, return, jump or goto"),
            );
            None
        }
    }

    /// A named object.
    pub(crate) fn object_data(
        &mut self,
        data: &Expr,
        kind: VmKind,
        table: TableId,
    ) -> Option<StateId> {
        let (data, _) = self.resolve(data)?;
        let span = match &data.kind {
            ExprKind::Symbol(word) => word.span,
            ExprKind::Str(text) => text.span,
            _ => {
                return self.error(
                    Code::WrongType,
                    data.span,
                    "the name of an object is wanted here",
                );
            }
        };
        let name = self.sources.text(span);
        let names = self.names.of(table);
        if let Some(state) = names.and_then(|names| names.objects.get(&(kind, name.to_owned()))) {
            return Some(*state);
        }
        let known: Vec<String> = names
            .map(|names| {
                names
                    .objects
                    .keys()
                    .filter(|key| key.0 == kind)
                    .map(|key| key.1.clone())
                    .collect()
            })
            .unwrap_or_default();
        self.unknown(
            Code::UnknownObject,
            span,
            kind_words(kind),
            name,
            known.iter().map(String::as_str),
        )
    }
}

/// A kind of object in words.
pub(crate) fn kind_words(kind: VmKind) -> &'static str {
    match kind {
        VmKind::Counter => "counter",
        VmKind::Quota => "quota",
        VmKind::Limit => "limit",
        VmKind::CtHelper => "ct helper",
        VmKind::CtTimeout => "ct timeout",
        VmKind::CtExpectation => "ct expectation",
        VmKind::Secmark => "secmark",
        VmKind::Synproxy => "synproxy",
        VmKind::Tunnel => "tunnel",
    }
}
