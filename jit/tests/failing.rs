//! What goes wrong stays contained: rulesets that nobody verified, states of other rulesets, panics in what generated code calls.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redan_jit::{Jit, JitError, emit_asm, emit_clif};
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::instr::{FibResult, Log, RtKey};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{Policy, StateSpec};
use redan_vm::{
    Asked, Engine, Env, Final, Host, Instant, Instr, NatAsk, NatRange, NoHost, Outcome, Packet,
    Reg, State, Visit,
};
use support::program::{accept, counter, jump, meta};
use support::{compile, ruleset, tcp};

fn run(jit: &mut Jit, state: &mut State, host: &mut dyn Host) -> Outcome {
    let mut env = Env {
        now: Instant::from_secs(1),
        state,
        host,
    };
    jit.run(ChainId(0), &mut tcp(80), &mut env)
}

#[test]
fn unverified_rulesets_are_refused() {
    let check = |chains| {
        let ruleset = Arc::new(ruleset(Policy::Accept, chains));
        let refused = Jit::compile(ruleset).expect_err("must be refused");
        assert!(matches!(refused, JitError::Unverified(_)), "{refused}");
    };
    check(vec![vec![vec![jump(7)]]]);
    check(vec![vec![vec![jump(1)]], vec![vec![jump(1)]]]);
    let beyond = Instr::MetaLoad {
        key: MetaKey::Iifname,
        dst: Reg::new(23).expect("a register"),
    };
    check(vec![vec![vec![beyond]]]);
}

#[test]
fn a_state_of_another_ruleset_drops() {
    let mut counting = ruleset(Policy::Accept, vec![vec![vec![counter(0), accept()]]]);
    counting.states.push(StateSpec::Counter {
        packets: 0,
        bytes: 0,
    });
    let mut jit = compile(&counting);
    let outcome = run(&mut jit, &mut State::default(), &mut NoHost::default());
    let dropped = Outcome {
        verdict: Final::Drop,
        rule: None,
    };
    assert_eq!(outcome, dropped);
}

#[test]
fn text_names_the_chains() {
    let ruleset = ruleset(
        Policy::Accept,
        vec![
            vec![vec![meta(MetaKey::Mark), accept()], vec![jump(1)]],
            vec![],
        ],
    );
    for text in [emit_clif(&ruleset), emit_asm(&ruleset)] {
        let text = text.expect("compiles");
        assert!(text.contains("; inet t c0, lines 1 to 2\n"), "{text}");
        assert!(text.contains("; inet t c1\n"), "{text}");
    }
}

/// Panics when asked for a random number.
struct Panicking;

#[test]
fn a_panic_below_generated_code_reaches_the_caller_and_breaks_nothing() {
    let random = vec![meta(MetaKey::Random), accept()];
    let ruleset = ruleset(Policy::Drop, vec![vec![vec![jump(1)]], vec![random]]);
    let mut jit = compile(&ruleset);
    let mut state = State::new(&ruleset);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        run(&mut jit, &mut state, &mut Panicking)
    }))
    .expect_err("must panic");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"no luck today"));
    let after = run(&mut jit, &mut state, &mut NoHost::default());
    let accepted = Outcome {
        verdict: Final::Accept,
        rule: Some(RuleId(1)),
    };
    assert_eq!(after, accepted);
}

impl Host for Panicking {
    fn ct_load(
        &mut self,
        _: &Packet,
        _: redan_vm::ct::CtKey,
        _: Option<redan_vm::ct::Direction>,
        _: &mut [u8],
    ) -> bool {
        false
    }
    fn ct_store(
        &mut self,
        _: &mut Packet,
        _: redan_vm::ct::CtKey,
        _: Option<redan_vm::ct::Direction>,
        _: &[u8],
    ) {
    }
    fn notrack(&mut self, _: &mut Packet) {}
    fn nat(&mut self, _: &mut Packet, _: NatAsk<'_>, _: &NatRange) -> Asked {
        Asked::Done
    }
    fn log(&mut self, _: &Packet, _: RuleId, _: &Log) {}
    fn random(&mut self) -> u32 {
        panic!("no luck today")
    }
    fn fib(&mut self, _: &Packet, _: u32, _: FibResult, _: &mut [u8]) {}
    fn rt(&mut self, _: &Packet, _: RtKey, _: &mut [u8]) -> bool {
        false
    }
    fn connections(&mut self, _: &Packet, _: u64) -> Option<u32> {
        None
    }
    fn has_connections(&mut self, _: u64) -> bool {
        true
    }
    fn forget_connections(&mut self, _: u64) {}
    fn dup(&mut self, _: &Packet, _: Option<&[u8]>, _: Option<u32>) {}
    fn fwd(&mut self, _: &Packet, _: u32, _: Option<&[u8]>) {}
    fn trace(&mut self, _: &Packet, _: &Visit) {}
}
