//! Where control goes: breaks, verdicts, other chains, helpers.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value, types};
use redan_vm::ids::ChainId;
use redan_vm::{Instr, Verdict};

use super::{Reach, RuleEmitter};
use crate::context::{VIEWS, at, code, offset};
use crate::helpers::Helpers;
use crate::prefix::disturbs;

impl RuleEmitter<'_, '_> {
    /// Breaks when `condition` is not zero (or, with `when` false, when it is); goes on in a cold block, unless several rules share the
    /// test.
    pub(super) fn break_if(&mut self, condition: Value, when: bool) {
        self.cold = !self.shared;
        let on = self.fb.create_block();
        if self.cold {
            self.fb.set_cold_block(on);
        }
        if when {
            self.fb.ins().brif(condition, self.next, &[], on, &[]);
        } else {
            self.fb.ins().brif(condition, on, &[], self.next, &[]);
        }
        self.fb.switch_to_block(on);
    }

    /// Breaks when `condition` is not zero, which is unlikely: the way on is as hot as before.
    pub(super) fn break_if_unlikely(&mut self, condition: Value) {
        let on = self.fb.create_block();
        if self.cold {
            self.fb.set_cold_block(on);
        }
        self.fb.ins().brif(condition, self.next, &[], on, &[]);
        self.fb.switch_to_block(on);
    }

    /// The rule does not match, whatever the packet.
    pub(super) fn break_always(&mut self) -> Reach {
        self.jump_to_next();
        Reach::Over
    }

    /// On with the next rule.
    pub(super) fn jump_to_next(&mut self) {
        self.fb.ins().jump(self.next, &[]);
    }

    fn cold_block(&mut self) -> Block {
        let block = self.fb.create_block();
        self.fb.set_cold_block(block);
        block
    }

    /// A verdict that is known now.
    pub(super) fn verdict(&mut self, verdict: Verdict) -> Reach {
        match verdict {
            Verdict::Accept => self.leave(code::ACCEPT),
            Verdict::Drop => self.leave(code::DROP),
            Verdict::Continue => return Reach::On,
            Verdict::Return => self.end_chain(),
            Verdict::Jump(chain) => {
                let function = self.chain_function(chain);
                self.call_chain(function);
            }
            Verdict::Goto(chain) => {
                let function = self.chain_function(chain);
                self.go_to(function);
            }
        }
        Reach::Over
    }

    /// Ends the function behind its last rule: on with the chain's next chunk, if there is one.
    pub(super) fn end(&mut self, next: Option<u32>) {
        match next {
            Some(function) => {
                let function = self.chain_function(ChainId(function));
                self.go_to(function);
            }
            None => self.end_chain(),
        }
    }

    /// The chain has ended without a verdict.
    fn end_chain(&mut self) {
        let none = self.fb.ins().iconst(types::I64, i64::from(code::NEXT));
        self.fb.ins().return_(&[none]);
    }

    /// The base chain is over, by this rule.
    fn leave(&mut self, code: u8) {
        let result = self.rule_bits() | i64::from(code);
        let result = self.fb.ins().iconst(types::I64, result);
        self.fb.ins().return_(&[result]);
    }

    fn rule_bits(&self) -> i64 {
        i64::from_ne_bytes((u64::from(self.rule.0) << 32).to_ne_bytes())
    }

    fn functions(&mut self) -> Value {
        self.fb.ins().load(
            types::I64,
            MemFlagsData::trusted(),
            self.context,
            at::FUNCTIONS,
        )
    }

    fn chain_function(&mut self, chain: ChainId) -> Value {
        let functions = self.functions();
        let entry = self.element(functions, chain.0, size_of::<usize>());
        self.fb
            .ins()
            .load(types::I64, MemFlagsData::trusted(), entry, 0)
    }

    /// Calls a chain; behind it comes the next rule, unless the chain had a verdict.
    fn call_chain(&mut self, function: Value) {
        let arguments = [self.context, self.packet];
        let call = self
            .fb
            .ins()
            .call_indirect(self.function, function, &arguments);
        let result = self.result(call);
        let decided = self.cold_block();
        self.fb.ins().brif(result, decided, &[], self.next, &[]);
        self.fb.switch_to_block(decided);
        self.fb.ins().return_(&[result]);
    }

    fn go_to(&mut self, function: Value) {
        let arguments = [self.context, self.packet];
        self.fb
            .ins()
            .return_call_indirect(self.function, function, &arguments);
    }

    fn result(&self, call: cranelift_codegen::ir::Inst) -> Value {
        self.fb.func.dfg.first_result(call)
    }

    /// Calls the helper for the rule's instruction at `index`.
    fn call_helper(&mut self, index: u32, instr: &Instr) -> Value {
        let helper = if disturbs(instr) {
            self.checked = [0; VIEWS];
            offset_of!(Helpers, disturb)
        } else {
            offset_of!(Helpers, run)
        };
        let helpers = self.fb.ins().load(
            types::I64,
            MemFlagsData::trusted(),
            self.context,
            at::HELPERS,
        );
        let helper =
            self.fb
                .ins()
                .load(types::I64, MemFlagsData::trusted(), helpers, offset(helper));
        let rule = self.fb.ins().iconst(types::I32, i64::from(self.rule.0));
        let index = self.fb.ins().iconst(types::I32, i64::from(index));
        let arguments = [self.context, rule, index];
        let call = self.fb.ins().call_indirect(self.helper, helper, &arguments);
        self.result(call)
    }

    /// Runs an instruction through a helper.
    pub(super) fn helper(&mut self, index: u32, instr: &Instr) -> Reach {
        let use_of = register_use(instr);
        if use_of != RegisterUse::None {
            self.registers.spill(self.fb);
        }
        let result = self.call_helper(index, instr);
        if use_of == RegisterUse::Writes {
            self.registers.clear();
        }
        let on = self.fb.create_block();
        if self.cold {
            self.fb.set_cold_block(on);
        }
        let stop = self.cold_block();
        self.fb.ins().brif(result, stop, &[], on, &[]);
        self.fb.switch_to_block(stop);
        self.stop(result);
        self.fb.switch_to_block(on);
        Reach::On
    }

    /// Ends the rule as a helper says: [`code::NEXT`] has been dealt with.
    fn stop(&mut self, result: Value) {
        let leave = self.cold_block();
        let breaks = self.code_is(result, code::BREAK);
        self.fb.ins().brif(breaks, self.next, &[], leave, &[]);
        self.fb.switch_to_block(leave);
        self.fb.ins().return_(&[result]);
    }

    fn code_is(&mut self, result: Value, code: u8) -> Value {
        let low = self.fb.ins().ireduce(types::I8, result);
        self.fb.ins().icmp_imm_u(IntCC::Equal, low, i64::from(code))
    }

    /// Looks up a verdict map and does as it says.
    pub(super) fn lookup_verdict(&mut self, index: u32, instr: &Instr) -> Reach {
        self.registers.spill(self.fb);
        let result = self.call_helper(index, instr);
        let (matched, jump, goto, rest) = (
            self.cold_block(),
            self.cold_block(),
            self.cold_block(),
            self.cold_block(),
        );
        let breaks = self.code_is(result, code::BREAK);
        self.fb.ins().brif(breaks, self.next, &[], matched, &[]);
        self.fb.switch_to_block(matched);
        let low = self.fb.ins().ireduce(types::I8, result);
        let mut arms = cranelift_frontend::Switch::new();
        // No verdict, or `continue`: the rest of the rule follows.
        let on = self.cold_block();
        arms.set_entry(u128::from(code::NEXT), on);
        arms.set_entry(u128::from(code::JUMP), jump);
        arms.set_entry(u128::from(code::GOTO), goto);
        let back = self.cold_block();
        arms.set_entry(u128::from(code::RETURN), back);
        arms.emit(self.fb, low, rest);

        self.fb.switch_to_block(jump);
        let function = self.function_of(result);
        self.call_chain(function);
        self.fb.switch_to_block(goto);
        let function = self.function_of(result);
        self.go_to(function);
        self.fb.switch_to_block(back);
        self.end_chain();
        self.fb.switch_to_block(rest);
        self.fb.ins().return_(&[result]);
        self.fb.switch_to_block(on);
        Reach::On
    }

    /// The function of the chain whose number is in a result's upper half.
    fn function_of(&mut self, result: Value) -> Value {
        let chain = self.fb.ins().ushr_imm_u(result, 32);
        let entry = self
            .fb
            .ins()
            .imul_imm_u(chain, i64::from(offset(size_of::<usize>())));
        let functions = self.functions();
        let address = self.fb.ins().iadd(functions, entry);
        self.fb
            .ins()
            .load(types::I64, MemFlagsData::trusted(), address, 0)
    }
}

/// What an instruction that a helper runs does with registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RegisterUse {
    /// Nothing.
    None,
    /// Reads only.
    Reads,
    /// Writes, and may read.
    Writes,
}

fn register_use(instr: &Instr) -> RegisterUse {
    match instr {
        Instr::ImmediateVerdict { .. }
        | Instr::Counter { .. }
        | Instr::Limit { .. }
        | Instr::Quota { .. }
        | Instr::Last { .. }
        | Instr::Connlimit { .. }
        | Instr::Objref { .. }
        | Instr::Log(_)
        | Instr::Reject(_)
        | Instr::Notrack
        | Instr::Synproxy { .. }
        | Instr::FlowOffload { .. }
        | Instr::ExthdrReset { .. } => RegisterUse::None,
        Instr::Cmp { .. }
        | Instr::Range { .. }
        | Instr::PayloadWrite { .. }
        | Instr::MetaSet { .. }
        | Instr::CtSet { .. }
        | Instr::Lookup { dst: None, .. }
        | Instr::LookupVerdict { .. }
        | Instr::Dynset(_)
        | Instr::ObjrefMap { .. }
        | Instr::Nat(_)
        | Instr::Masq { .. }
        | Instr::Redir { .. }
        | Instr::Tproxy { .. }
        | Instr::Queue { .. }
        | Instr::Dup { .. }
        | Instr::Fwd { .. }
        | Instr::ExthdrWrite { .. } => RegisterUse::Reads,
        Instr::Immediate { .. }
        | Instr::PayloadLoad { .. }
        | Instr::MetaLoad { .. }
        | Instr::CtLoad { .. }
        | Instr::Bitwise { .. }
        | Instr::BitwiseShift { .. }
        | Instr::BitwiseReg { .. }
        | Instr::Byteorder { .. }
        | Instr::Lookup { dst: Some(_), .. }
        | Instr::ExthdrLoad { .. }
        | Instr::Fib { .. }
        | Instr::Rt { .. }
        | Instr::Socket { .. }
        | Instr::Osf { .. }
        | Instr::Xfrm { .. }
        | Instr::Tunnel { .. }
        | Instr::Numgen { .. }
        | Instr::Jhash { .. }
        | Instr::Symhash { .. }
        | Instr::Inner { .. } => RegisterUse::Writes,
    }
}
