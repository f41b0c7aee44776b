//! Counters are read back, and outlive their ruleset where a rule stays.

mod common;

use common::{Builder, Machine, dport, udp};
use redan_vm::instr::ObjectKind;
use redan_vm::ruleset::{Object, Policy};
use redan_vm::{Instr, Ruleset, State};

/// `counter; dport 53 counter; dport 53 counter` and one named counter that a rule uses; `extra` puts a rule before them.
fn ruleset(extra: bool, name: &str) -> (Ruleset, redan_vm::ids::ChainId) {
    let mut b = Builder::new();
    let base = b.base(Policy::Accept);
    if extra {
        let state = b.counter();
        b.rule(base, [dport(9), vec![Instr::Counter { state }]].concat());
    }
    for code in [Vec::new(), dport(53), dport(53)] {
        let state = b.counter();
        b.rule(base, [code, vec![Instr::Counter { state }]].concat());
    }
    let state = b.counter();
    b.rule(
        base,
        vec![Instr::Objref {
            kind: ObjectKind::Counter,
            state,
        }],
    );
    b.ruleset.objects.push(Object {
        table: redan_vm::ids::TableId(0),
        name: name.into(),
        kind: ObjectKind::Counter,
        state,
        deleted: false,
    });
    (b.ruleset, base)
}

fn packets(state: &State, ruleset: &Ruleset) -> (Vec<u64>, Vec<u64>) {
    let rules = state.rule_counters(ruleset).map(|(_, c)| c.packets);
    let named = state.named_counters(ruleset).map(|(_, c)| c.packets);
    (rules.collect(), named.collect())
}

#[test]
fn counters_are_read_by_rule_and_by_name() {
    let (rules, base) = ruleset(false, "n");
    let mut machine = Machine::new(&rules);
    machine.run(base, &mut udp());
    machine.run(base, &mut common::udp_to(1));
    assert_eq!(packets(&machine.state, &rules), (vec![2, 1, 1], vec![2]));
}

#[test]
fn a_new_ruleset_inherits_what_stays() {
    let check = |extra, name, want| {
        let (old, base) = ruleset(false, "n");
        let mut machine = Machine::new(&old);
        machine.run(base, &mut udp());
        let (new, _) = ruleset(extra, name);
        let mut state = State::new(&new);
        state.inherit(&new, machine.state, &old);
        assert_eq!(packets(&state, &new), want);
    };
    check(false, "n", (vec![1, 1, 1], vec![1]));
    check(true, "n", (vec![0, 1, 1, 1], vec![1]));
    check(false, "other", (vec![1, 1, 1], vec![0]));
}
