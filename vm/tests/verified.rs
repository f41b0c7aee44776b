//! Verified bytecode of every kind runs on any packet without a panic, and prints.

#![expect(clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{Machine, random, udp};
use proptest::prelude::*;
use redan_vm::engine::{Env, Final, Outcome};
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::ops::{self, Step};
use redan_vm::packet::{Layout, LinkKind, dissect};
use redan_vm::ruleset::Policy;
use redan_vm::text::print_ruleset;
use redan_vm::{Engine, Instant, NoHost, Packet, Regs, Ruleset, State, Tracer, Verdict};

/// Packets whose layout says what the frame does not keep.
fn lying() -> impl Strategy<Value = Packet> {
    let layout = (
        any::<[u32; 5]>(),
        any::<[u8; 4]>(),
        0..3_usize,
        any::<bool>(),
    );
    (proptest::collection::vec(any::<u8>(), 0..120), layout).prop_map(|(frame, layout)| {
        let ([link, network, transport, inner, end], [l4proto, flags, more, _], family, small) =
            layout;
        let cut = |at: u32| if small { at % 128 } else { at };
        Packet {
            layout: Layout {
                link: cut(link),
                network: cut(network),
                transport: cut(transport),
                inner: cut(inner),
                end: cut(end),
                l4proto: [6, 17, 58, 132, 33, l4proto][usize::from(l4proto) % 6],
                flags,
                more_fragments: more & 1,
                nfproto: [2, 10, 3][family],
                ..Layout::default()
            },
            frame,
            ..Packet::default()
        }
    })
}

/// A UDP packet with some bytes changed.
fn mutated() -> impl Strategy<Value = Packet> {
    let change = (0..46_usize, any::<u8>());
    proptest::collection::vec(change, 0..6).prop_map(|changes| {
        let mut packet = udp();
        for (at, byte) in changes {
            packet.frame[at] = byte;
        }
        if let Ok(layout) = dissect(&packet.frame, LinkKind::Ethernet) {
            packet.layout = layout;
        }
        packet
    })
}

fn packets() -> impl Strategy<Value = Vec<Packet>> {
    proptest::collection::vec(prop_oneof![lying(), mutated()], 1..6)
}

/// A rule's instructions one by one.
fn plain_rule(
    ruleset: &Ruleset,
    rule: RuleId,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Step {
    for instr in &ruleset.rules[rule.index()].code {
        let step = ops::run(instr, rule, packet, regs, env);
        if step != Step::Next {
            return step;
        }
    }
    Step::Next
}

/// A chain by recursion: what decided, or nothing when it ended or returned. A goto's end is its chain's end.
fn plain_chain(
    ruleset: &Ruleset,
    chain: ChainId,
    packet: &mut Packet,
    regs: &mut Regs,
    env: &mut Env<'_>,
) -> Option<Outcome> {
    for rule in &ruleset.chains[chain.index()].rules {
        let verdict = match plain_rule(ruleset, *rule, packet, regs, env) {
            Step::Next | Step::Break | Step::Verdict(Verdict::Continue) => continue,
            Step::Verdict(Verdict::Return) => return None,
            Step::Verdict(Verdict::Accept) => Final::Accept,
            Step::Verdict(Verdict::Drop) => Final::Drop,
            Step::Verdict(Verdict::Goto(to)) => return plain_chain(ruleset, to, packet, regs, env),
            Step::Verdict(Verdict::Jump(to)) => match plain_chain(ruleset, to, packet, regs, env) {
                Some(outcome) => return Some(outcome),
                None => continue,
            },
            Step::Final(verdict) => verdict,
        };
        return Some(Outcome {
            verdict,
            rule: Some(*rule),
        });
    }
    None
}

/// A base chain by the obvious way: each instruction as it is, recursion for jumps.
fn plain(ruleset: &Ruleset, chain: ChainId, packet: &mut Packet, env: &mut Env<'_>) -> Outcome {
    let policy = ruleset.chains[chain.index()]
        .base
        .as_ref()
        .map(|base| base.policy);
    let verdict = if policy == Some(Policy::Drop) {
        Final::Drop
    } else {
        Final::Accept
    };
    plain_chain(ruleset, chain, packet, &mut Regs::default(), env).unwrap_or(Outcome {
        verdict,
        rule: None,
    })
}

proptest! {
    #[test]
    fn decoded_code_does_what_its_instructions_do(bytes in proptest::collection::vec(any::<u8>(), 0..1500), packets in packets()) {
        let ruleset = random::ruleset(&bytes);
        let mut machine = Machine::new(&ruleset);
        let mut state = State::new(&ruleset);
        let mut host = NoHost::default();
        for mut packet in packets {
            let mut other = packet.clone();
            let mut env = Env { now: machine.now, state: &mut state, host: &mut host };
            let want = plain(&ruleset, ChainId(0), &mut other, &mut env);
            prop_assert_eq!(machine.run(ChainId(0), &mut packet), want);
            prop_assert_eq!(&packet.frame, &other.frame);
            prop_assert_eq!(packet.meta, other.meta);
            prop_assert_eq!(machine.state.counters_mut(), state.counters_mut());
        }
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..1500), packets in packets()) {
        let ruleset = random::ruleset(&bytes);
        let mut machine = Machine::new(&ruleset);
        for mut packet in packets {
            for chain in 0..2 {
                machine.run(ChainId(chain), &mut packet);
            }
            machine.now = Instant::from_nanos(machine.now.as_nanos() + 300_000_000);
        }
    }

    #[test]
    fn tracing_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..1500), packets in packets()) {
        let ruleset = random::ruleset(&bytes);
        let mut plain = Machine::new(&ruleset);
        let mut tracing = Tracer::new(&ruleset);
        let mut state = State::new(&ruleset);
        let mut host = NoHost::default();
        for mut packet in packets {
            let mut other = packet.clone();
            let mut env = Env { now: plain.now, state: &mut state, host: &mut host };
            let got = tracing.run(ChainId(0), &mut other, &mut env);
            prop_assert_eq!(plain.run(ChainId(0), &mut packet), got);
            prop_assert_eq!(&packet.frame, &other.frame);
            prop_assert_eq!(packet.meta, other.meta);
        }
    }

    #[test]
    fn prints(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
        let ruleset = random::ruleset(&bytes);
        let mut out = String::new();
        prop_assert!(print_ruleset(&ruleset, &mut out).is_ok());
        for line in out.lines() {
            let instruction = line.starts_with("  [ ") && line.ends_with(" ]");
            prop_assert!(line.is_empty() || instruction || line == "ip t c0" || line.starts_with("ip t c"), "{}", line);
            prop_assert!(line != "  [  ]");
        }
    }
}
