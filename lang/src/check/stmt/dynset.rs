//! Statements that change sets while packets pass: `add @set { ... }`, and `meter`, which makes its set itself.

#![expect(
    clippy::option_option,
    reason = "the outer option says whether an error was reported"
)]

use crate::ast::{self, ExprKind};
use crate::check::rule::RuleCheck;
use crate::check::stateful::narrow;
use crate::check::stateful_specs;
use crate::diag::Code;
use crate::resolve::{check_filled, check_timed, every, meter_set};
use crate::sets::DataShape;
use crate::source::Span;
use crate::typed::{Dynset, StmtKind, Value};
use redan_vm::ids::SetId;
use redan_vm::instr::DynsetOp;
use redan_vm::ruleset::set_flags;

impl RuleCheck<'_, '_> {
    pub(super) fn dynset(&mut self, span: Span, dynset: &ast::Dynset) -> Option<()> {
        let set = self.cx.find_set(self.place.table, dynset.set)?;
        let op = match dynset.op {
            ast::DynsetOp::Add => DynsetOp::Add,
            ast::DynsetOp::Update => DynsetOp::Update,
            ast::DynsetOp::Delete => DynsetOp::Delete,
        };
        let types = self
            .cx
            .set_info(set)
            .map(|info| info.key.clone())
            .unwrap_or_default();
        if let Some(comment) = dynset.element.comment {
            return self.cx.error(
                Code::BadFlag,
                comment.span,
                "elements that packets add have no comments",
            );
        }
        if dynset.element.timeout_ms == Some(0) {
            return self.cx.error_help(
                Code::BadFlag,
                dynset.element.span,
                "an element that a packet adds has a span as timeout",
                "`timeout never` is for elements of the file",
            );
        }
        let key = self.key_of(&dynset.element.key, &types)?;
        self.check_set_key(&key, set, dynset.set)?;
        let data = self.dynset_data(set, dynset)?;
        let exprs = stateful_specs(self.cx, &dynset.element.stmts)?;
        check_filled(self.cx, set, dynset, &exprs)?;
        if let Some(target) = self.cx.ruleset.sets.get_mut(set.index()) {
            target.flags |= set_flags::EVAL;
            target.size = target.size.or(Some(65535));
        }
        let typed = Dynset {
            op,
            set,
            key,
            data,
            timeout_ms: dynset.element.timeout_ms,
            exprs,
        };
        self.push(span, StmtKind::Dynset(Box::new(typed)));
        Some(())
    }

    fn dynset_data(&mut self, set: SetId, dynset: &ast::Dynset) -> Option<Option<Value>> {
        let types = self
            .cx
            .set_info(set)
            .map(|info| info.data.clone())
            .unwrap_or_default();
        match (&dynset.element.data, types.as_slice()) {
            (None, []) => Some(None),
            (None, _) => self.cx.error(
                Code::DataMismatch,
                dynset.element.span,
                "an element of a map needs data: `key : data`",
            ),
            (Some(data), []) => self.cx.error(
                Code::DataMismatch,
                data.span,
                "a set's elements have no data; only those of maps do",
            ),
            (Some(data), [want]) => {
                let value = self.value(data, *want)?;
                self.check_stored(&value, *want)?;
                Some(Some(value))
            }
            (Some(data), many) => {
                let ExprKind::Concat(items) = &data.kind else {
                    return self.cx.error(
                        Code::WrongType,
                        data.span,
                        "the map's data is a concatenation",
                    );
                };
                let many = many.to_vec();
                let parts = every(
                    items
                        .iter()
                        .zip(many)
                        .map(|(item, want)| self.value(item, want)),
                )?;
                self.concat(data.span, parts).map(Some)
            }
        }
    }

    pub(super) fn meter(&mut self, span: Span, meter: &ast::Meter) -> Option<()> {
        let key = self.key(&meter.element.key)?;
        if meter.element.stmts.is_empty() {
            return self.cx.error_help(
                Code::BadDeclaration,
                meter.element.span,
                "a meter needs a statement for its elements",
                "write what each is to do behind the key, for example `limit rate 3/minute`",
            );
        }
        let exprs = stateful_specs(self.cx, &meter.element.stmts)?;
        if meter.element.timeout_ms.is_some() {
            check_timed(self.cx, &exprs, meter.element.span)?;
        }
        let size = match meter.size {
            Some(number) => Some(narrow(self.cx, number, u32::MAX)?),
            None => None,
        };
        let name = self.cx.text(meter.name).to_owned();
        let shape = self.shape(&key, DataShape::None);
        let set = meter_set(
            self,
            meter.name,
            &name,
            &shape,
            meter.element.timeout_ms,
            size,
        )?;
        let op = if meter.element.timeout_ms.is_some() {
            DynsetOp::Update
        } else {
            DynsetOp::Add
        };
        let typed = Dynset {
            op,
            set,
            key,
            data: None,
            timeout_ms: meter.element.timeout_ms,
            exprs,
        };
        self.push(span, StmtKind::Dynset(Box::new(typed)));
        Some(())
    }
}
