//! Random rulesets that a verifier would accept, and packets that they have a chance to match: few distinct byte values, so that
//! comparisons hold as often as not.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use redan_vm::ct::{CtKey, Direction};
use redan_vm::ids::{ChainId, SetId, StateId};
use redan_vm::instr::{
    Base, BitwiseRegOp, ByteorderOp, ChecksumKind, CmpOp, Dynset, DynsetOp, ExthdrOp, FibResult,
    Nat, NatKind, ObjectKind, Reject, RtKey, ShiftOp,
};
use redan_vm::meta::MetaKey;
use redan_vm::packet::{CtView, Layout, Meta, Offload, TransportSum};
use redan_vm::ruleset::{
    ElementData, Elements, LimitSpec, Policy, Set, SetData, StateSpec, set_flags,
};
use redan_vm::{Data, Instr, Packet, REGISTER_BYTES, Reg, Ruleset, Verdict};

/// Chains of a random ruleset; chain 0 is the base chain, and jumps go to higher numbers only.
const CHAINS: u32 = 4;
/// The stateful expressions that every random ruleset has, in this order.
const STATES: u32 = 6;
/// Key lengths of the sets that every random ruleset has: first plain sets, then maps, then verdict maps.
const SETS: [u8; 4] = [1, 2, 4, 16];

type Code = Vec<Instr>;

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![4 => select(vec![0_u8, 1, 2, 6, 17, 255]), 1 => any::<u8>()]
}

fn data(len: usize) -> impl Strategy<Value = Data> {
    vec(byte(), len).prop_map(|bytes| Data::new(&bytes).expect("at most 16 bytes"))
}

/// A register that has room for `len` bytes.
fn reg(len: usize) -> impl Strategy<Value = Reg> {
    let fitting: Vec<Reg> = (0..=23)
        .filter_map(Reg::new)
        .filter(|reg| reg.offset() + len.next_multiple_of(4) <= REGISTER_BYTES)
        .collect();
    prop_oneof![3 => Just(Reg::R1), 1 => select(fitting)]
}

fn len() -> impl Strategy<Value = usize> {
    prop_oneof![4 => select(vec![1_usize, 2, 4]), 1 => 1_usize..=16]
}

fn cmp_op() -> impl Strategy<Value = CmpOp> {
    select(vec![
        CmpOp::Eq,
        CmpOp::Eq,
        CmpOp::Neq,
        CmpOp::Lt,
        CmpOp::Lte,
        CmpOp::Gt,
        CmpOp::Gte,
    ])
}

/// A load of `len` bytes into a register.
fn load() -> impl Strategy<Value = (Instr, Reg, usize)> {
    let base = select(vec![
        Base::Link,
        Base::Network,
        Base::Transport,
        Base::Transport,
        Base::Inner,
        Base::Tunnel,
    ]);
    let payload = (base, select(vec![0_u32, 0, 2, 9, 12, 30, u32::MAX]), len())
        .prop_flat_map(|(base, offset, len)| (Just((base, offset, len)), reg(len)))
        .prop_map(|((base, offset, len), dst)| {
            let instr = Instr::PayloadLoad {
                base,
                offset,
                len: u8::try_from(len).expect("short"),
                dst,
            };
            (instr, dst, len)
        });
    let meta = (select(MetaKey::ALL), reg(16)).prop_map(|(key, dst)| {
        let len = key.bits().div_ceil(8) as usize;
        (Instr::MetaLoad { key, dst }, dst, len)
    });
    let common = (
        select(vec![
            MetaKey::L4proto,
            MetaKey::Nfproto,
            MetaKey::Iifname,
            MetaKey::Mark,
        ]),
        Just(Reg::R1),
    )
        .prop_map(|(key, dst)| {
            let len = key.bits().div_ceil(8) as usize;
            (Instr::MetaLoad { key, dst }, dst, len)
        });
    let direction = option::of(select(vec![Direction::Original, Direction::Reply]));
    let keys = prop_oneof![
        1 => select(CtKey::ALL),
        1 => select(vec![CtKey::State, CtKey::Mark, CtKey::Status]),
    ];
    let ct = (keys, direction, reg(16)).prop_map(|(key, direction, dst)| {
        let len = key.bits().div_ceil(8) as usize;
        let instr = Instr::CtLoad {
            key,
            direction,
            dst,
        };
        (instr, dst, len)
    });
    let immediate = (len(), reg(16))
        .prop_flat_map(|(len, dst)| (data(len), Just(dst), Just(len)))
        .prop_map(|(data, dst, len)| (Instr::Immediate { dst, data }, dst, len));
    prop_oneof![6 => payload, 1 => meta, 3 => common, 2 => ct, 1 => immediate]
}

/// Other instructions that give a value of four bytes.
fn odd_load() -> impl Strategy<Value = (Instr, Reg, usize)> {
    let exthdr = (
        select(vec![ExthdrOp::Ipv6, ExthdrOp::Tcpopt, ExthdrOp::Ipv4]),
        byte(),
        any::<bool>(),
    )
        .prop_map(|(op, kind, present)| Instr::ExthdrLoad {
            op,
            kind,
            offset: 0,
            len: 4,
            present,
            dst: Reg::R1,
        });
    let fib = select(vec![0_u32, 32]).prop_map(|flags| Instr::Fib {
        flags: flags | 1,
        result: FibResult::Oif,
        dst: Reg::R1,
    });
    let rt = Just(Instr::Rt {
        key: RtKey::Nexthop4,
        dst: Reg::R1,
    });
    let numgen = any::<bool>().prop_map(|random| Instr::Numgen {
        random,
        modulus: 3,
        offset: 0,
        state: StateId(4),
        dst: Reg::R1,
    });
    let symhash = Just(Instr::Symhash {
        dst: Reg::R1,
        modulus: 4,
        offset: 0,
    });
    prop_oneof![exthdr, fib, rt, numgen, symhash].prop_map(|instr| (instr, Reg::R1, 4))
}

/// Changes a value of `len` bytes in `src`; gives where it is then.
fn transform(src: Reg, len: usize) -> BoxedStrategy<(Code, Reg)> {
    let bitwise = (data(len), data(len), reg(len)).prop_map(move |(mask, xor, dst)| {
        let instr = Instr::Bitwise {
            src,
            dst,
            mask,
            xor,
        };
        (vec![instr], dst)
    });
    let short = u8::try_from(len).expect("short");
    let len_u8 = short;
    let sizes = vec![2_u8, 4, 8];
    let fewer = prop_oneof![3 => Just(short), 1 => 1..=short];
    let byteorder = (select(sizes), reg(len), any::<bool>(), fewer).prop_map(
        move |(size, dst, same, short)| {
            // What lies behind the last number stays, so it has to be known.
            let dst = if same || short != len_u8 || short % 4 != 0 {
                src
            } else {
                dst
            };
            let instr = Instr::Byteorder {
                op: ByteorderOp::Hton,
                src,
                dst,
                size,
                len: short,
            };
            (vec![instr], dst)
        },
    );
    let shift = (any::<bool>(), 0_u32..32, reg(len)).prop_map(move |(left, bits, dst)| {
        let op = if left { ShiftOp::Left } else { ShiftOp::Right };
        let instr = Instr::BitwiseShift {
            op,
            src,
            dst,
            len: short,
            bits,
        };
        (vec![instr], dst)
    });
    let combine = reg(len).prop_map(move |dst| {
        let instr = Instr::BitwiseReg {
            op: BitwiseRegOp::Xor,
            src,
            src2: src,
            dst,
            len: short,
        };
        (vec![instr], dst)
    });
    let jhash = Just((
        vec![Instr::Jhash {
            src,
            len: short,
            dst: src,
            seed: Some(1),
            modulus: 2,
            offset: 0,
        }],
        src,
    ));
    let one = prop_oneof![4 => bitwise, 3 => byteorder, 1 => shift, 1 => combine, 1 => jhash];
    prop_oneof![3 => Just((Vec::new(), src)), 1 => one].boxed()
}

/// Tests a value of `len` bytes in `src`.
fn test(src: Reg, len: usize) -> BoxedStrategy<Instr> {
    let shorter = (1..=len).prop_flat_map(data);
    let cmp = (cmp_op(), prop_oneof![4 => data(len), 1 => shorter])
        .prop_map(move |(op, data)| Instr::Cmp { op, src, data });
    let range = (any::<bool>(), data(len), data(len)).prop_map(move |(negated, one, other)| {
        let (from, to) = if one.as_bytes() <= other.as_bytes() {
            (one, other)
        } else {
            (other, one)
        };
        Instr::Range {
            negated,
            src,
            from,
            to,
        }
    });
    let sets: Vec<u32> = (0..)
        .zip(SETS)
        .filter(|&(_, key)| {
            usize::from(key) <= len.next_multiple_of(4) && src.offset() + usize::from(key) <= 64
        })
        .map(|(set, _)| set)
        .collect();
    if sets.is_empty() {
        return prop_oneof![3 => cmp, 1 => range].boxed();
    }
    let lookup =
        (select(sets), any::<bool>(), any::<bool>()).prop_map(move |(set, inverted, map)| {
            Instr::Lookup {
                set: SetId(set + if map { 4 } else { 0 }),
                src,
                dst: map.then_some(Reg::R4),
                inverted: inverted && !map,
            }
        });
    prop_oneof![6 => cmp, 1 => range, 2 => lookup].boxed()
}

/// A load, perhaps a change, and a test.
fn matching() -> impl Strategy<Value = Code> {
    prop_oneof![8 => load().boxed(), 1 => odd_load().boxed()].prop_flat_map(|(load, src, len)| {
        // Keys of 64 bits and names fit, whatever the register: it was chosen for 16 bytes.
        transform(src, len).prop_flat_map(move |(change, src)| {
            let mut code = vec![load.clone()];
            code.extend(change);
            test(src, len).prop_map(move |test| {
                let mut code = code.clone();
                code.push(test);
                code
            })
        })
    })
}

/// A statement without a verdict.
fn statement() -> impl Strategy<Value = Code> {
    let stateful = select(vec![
        Instr::Counter { state: StateId(0) },
        Instr::Limit { state: StateId(1) },
        Instr::Quota { state: StateId(2) },
        Instr::Last { state: StateId(3) },
        Instr::Counter { state: StateId(5) },
        Instr::Objref {
            kind: ObjectKind::Counter,
            state: StateId(5),
        },
        Instr::Log(Box::default()),
        Instr::Notrack,
    ])
    .prop_map(|instr| vec![instr]);
    let keys = select(vec![MetaKey::Mark, MetaKey::Priority, MetaKey::Pkttype]);
    let store = (data(4), keys, any::<bool>()).prop_map(|(data, key, ct)| {
        let store = if ct {
            Instr::CtSet {
                key: CtKey::Mark,
                direction: None,
                src: Reg::R1,
            }
        } else {
            Instr::MetaSet { key, src: Reg::R1 }
        };
        let dst = Reg::R1;
        vec![Instr::Immediate { dst, data }, store]
    });
    let write = (1_usize..=4)
        .prop_flat_map(|len| (data(len), Just(len)))
        .prop_map(|(data, len)| {
            let write = Instr::PayloadWrite {
                base: Base::Network,
                offset: 12,
                len: u8::try_from(len).expect("short"),
                src: Reg::R1,
                csum: ChecksumKind::Inet,
                csum_offset: 10,
                csum_flags: 1,
            };
            let dst = Reg::R1;
            vec![Instr::Immediate { dst, data }, write]
        });
    let nat = data(4).prop_map(|data| {
        let nat = Nat {
            kind: NatKind::Dnat,
            nfproto: 2,
            addr_min: Some(Reg::R1),
            addr_max: None,
            proto_min: None,
            proto_max: None,
            flags: 0,
        };
        let dst = Reg::R1;
        vec![Instr::Immediate { dst, data }, Instr::Nat(Box::new(nat))]
    });
    let dynset = data(4).prop_map(|data| {
        let dynset = Dynset {
            op: DynsetOp::Update,
            set: SetId(2),
            key: Reg::R1,
            data: None,
            timeout_ms: None,
            exprs: Vec::new(),
        };
        let dst = Reg::R1;
        vec![
            Instr::Immediate { dst, data },
            Instr::Dynset(Box::new(dynset)),
        ]
    });
    prop_oneof![5 => stateful, 3 => store, 2 => write, 2 => nat, 1 => dynset]
}

/// How a rule of a chain ends.
fn end(chain: u32) -> BoxedStrategy<Code> {
    let plain = select(vec![
        Verdict::Accept,
        Verdict::Drop,
        Verdict::Continue,
        Verdict::Return,
    ])
    .prop_map(|verdict| vec![Instr::ImmediateVerdict { verdict }]);
    let last = select(vec![
        vec![Instr::Reject(Reject::Icmpx(1))],
        vec![Instr::Queue {
            num: (3, 3),
            bypass: true,
            fanout: false,
            sreg: None,
        }],
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
    ]);
    if chain + 1 == CHAINS {
        return prop_oneof![plain, last].boxed();
    }
    let call = (chain + 1..CHAINS, any::<bool>()).prop_map(|(to, jump)| {
        let to = ChainId(to);
        let verdict = if jump {
            Verdict::Jump(to)
        } else {
            Verdict::Goto(to)
        };
        vec![Instr::ImmediateVerdict { verdict }]
    });
    let map = (load(), 0_u32..4).prop_map(move |((load, src, len), map)| {
        let key = usize::from(SETS[map as usize]);
        let mut code = vec![load];
        // Verdict maps of the base chain jump, so they are its own.
        if chain == 0 && key <= len.next_multiple_of(4) && src.offset() + key <= REGISTER_BYTES {
            let set = SetId(8 + map);
            code.push(Instr::LookupVerdict { set, src });
        }
        code
    });
    prop_oneof![3 => plain, 2 => last, 2 => call, 2 => map].boxed()
}

fn rule(chain: u32) -> impl Strategy<Value = Code> {
    let body = prop_oneof![3 => matching().boxed(), 2 => statement().boxed()];
    (vec(body, 0..3), end(chain)).prop_map(|(mut body, end)| {
        body.push(end);
        body.concat()
    })
}

/// Rules of one chain, in runs that begin with the same test, as in real rulesets.
fn rules(chain: u32) -> impl Strategy<Value = Vec<Code>> {
    let run = (matching(), vec(rule(chain), 1..4)).prop_map(|(shared, rules)| {
        let with_test = |mut rule: Code| {
            rule.splice(0..0, shared.iter().cloned());
            rule
        };
        rules.into_iter().map(with_test).collect()
    });
    let single = rule(chain).prop_map(|rule| vec![rule]);
    vec(prop_oneof![run.boxed(), single.boxed()], 0..6).prop_map(|runs| runs.concat())
}

fn elements(key_len: u8, kind: SetData) -> impl Strategy<Value = Elements> {
    let one = (vec(byte(), usize::from(key_len)), data(4), 0..6_u32);
    vec(one, 0..12).prop_map(move |all| {
        let mut elements = Elements::default();
        let mut seen = std::collections::BTreeSet::new();
        for (key, value, verdict) in all {
            if !seen.insert(key.clone()) {
                continue;
            }
            elements.keys.extend(key);
            elements.flags.push(0);
            match kind {
                SetData::None | SetData::Object(_) => {}
                SetData::Value(_) => elements.data.push(ElementData::Value(value)),
                SetData::Verdict => elements.data.push(ElementData::Verdict(match verdict {
                    0 => Verdict::Accept,
                    1 => Verdict::Drop,
                    2 => Verdict::Continue,
                    3 => Verdict::Return,
                    4 => Verdict::Jump(ChainId(1)),
                    _ => Verdict::Goto(ChainId(2)),
                })),
            }
        }
        elements
    })
}

fn set(key_len: u8, data: SetData) -> impl Strategy<Value = Set> {
    elements(key_len, data).prop_map(move |elements| Set {
        table: redan_vm::ids::TableId(0),
        name: "s".to_owned(),
        flags: match data {
            SetData::None => set_flags::EVAL,
            SetData::Value(_) | SetData::Verdict | SetData::Object(_) => set_flags::MAP,
        },
        key_len,
        key_parts: vec![key_len],
        key_types: Vec::new(),
        data,
        timeout_ms: None,
        size: Some(16),
        exprs: Vec::new(),
        elements,
    })
}

fn states() -> Vec<StateSpec> {
    let states = vec![
        StateSpec::Counter {
            packets: 3,
            bytes: 4,
        },
        StateSpec::Limit(LimitSpec {
            rate: 2,
            unit_secs: 1,
            burst: 3,
            bytes: false,
            over: false,
        }),
        StateSpec::Quota {
            bytes: 200,
            consumed: 0,
            over: false,
        },
        StateSpec::Last { used_ms: None },
        StateSpec::Numgen,
        StateSpec::Counter {
            packets: 0,
            bytes: 0,
        },
    ];
    assert_eq!(states.len(), STATES as usize);
    states
}

/// A ruleset with sets and stateful expressions.
pub(crate) fn ruleset() -> impl Strategy<Value = Ruleset> {
    let chains = (rules(0), rules(1), rules(2), rules(3));
    let sets: Vec<_> = [SetData::None, SetData::Value(4), SetData::Verdict]
        .into_iter()
        .flat_map(|data| SETS.map(|key_len| set(key_len, data)))
        .collect();
    (chains, sets, any::<bool>()).prop_map(|((a, b, c, d), sets, accept)| {
        let policy = if accept { Policy::Accept } else { Policy::Drop };
        let mut ruleset = super::ruleset(policy, vec![a, b, c, d]);
        ruleset.sets = sets;
        ruleset.states = states();
        ruleset
    })
}

/// A packet whose layout is possible, though its bytes are random.
pub(crate) fn packet() -> impl Strategy<Value = Packet> {
    let bytes = vec(byte(), 34..90);
    let meta = (
        byte(),
        byte(),
        select(vec![2_u8, 10]),
        0_usize..3,
        any::<u8>(),
    );
    let ct = (
        select(vec![1_u32, 2, 4, 8, 64]),
        any::<bool>(),
        byte(),
        any::<bool>(),
    );
    (bytes, meta, ct, any::<[prop::sample::Index; 4]>()).prop_map(
        |(frame, (mark, proto, nfproto, name, flags), (state, entry, ct_mark, reply), places)| {
            let end = places[0].index(frame.len() + 1);
            let within =
                |place: &prop::sample::Index| u32::try_from(place.index(end + 1)).expect("short");
            let mut meta = Meta {
                len: u32::try_from(frame.len()).expect("short"),
                mark: u32::from(mark),
                iif: 2,
                nfproto,
                ..Meta::default()
            };
            meta.iifname = [name.try_into().expect("small"); 16];
            let transport = within(&places[2]);
            let mut offload = Offload::default();
            if flags & 16 != 0 {
                offload.sum = TransportSum::Partial {
                    start: u16::try_from(transport).expect("short"),
                    field: 16,
                };
            }
            Packet {
                layout: Layout {
                    link: 0,
                    network: within(&places[1]),
                    transport,
                    inner: within(&places[3]),
                    end: u32::try_from(end).expect("short"),
                    l4proto: proto,
                    flags: flags & 15,
                    nfproto,
                    ethertype: if nfproto == 2 { 0x0800 } else { 0x86dd },
                    ..Layout::default()
                },
                meta,
                ct: CtView {
                    state,
                    status: 8,
                    mark: u32::from(ct_mark),
                    entry: 1,
                    has_entry: u8::from(entry),
                    direction: if reply {
                        Direction::Reply
                    } else {
                        Direction::Original
                    },
                    ..CtView::default()
                },
                frame,
                offload,
            }
        },
    )
}
