//! What chains of rules decide, and what of a rule that breaks stays done.

mod common;

use common::{Builder, Machine, dport, dport_then, load_dport, udp, udp_to, verdict};
use redan_vm::engine::{Final, Outcome};
use redan_vm::ids::RuleId;
use redan_vm::instr::{Dynset, DynsetOp, Reject};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{ElementData, LimitSpec, Policy, SetData, StateSpec, set_flags};
use redan_vm::verify::{VerifyErrorKind, verify};
use redan_vm::{Data, Instant, Instr, Reg, Verdict};

fn accepted(rule: RuleId) -> Outcome {
    Outcome {
        verdict: Final::Accept,
        rule: Some(rule),
    }
}

fn dropped(rule: RuleId) -> Outcome {
    Outcome {
        verdict: Final::Drop,
        rule: Some(rule),
    }
}

const fn policy(verdict: Final) -> Outcome {
    Outcome {
        verdict,
        rule: None,
    }
}

#[test]
fn rules_run_in_order_and_the_policy_is_last() {
    let mut b = Builder::new();
    let base = b.base(Policy::Drop);
    let first = b.rule(base, dport_then(53, Verdict::Accept));
    b.rule(base, dport_then(53, Verdict::Drop));
    let reject = [dport(7), vec![Instr::Reject(Reject::Icmpx(1))]].concat();
    let third = b.rule(base, reject);
    let mut machine = Machine::new(&b.ruleset);
    assert_eq!(machine.run(base, &mut udp()), accepted(first));
    assert_eq!(machine.run(base, &mut udp_to(1)), policy(Final::Drop));
    let rejected = Outcome {
        verdict: Final::Reject(Reject::Icmpx(1)),
        rule: Some(third),
    };
    assert_eq!(machine.run(base, &mut udp_to(7)), rejected);
}

#[test]
fn jumps_return_behind_themselves_and_gotos_to_the_caller_of_the_caller() {
    // base: jump a; drop.   a: goto b; accept.   b: dport 1 accept, dport 2 return, dport 3 continue, then the end.
    let mut b = Builder::new();
    let base = b.base(Policy::Accept);
    let (first, second) = (b.chain(), b.chain());
    b.rule(base, vec![verdict(Verdict::Jump(first))]);
    let after = b.rule(base, vec![verdict(Verdict::Drop)]);
    b.rule(first, vec![verdict(Verdict::Goto(second))]);
    b.rule(first, vec![verdict(Verdict::Accept)]);
    let deep = b.rule(second, dport_then(1, Verdict::Accept));
    b.rule(second, dport_then(2, Verdict::Return));
    b.rule(second, dport_then(3, Verdict::Continue));
    let mut machine = Machine::new(&b.ruleset);
    let mut check = |port, want| {
        assert_eq!(machine.run(base, &mut udp_to(port)), want, "{port}");
    };
    check(1, accepted(deep));
    check(2, dropped(after));
    check(3, dropped(after));
    check(4, dropped(after));
}

#[test]
fn return_and_the_end_of_a_goto_in_a_base_chain_mean_the_policy() {
    let mut b = Builder::new();
    let base = b.base(Policy::Drop);
    let other = b.chain();
    b.rule(base, dport_then(1, Verdict::Return));
    b.rule(base, dport_then(2, Verdict::Goto(other)));
    let last = b.rule(base, vec![verdict(Verdict::Accept)]);
    let mut machine = Machine::new(&b.ruleset);
    assert_eq!(machine.run(base, &mut udp_to(1)), policy(Final::Drop));
    assert_eq!(machine.run(base, &mut udp_to(2)), policy(Final::Drop));
    assert_eq!(machine.run(base, &mut udp_to(3)), accepted(last));
}

/// A base chain and `more` chains, each jumping into the next.
fn tower(more: usize) -> (Builder, redan_vm::ids::ChainId, RuleId) {
    let mut b = Builder::new();
    let base = b.base(Policy::Drop);
    let mut at = base;
    for _ in 0..more {
        let next = b.chain();
        b.rule(at, vec![verdict(Verdict::Jump(next))]);
        at = next;
    }
    let last = b.rule(at, vec![verdict(Verdict::Accept)]);
    (b, base, last)
}

#[test]
fn sixteen_chains_are_the_most() {
    let (b, base, last) = tower(15);
    assert_eq!(
        Machine::new(&b.ruleset).run(base, &mut udp()),
        accepted(last)
    );
    let (b, ..) = tower(16);
    let kinds: Vec<_> = verify(&b.ruleset).iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [VerifyErrorKind::TooDeep]);
}

#[test]
fn loops_are_found_also_through_verdict_maps() {
    let mut b = Builder::new();
    let base = b.base(Policy::Drop);
    let other = b.chain();
    let data = ElementData::Verdict(Verdict::Jump(other));
    let map = b.set(
        set_flags::MAP,
        4,
        SetData::Verdict,
        &[(&[0, 53, 0, 0], data)],
    );
    let look = vec![
        load_dport(),
        Instr::LookupVerdict {
            set: map,
            src: Reg::R1,
        },
    ];
    b.rule(other, look);
    assert_eq!(verify(&b.ruleset), []);
    b.rule(base, vec![verdict(Verdict::Jump(other))]);
    let kinds: Vec<_> = verify(&b.ruleset).iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [VerifyErrorKind::TooDeep]);
}

#[test]
fn a_verdict_map_decides_and_a_miss_goes_on() {
    let mut b = Builder::new();
    let base = b.base(Policy::Drop);
    let other = b.chain();
    let seen = b.counter();
    let verdicts = [
        (&[0, 1][..], ElementData::Verdict(Verdict::Accept)),
        (&[0, 2][..], ElementData::Verdict(Verdict::Jump(other))),
        (&[0, 3][..], ElementData::Verdict(Verdict::Continue)),
    ];
    let map = b.set(set_flags::MAP, 2, SetData::Verdict, &verdicts);
    let look = vec![
        load_dport(),
        Instr::LookupVerdict {
            set: map,
            src: Reg::R1,
        },
        Instr::Counter { state: seen },
    ];
    let first = b.rule(base, look);
    let inner = b.rule(other, dport_then(9, Verdict::Accept));
    let last = b.rule(base, vec![verdict(Verdict::Drop)]);
    let mut machine = Machine::new(&b.ruleset);
    let mut check = |port, want| {
        assert_eq!(machine.run(base, &mut udp_to(port)), want, "{port}");
    };
    check(1, accepted(first));
    check(2, dropped(last));
    check(3, dropped(last));
    check(4, dropped(last));
    let _ = inner;
    // A hit that decides skips the rest of its rule, a miss breaks it: the counter behind runs for `continue` alone.
    assert_eq!(machine.state.counter(seen).unwrap().packets, 1);
}

#[test]
fn what_ran_before_a_break_stays_done_and_what_is_behind_does_not_run() {
    let mut b = Builder::new();
    let base = b.base(Policy::Accept);
    let (before, behind) = (b.counter(), b.counter());
    let limit = b.state(StateSpec::Limit(LimitSpec {
        rate: 1,
        unit_secs: 3600,
        burst: 1,
        bytes: false,
        over: false,
    }));
    // counter meta mark set 7 udp dport 1 limit rate 1/hour burst 1 counter drop
    let mut code = vec![
        Instr::Counter { state: before },
        Instr::Immediate {
            dst: Reg::R1,
            data: Data::u32_le(7),
        },
        Instr::MetaSet {
            key: MetaKey::Mark,
            src: Reg::R1,
        },
    ];
    code.extend(dport(1));
    code.extend([
        Instr::Limit { state: limit },
        Instr::Counter { state: behind },
        verdict(Verdict::Drop),
    ]);
    let rule = b.rule(base, code);
    let mut machine = Machine::new(&b.ruleset);
    let mut packet = udp_to(2);
    assert_eq!(machine.run(base, &mut packet), policy(Final::Accept));
    assert_eq!(packet.meta.mark, 7);
    // The miss took no token: the next packet gets it, the one after breaks at the limit.
    assert_eq!(machine.run(base, &mut udp_to(1)), dropped(rule));
    assert_eq!(machine.run(base, &mut udp_to(1)), policy(Final::Accept));
    let counts = [before, behind].map(|id| machine.state.counter(id).unwrap());
    assert_eq!(counts.map(|c| (c.packets, c.bytes)), [(3, 96), (1, 32)]);
}

#[test]
fn registers_are_zeroed_once_per_base_chain() {
    // A value loaded by one rule is there in the next: scratch, but the same scratch in every engine.
    let mut b = Builder::new();
    let base = b.base(Policy::Accept);
    b.rule(base, vec![load_dport()]);
    let read = b.rule(
        base,
        vec![
            Instr::Cmp {
                op: redan_vm::instr::CmpOp::Eq,
                src: Reg::R1,
                data: Data::new(&[0, 53]).unwrap(),
            },
            verdict(Verdict::Drop),
        ],
    );
    let kinds: Vec<_> = verify(&b.ruleset).iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [VerifyErrorKind::Uninitialized]);
    // Engines run it all the same.
    let mut machine = Machine {
        interpreter: redan_vm::Interpreter::new(&b.ruleset),
        state: redan_vm::State::new(&b.ruleset),
        host: redan_vm::NoHost::default(),
        now: Instant::default(),
    };
    assert_eq!(machine.run(base, &mut udp()), dropped(read));
    assert_eq!(machine.run(base, &mut udp_to(1)), policy(Final::Accept));
}

#[test]
fn dynamic_elements_have_limits_of_their_own() {
    // update @s { ip saddr limit rate over 1/hour burst 2 } drop
    let mut b = Builder::new();
    let base = b.base(Policy::Accept);
    let set = b.set(set_flags::EVAL, 4, SetData::None, &[]);
    let limit = StateSpec::Limit(LimitSpec {
        rate: 1,
        unit_secs: 3600,
        burst: 2,
        bytes: false,
        over: true,
    });
    let code = vec![
        Instr::PayloadLoad {
            base: redan_vm::instr::Base::Network,
            offset: 12,
            len: 4,
            dst: Reg::R1,
        },
        Instr::Dynset(Box::new(Dynset {
            op: DynsetOp::Update,
            set,
            key: Reg::R1,
            data: None,
            timeout_ms: None,
            exprs: vec![limit],
        })),
        verdict(Verdict::Drop),
    ];
    let rule = b.rule(base, code);
    let mut machine = Machine::new(&b.ruleset);
    let mut check = |last: u8, want| {
        let mut packet = udp();
        packet.frame[29] = last;
        assert_eq!(machine.run(base, &mut packet), want, "{last}");
    };
    check(1, policy(Final::Accept));
    check(1, policy(Final::Accept));
    check(1, dropped(rule));
    check(2, policy(Final::Accept));
    check(1, dropped(rule));
}

#[test]
fn quota_counts_every_packet_that_reaches_it() {
    let mut b = Builder::new();
    let base = b.base(Policy::Accept);
    let quota = b.state(StateSpec::Quota {
        bytes: 64,
        consumed: 0,
        over: true,
    });
    let rule = b.rule(
        base,
        vec![Instr::Quota { state: quota }, verdict(Verdict::Drop)],
    );
    let mut machine = Machine::new(&b.ruleset);
    let got: Vec<_> = (0..4).map(|_| machine.run(base, &mut udp())).collect();
    let pass = policy(Final::Accept);
    assert_eq!(got, [pass, pass, dropped(rule), dropped(rule)]);
}

#[test]
fn numgen_counts_from_zero() {
    let mut b = Builder::new();
    let base = b.base(Policy::Accept);
    let state = b.state(StateSpec::Numgen);
    let code = vec![
        Instr::Numgen {
            random: false,
            modulus: 3,
            offset: 10,
            state,
            dst: Reg::R1,
        },
        Instr::MetaSet {
            key: MetaKey::Mark,
            src: Reg::R1,
        },
    ];
    b.rule(base, code);
    let mut machine = Machine::new(&b.ruleset);
    let marks: Vec<_> = (0..5)
        .map(|_| {
            let mut packet = udp();
            machine.run(base, &mut packet);
            packet.meta.mark
        })
        .collect();
    assert_eq!(marks, [10, 11, 12, 10, 11]);
}
