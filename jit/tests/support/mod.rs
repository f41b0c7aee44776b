//! Small rulesets and packets made by hand, and the check that every engine gives the same for them.
#![expect(dead_code, reason = "each test file uses a part of it")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "made-up rulesets and packets; what does not fit is a mistake in the test"
)]

use std::sync::Arc;

use redan_jit::Jit;
use redan_vm::family::{ChainType, Family, Hook};
use redan_vm::ids::{ChainId, FileId, RuleId, TableId};
use redan_vm::packet::{Layout, layout_flags};
use redan_vm::ruleset::{BaseChain, Chain, Origin, Policy, Rule, Table};
use redan_vm::verify::verify;
use redan_vm::{Engine, Env, Instant, Instr, Interpreter, Outcome, Packet, Ruleset, State};

pub(crate) mod generate;
pub(crate) mod program;
pub(crate) mod recorder;
pub(crate) mod reference;
use recorder::Recorder;
use reference::Reference;

/// A ruleset of one inet table; the first chain is a base chain.
pub(crate) fn ruleset(policy: Policy, chains: Vec<Vec<Vec<Instr>>>) -> Ruleset {
    let mut ruleset = Ruleset {
        tables: vec![Table {
            family: Family::Inet,
            name: "t".to_owned(),
            dormant: false,
        }],
        ..Ruleset::default()
    };
    for (number, rules) in (0_u32..).zip(chains) {
        let mut ids = Vec::new();
        for code in rules {
            let id = u32::try_from(ruleset.rules.len()).expect("few rules");
            ruleset.rules.push(Rule {
                chain: ChainId(number),
                code,
                origin: Origin {
                    file: FileId(0),
                    line: id + 1,
                },
                comment: None,
                sets: Vec::new(),
            });
            ids.push(RuleId(id));
        }
        ruleset.chains.push(Chain {
            table: TableId(0),
            name: format!("c{number}"),
            base: (number == 0).then_some(BaseChain {
                chain_type: ChainType::Filter,
                hook: Hook::Forward,
                priority: 0,
                policy,
                devices: Vec::new(),
            }),
            rules: ids,
            deleted: false,
        });
    }
    ruleset
}

/// A TCP packet over IPv4 and Ethernet from 10.0.0.1:40000 to 10.0.0.2:`dport`.
pub(crate) fn tcp(dport: u16) -> Packet {
    let mut frame = vec![0; 14 + 20 + 20 + 6];
    frame[..14].copy_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);
    frame[14..34].copy_from_slice(&[
        0x45, 0, 0, 46, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    frame[34..36].copy_from_slice(&40000_u16.to_be_bytes());
    frame[36..38].copy_from_slice(&dport.to_be_bytes());
    frame[46] = 0x50;
    frame[47] = 2;
    frame[54..].copy_from_slice(b"hello!");
    let mut packet = Packet {
        layout: Layout {
            link: 0,
            network: 14,
            transport: 34,
            inner: 54,
            end: 60,
            l4proto: 6,
            flags: layout_flags::LINK
                | layout_flags::L4PROTO
                | layout_flags::TRANSPORT
                | layout_flags::INNER,
            nfproto: 2,
            ethertype: 0x0800,
            ..Layout::default()
        },
        frame,
        ..Packet::default()
    };
    packet.meta.len = 46;
    packet.meta.nfproto = 2;
    packet.meta.iif = 2;
    packet.meta.iifname[..4].copy_from_slice(b"lan0");
    packet
}

/// What became of a row of packets: each with its outcome, then the state, then what the host was asked.
pub(crate) type Trail = (Vec<(Outcome, String)>, String, Recorder);

/// Runs the base chain on packets, a second apart.
pub(crate) fn trail(engine: &mut dyn Engine, ruleset: &Ruleset, packets: &[Packet]) -> Trail {
    let mut state = State::new(ruleset);
    let mut host = Recorder::default();
    let mut outcomes = Vec::new();
    for (second, packet) in (1_700_000_000..).zip(packets) {
        let mut packet = packet.clone();
        let mut env = Env {
            now: Instant::from_secs(second),
            state: &mut state,
            host: &mut host,
        };
        let outcome = engine.run(ChainId(0), &mut packet, &mut env);
        outcomes.push((outcome, format!("{packet:?}")));
    }
    (outcomes, format!("{state:?}"), host)
}

/// Native code of a ruleset.
pub(crate) fn compile(ruleset: &Ruleset) -> Jit {
    Jit::compile(Arc::new(ruleset.clone())).expect("compiles")
}

/// Runs packets through every engine; gives their outcomes, which must be the same.
pub(crate) fn same(ruleset: &Ruleset, packets: &[Packet]) -> Vec<Outcome> {
    assert_eq!(verify(ruleset), []);
    let expected = trail(&mut Reference { ruleset }, ruleset, packets);
    let interpreted = trail(&mut Interpreter::new(ruleset), ruleset, packets);
    assert_eq!(interpreted, expected, "interpreter");
    let native = trail(&mut compile(ruleset), ruleset, packets);
    assert_eq!(native, expected, "native code");
    expected.0.iter().map(|(outcome, _)| *outcome).collect()
}
