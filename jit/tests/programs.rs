//! Small programs, on every engine; each says which rule decides.

mod support;

use redan_vm::ids::{ChainId, SetId, TableId};
use redan_vm::instr::{Base, ByteorderOp, CmpOp, Reject};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{ElementData, Elements, Policy, Set, SetData, StateSpec, set_flags};
use redan_vm::{Final, Instr, Packet, Reg, Ruleset, Verdict};
use support::program::{
    accept, cmp, cmp_at, counter, data, drop_it, equals, goto, jump, load, load_to, meta, reg, set,
    verdict,
};
use support::{ruleset, same, tcp};

/// One program: chains of rules of instructions, the packets, and the number of the rule that decides for each (`None` for the policy).
fn check(name: &str, chains: Vec<Vec<Vec<Instr>>>, packets: &[Packet], want: &[Option<u32>]) {
    decides(name, &ruleset(Policy::Drop, chains), packets, want);
}

fn decides(name: &str, ruleset: &Ruleset, packets: &[Packet], want: &[Option<u32>]) {
    let outcomes = same(ruleset, packets);
    let rules: Vec<_> = outcomes.iter().map(|o| o.rule.map(|id| id.0)).collect();
    assert_eq!(rules, want, "{name}");
}

/// One chain, one packet to port 80.
fn check_one(name: &str, rules: Vec<Vec<Instr>>, want: Option<u32>) {
    check(name, vec![rules], &[tcp(80)], &[want]);
}

const TCP: u8 = 6;

#[test]
fn long_chains_go_on_in_further_functions() {
    let rules = (20_u16..200)
        .map(|port| {
            vec![
                meta(MetaKey::L4proto),
                equals(&[TCP]),
                load(Base::Transport, 2, 2),
                equals(&port.to_be_bytes()),
                counter(0),
                if port % 2 == 0 { accept() } else { drop_it() },
            ]
        })
        .collect();
    let mut ruleset = ruleset(Policy::Drop, vec![rules]);
    ruleset.states.push(StateSpec::Counter {
        packets: 0,
        bytes: 0,
    });
    let packets: Vec<_> = (0..300).map(tcp).collect();
    let want: Vec<_> = (0_u32..300)
        .map(|port| (20..200).contains(&port).then(|| port - 20))
        .collect();
    decides("180 rules", &ruleset, &packets, &want);
}

#[test]
fn comparisons_of_every_length() {
    let value = [7_u8, 0, 255, 1, 128, 9, 3, 200, 4, 6, 254, 2, 1, 0, 77, 13];
    for len in 1..=value.len() {
        for place in 0..len {
            for change in [-1_i8, 0, 1] {
                let mut other = value;
                other[place] = other[place].wrapping_add_signed(change);
                let (value, other) = (&value[..len], &other[..len]);
                let ops = [
                    (CmpOp::Eq, value == other),
                    (CmpOp::Neq, value != other),
                    (CmpOp::Lt, value < other),
                    (CmpOp::Lte, value <= other),
                    (CmpOp::Gt, value > other),
                    (CmpOp::Gte, value >= other),
                ];
                let rules = ops.map(|(op, _)| {
                    // Every rule is tried, and the counter says how many comparisons held.
                    vec![set(Reg::R1, value), cmp(op, other), counter(0)]
                });
                let holds = ops.iter().filter(|(_, holds)| *holds).count();
                let mut ruleset = ruleset(Policy::Drop, vec![rules.to_vec()]);
                ruleset.states.push(StateSpec::Counter {
                    packets: 0,
                    bytes: 0,
                });
                let count = format!("packets: {holds}");
                let trail = support::trail(&mut support::compile(&ruleset), &ruleset, &[tcp(80)]);
                assert!(trail.1.contains(&count), "{value:?} {other:?}");
                same(&ruleset, &[tcp(80)]);
            }
        }
    }
}

#[test]
fn registers_overlap() {
    let ones = [0x11; 16];
    let mut expected = ones;
    expected[4..8].copy_from_slice(&[1, 2, 3, 0]);
    check_one(
        "a narrow write into a wide value",
        vec![vec![
            set(Reg::R1, &ones),
            set(reg(9), &[1, 2, 3]),
            equals(&expected),
            accept(),
        ]],
        Some(0),
    );
    let mut expected = [0; 16];
    expected[..4].copy_from_slice(&[9, 9, 9, 9]);
    expected[4..12].copy_from_slice(&[5; 8]);
    check_one(
        "a wide write across two wide values",
        vec![vec![
            set(Reg::R1, &[9; 16]),
            set(reg(11), &[0; 4]),
            set(reg(9), &[5; 8]),
            equals(&expected),
            accept(),
        ]],
        Some(0),
    );
    let shift_by_a_word = Instr::Bitwise {
        src: Reg::R1,
        dst: reg(9),
        mask: data(&[0xff; 12]),
        xor: data(&[0; 12]),
    };
    check_one(
        "a result over its own source",
        vec![vec![
            set(Reg::R1, &[1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]),
            shift_by_a_word,
            cmp_at(CmpOp::Eq, reg(9), &[1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]),
            accept(),
        ]],
        Some(0),
    );
    let swap = Instr::Byteorder {
        op: ByteorderOp::Hton,
        src: Reg::R1,
        dst: Reg::R1,
        size: 2,
        len: 2,
    };
    check_one(
        "bytes behind a swapped number stay",
        vec![vec![
            load(Base::Network, 12, 4),
            swap,
            equals(&[0, 10, 0, 1]),
            accept(),
        ]],
        Some(0),
    );
}

#[test]
fn loads_look_again_when_the_packet_has_changed() {
    let source = load(Base::Network, 12, 4);
    check_one(
        "in one rule",
        vec![
            vec![source.clone(), Instr::Notrack, source.clone(), drop_it()],
            vec![accept()],
        ],
        Some(1),
    );
    check_one(
        "in rules that begin alike",
        vec![
            vec![source.clone(), equals(&[10, 0, 0, 1]), Instr::Notrack],
            vec![source.clone(), equals(&[10, 0, 0, 1]), drop_it()],
            vec![source, equals(&[10, 0, 0, 1]), drop_it()],
            vec![accept()],
        ],
        Some(3),
    );
    let mark = |value: u8| {
        vec![
            set(Reg::R1, &[value, 0, 0, 0]),
            Instr::MetaSet {
                key: MetaKey::Mark,
                src: Reg::R1,
            },
        ]
    };
    check(
        "in a chain that is called in between",
        vec![
            vec![
                vec![meta(MetaKey::Mark), equals(&[0, 0, 0, 0]), jump(1)],
                vec![meta(MetaKey::Mark), equals(&[0, 0, 0, 0]), drop_it()],
                vec![meta(MetaKey::Mark), equals(&[7, 0, 0, 0]), accept()],
            ],
            vec![mark(7)],
        ],
        &[tcp(80)],
        &[Some(2)],
    );
}

#[test]
fn chains_call_and_return() {
    let deepest = 15;
    let mut chains: Vec<Vec<Vec<Instr>>> = (1..=deepest).map(|to| vec![vec![jump(to)]]).collect();
    chains.push(vec![vec![accept()]]);
    check("16 chains deep", chains, &[tcp(80)], &[Some(deepest)]);
    check(
        "return",
        vec![
            vec![vec![jump(1)], vec![accept()]],
            vec![vec![verdict(Verdict::Return)], vec![drop_it()]],
        ],
        &[tcp(80)],
        &[Some(1)],
    );
    check(
        "goto does not come back",
        vec![
            vec![vec![jump(1)], vec![accept()]],
            vec![vec![goto(2)], vec![drop_it()]],
            vec![vec![set(Reg::R1, &[1])]],
        ],
        &[tcp(80)],
        &[Some(1)],
    );
    check(
        "goto from the base chain ends in the policy",
        vec![vec![vec![goto(1)], vec![accept()]], vec![]],
        &[tcp(80)],
        &[None],
    );
    check(
        "return in the base chain is the policy",
        vec![vec![vec![verdict(Verdict::Return)], vec![accept()]]],
        &[tcp(80)],
        &[None],
    );
    check_one(
        "continue goes on with the rest of its rule",
        vec![
            vec![verdict(Verdict::Continue), drop_it()],
            vec![Instr::Reject(Reject::TcpReset)],
        ],
        Some(0),
    );
}

#[test]
fn verdict_maps_do_what_they_say() {
    let verdicts = [
        Verdict::Accept,
        Verdict::Drop,
        Verdict::Continue,
        Verdict::Return,
        Verdict::Jump(ChainId(1)),
        Verdict::Jump(ChainId(2)),
        Verdict::Goto(ChainId(1)),
        Verdict::Goto(ChainId(2)),
    ];
    let map = vec![
        load(Base::Transport, 2, 2),
        Instr::LookupVerdict {
            set: SetId(0),
            src: Reg::R1,
        },
    ];
    let mut ruleset = ruleset(
        Policy::Drop,
        vec![vec![map, vec![accept()]], vec![vec![drop_it()]], vec![]],
    );
    let port = |index: usize| u16::try_from(80 + index).expect("small");
    ruleset.sets.push(Set {
        table: TableId(0),
        name: "m".to_owned(),
        flags: set_flags::MAP,
        key_len: 2,
        key_parts: vec![2],
        key_types: Vec::new(),
        data: SetData::Verdict,
        timeout_ms: None,
        size: None,
        exprs: Vec::new(),
        elements: Elements {
            keys: (0..verdicts.len())
                .flat_map(|index| port(index).to_be_bytes())
                .collect(),
            flags: vec![0; verdicts.len()],
            data: verdicts.map(ElementData::Verdict).to_vec(),
            ..Elements::default()
        },
    });
    let packets: Vec<_> = (0..=verdicts.len()).map(|index| tcp(port(index))).collect();
    let want = [
        Some(0),
        Some(0),
        Some(1),
        None,
        Some(2),
        Some(1),
        Some(2),
        None,
        Some(1),
    ];
    decides("every verdict and a miss", &ruleset, &packets, &want);
}

#[test]
fn frames_of_every_length() {
    let rules = [
        (Base::Link, 0, 6),
        (Base::Link, 12, 2),
        (Base::Network, 9, 1),
        (Base::Network, 12, 8),
        (Base::Network, 12, 11),
        (Base::Transport, 0, 16),
        (Base::Transport, 13, 3),
        (Base::Inner, 0, 5),
        (Base::Inner, 0, 7),
        (Base::Tunnel, 0, 1),
        (Base::Transport, u32::MAX, 16),
    ]
    .map(|(base, offset, len)| {
        let key = reg(12);
        vec![
            load_to(base, offset, len, key),
            cmp_at(CmpOp::Neq, key, &vec![0xee; usize::from(len)]),
            counter(0),
        ]
    });
    let mut ruleset = ruleset(Policy::Accept, vec![rules.to_vec()]);
    ruleset.states.push(StateSpec::Counter {
        packets: 0,
        bytes: 0,
    });
    let mut packets = Vec::new();
    let whole = tcp(80);
    for len in 0..=whole.frame.len() {
        let mut shorter = whole.clone();
        shorter.layout.end = u32::try_from(len).expect("short");
        packets.push(shorter.clone());
        // A frame that is shorter than the layout says must not be read past its end either.
        shorter.layout.end = whole.layout.end;
        shorter.frame.truncate(len);
        packets.push(shorter);
    }
    for flags in 0..16 {
        let mut other = whole.clone();
        other.layout.flags = flags;
        packets.push(other);
    }
    for outcome in same(&ruleset, &packets) {
        assert_eq!(outcome.verdict, Final::Accept);
    }
}

/// Tables of counters and functions are longer than 65,536 entries, and offsets into them than a megabyte.
#[test]
fn counters_lie_as_far_from_the_first_as_they_like() {
    let last = 150_000;
    let mut ruleset = ruleset(Policy::Drop, vec![vec![vec![counter(last), accept()]]]);
    ruleset.states = vec![
        StateSpec::Counter {
            packets: 0,
            bytes: 0,
        };
        last as usize + 1
    ];
    decides("150,001 counters", &ruleset, &[tcp(80)], &[Some(0)]);
}
