//! Nanoseconds per frame of the interpreter and of native code: chains whose rules all miss, and lookups in a set of 10,000 addresses.
//! Read the throughput, and read it as ratios: both engines run in one process, on the same packets.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use redan_vm::ids::{ChainId, SetId, TableId};
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{Elements, Policy, Set, SetData, set_flags};
use redan_vm::{Engine, Env, Instant, Instr, Interpreter, NoHost, Packet, Reg, Ruleset, State};
use support::program::{drop_it, equals, load, meta};
use support::{compile, ruleset, tcp};

const TCP: u8 = 6;
const UDP: u8 = 17;
const ELEMENTS: u32 = 10_000;

/// `PROTO dport PORT drop`.
fn port_rule(proto: u8, port: u16) -> Vec<Instr> {
    vec![
        meta(MetaKey::L4proto),
        equals(&[proto]),
        load(Base::Transport, 2, 2),
        equals(&port.to_be_bytes()),
        drop_it(),
    ]
}

/// Rules that begin with one of four different loads by turns, so that neighbours have nothing in common.
fn mixed_rule(number: u16) -> Vec<Instr> {
    let [high, low] = number.to_be_bytes();
    match number % 4 {
        0 => port_rule(UDP, number),
        1 => vec![
            load(Base::Network, 12, 4),
            equals(&[172, 16, high, low]),
            drop_it(),
        ],
        2 => port_rule(TCP, 1000 + number),
        _ => vec![
            load(Base::Network, 16, 4),
            equals(&[172, 16, high, low]),
            drop_it(),
        ],
    }
}

fn rules(count: u16, rule: impl Fn(u16) -> Vec<Instr>) -> Ruleset {
    ruleset(Policy::Accept, vec![(0..count).map(rule).collect()])
}

/// The address with this number in the set, or, for numbers that are too high, beside it.
fn address(number: u32) -> [u8; 4] {
    number.wrapping_mul(0x9e37_79b1).to_be_bytes()
}

fn set_ruleset() -> Ruleset {
    let lookup = Instr::Lookup {
        set: SetId(0),
        src: Reg::R1,
        dst: None,
        inverted: false,
    };
    let mut ruleset = rules(1, |_| {
        vec![load(Base::Network, 12, 4), lookup.clone(), drop_it()]
    });
    ruleset.sets.push(Set {
        table: TableId(0),
        name: "s".to_owned(),
        flags: set_flags::ANONYMOUS | set_flags::CONSTANT,
        key_len: 4,
        key_parts: vec![4],
        key_types: Vec::new(),
        data: SetData::None,
        timeout_ms: None,
        size: None,
        exprs: Vec::new(),
        elements: Elements {
            keys: (0..ELEMENTS).flat_map(address).collect(),
            flags: vec![0; ELEMENTS as usize],
            ..Elements::default()
        },
    });
    ruleset
}

/// Runs each packet in turn through the base chain.
fn measure(c: &mut Criterion, group: &str, size: u32, ruleset: &Ruleset, packets: &[Packet]) {
    let mut group = c.benchmark_group(group);
    let engines: [(&str, Box<dyn Engine>); 2] = [
        ("interpreter", Box::new(Interpreter::new(ruleset))),
        ("native", Box::new(compile(ruleset))),
    ];
    for (name, mut engine) in engines {
        let mut state = State::new(ruleset);
        let mut packets = packets.to_vec();
        group.throughput(Throughput::Elements(packets.len() as u64));
        group.bench_function(BenchmarkId::new(name, size), |b| {
            b.iter(|| {
                for packet in &mut packets {
                    let mut env = Env {
                        now: Instant::from_secs(1),
                        state: &mut state,
                        host: &mut NoHost::default(),
                    };
                    black_box(engine.run(ChainId(0), packet, &mut env));
                }
            });
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    let ssh = vec![tcp(22); 100];
    for count in [10, 100, 1000] {
        let size = u32::from(count);
        let first = rules(count, |number| port_rule(UDP, 1000 + number));
        measure(c, "first test misses", size, &first, &ssh);
        let second = rules(count, |number| port_rule(TCP, 1000 + number));
        measure(c, "second test misses", size, &second, &ssh);
        let mixed = rules(count, mixed_rule);
        measure(c, "neighbours differ", size, &mixed, &ssh);
    }
    let from = |number| {
        let mut packet = tcp(22);
        packet.frame.splice(26..30, address(number));
        packet
    };
    let hits: Vec<Packet> = (0..1000).map(|number| from(number * 7)).collect();
    measure(c, "set hit", ELEMENTS, &set_ruleset(), &hits);
    let misses: Vec<Packet> = (0..1000).map(|number| from(ELEMENTS + number)).collect();
    measure(c, "set miss", ELEMENTS, &set_ruleset(), &misses);
    let thousand = rules(1000, mixed_rule);
    c.bench_function("compile 1000 rules", |b| b.iter(|| compile(&thousand)));
}

criterion_group!(benches, all);
criterion_main!(benches);
