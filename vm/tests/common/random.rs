//! Rulesets made from random bytes: any instruction with any operands. What the verifier refuses is taken out, so that what is left is
//! verified bytecode of every kind.

use redan_vm::ct::{CtKey, Direction};
use redan_vm::ids::{ChainId, RuleId, SetId, StateId};
use redan_vm::instr::{
    Base, BitwiseRegOp, ByteorderOp, ChecksumKind, CmpOp, Dynset, DynsetOp, ExthdrOp, FibResult,
    Nat, NatKind, ObjectKind, Reject, RtKey, ShiftOp, SocketKey, XfrmKey,
};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{ElementData, LimitSpec, Policy, SetData, StateSpec, set_flags};
use redan_vm::verify::{Place, verify};
use redan_vm::{Data, Instr, Reg, Ruleset, Verdict};

use super::Builder;

/// Choices, read from bytes; zeros when they run out.
pub struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()]
    }

    /// Mostly the registers that real code uses, sometimes any.
    fn reg(&mut self) -> Reg {
        let number = self.below(40);
        Reg::new(number).unwrap_or(Reg::R1)
    }

    fn maybe_reg(&mut self) -> Option<Reg> {
        self.flag().then(|| self.reg())
    }

    fn len(&mut self) -> u8 {
        let any = self.below(17);
        self.of(&[1, 2, 4, 4, 16, any])
    }

    fn data(&mut self, len: u8) -> Data {
        // Small values meet real packets more often.
        let small = self.flag();
        let bytes: Vec<u8> = (0..len)
            .map(|_| if small { self.below(3) } else { self.byte() })
            .collect();
        Data::new(&bytes).unwrap_or(Data::zero(0))
    }

    /// An offset that most often lies within the headers.
    fn offset(&mut self) -> u32 {
        if self.below(16) == 0 {
            self.word()
        } else {
            u32::from(self.below(44))
        }
    }

    fn base(&mut self) -> Base {
        self.of(&[
            Base::Network,
            Base::Transport,
            Base::Link,
            Base::Inner,
            Base::Tunnel,
        ])
    }

    fn verdict(&mut self) -> Verdict {
        let chain = ChainId(u32::from(self.below(5)));
        self.of(&[
            Verdict::Accept,
            Verdict::Drop,
            Verdict::Continue,
            Verdict::Return,
            Verdict::Jump(chain),
            Verdict::Goto(chain),
        ])
    }

    fn limit(&mut self) -> LimitSpec {
        LimitSpec {
            rate: u64::from(self.byte()),
            unit_secs: self.of(&[1, 60, 604_800]),
            burst: u32::from(self.below(4)),
            bytes: self.flag(),
            over: self.flag(),
        }
    }

    fn state_spec(&mut self) -> StateSpec {
        match self.below(7) {
            0 => StateSpec::Limit(self.limit()),
            1 => StateSpec::Quota {
                bytes: u64::from(self.byte()),
                consumed: 0,
                over: self.flag(),
            },
            2 => StateSpec::Last { used_ms: None },
            3 => StateSpec::Connlimit {
                count: u32::from(self.below(3)),
                over: self.flag(),
            },
            4 => StateSpec::Numgen,
            5 => StateSpec::Synproxy {
                mss: 1460,
                wscale: 7,
                flags: 0,
            },
            _ => StateSpec::Counter {
                packets: 0,
                bytes: 0,
            },
        }
    }

    fn state(&mut self) -> StateId {
        StateId(u32::from(self.below(12)))
    }

    fn set(&mut self) -> SetId {
        SetId(u32::from(self.below(7)))
    }
}

/// Any instruction.
pub fn instr(c: &mut Choices<'_>) -> Instr {
    match c.below(8) {
        0 | 1 => load(c),
        2 => test(c),
        3 => compute(c),
        4 => set_use(c),
        5 => stateful(c),
        6 => change(c),
        _ => statement(c),
    }
}

/// What real rules begin with: a load, perhaps a mask, and a comparison of what was loaded.
fn matching(c: &mut Choices<'_>) -> Vec<Instr> {
    let dst = c.reg();
    let (load, len) = match c.below(8) {
        0 => (
            Instr::CtLoad {
                key: CtKey::State,
                direction: None,
                dst,
            },
            4,
        ),
        1 => {
            let key = c.of(&[MetaKey::L4proto, MetaKey::Nfproto, MetaKey::Pkttype]);
            (Instr::MetaLoad { key, dst }, 1)
        }
        2 => {
            let key = c.of(&[MetaKey::Iifname, MetaKey::Oifname]);
            (Instr::MetaLoad { key, dst }, 16)
        }
        _ => {
            let len = c.of(&[1, 2, 3, 4, 4, 6, 16]);
            let (base, offset) = (c.base(), c.offset());
            let load = Instr::PayloadLoad {
                base,
                offset,
                len,
                dst,
            };
            (load, len)
        }
    };
    let mut code = vec![load];
    if c.flag() {
        code.push(Instr::Bitwise {
            src: dst,
            dst: c.of(&[dst, dst, Reg::R2]),
            mask: c.data(len),
            xor: if c.flag() {
                Data::zero(len)
            } else {
                c.data(len)
            },
        });
    }
    code.push(Instr::Cmp {
        op: c.of(&[CmpOp::Eq, CmpOp::Neq, CmpOp::Neq, CmpOp::Lt]),
        src: dst,
        data: {
            let len = c.of(&[len, len, 2]);
            c.data(len)
        },
    });
    code
}

fn load(c: &mut Choices<'_>) -> Instr {
    match c.below(10) {
        0 => Instr::MetaLoad {
            key: c.of(MetaKey::ALL),
            dst: c.reg(),
        },
        1 => Instr::CtLoad {
            key: c.of(CtKey::ALL),
            direction: c.of(&[None, Some(Direction::Original), Some(Direction::Reply)]),
            dst: c.reg(),
        },
        2 => Instr::ExthdrLoad {
            op: exthdr_op(c),
            kind: c.of(&[0, 1, 2, 3, 4, 5, 7, 8, 43, 44, 60, 131, 148]),
            offset: c.offset(),
            len: c.len(),
            present: c.flag(),
            dst: c.reg(),
        },
        3 => Instr::Fib {
            flags: c.word() & 0x3f,
            result: c.of(&[FibResult::Oif, FibResult::Oifname, FibResult::Type]),
            dst: c.reg(),
        },
        4 => Instr::Rt {
            key: c.of(&[
                RtKey::Classid,
                RtKey::Nexthop4,
                RtKey::Nexthop6,
                RtKey::Tcpmss,
                RtKey::Ipsec,
            ]),
            dst: c.reg(),
        },
        5 => Instr::Socket {
            key: c.of(&[
                SocketKey::Transparent,
                SocketKey::Mark,
                SocketKey::Wildcard,
                SocketKey::Cgroupv2(1),
            ]),
            dst: c.reg(),
        },
        6 => Instr::Immediate {
            dst: c.reg(),
            data: {
                let len = c.len();
                c.data(len)
            },
        },
        7 => Instr::Inner {
            kind: u32::from(c.below(5)),
            header_size: u32::from(c.below(9)),
            flags: u32::from(c.below(16)),
            load: Box::new(payload_load(c)),
        },
        _ => payload_load(c),
    }
}

fn payload_load(c: &mut Choices<'_>) -> Instr {
    Instr::PayloadLoad {
        base: c.base(),
        offset: c.offset(),
        len: c.len(),
        dst: c.reg(),
    }
}

fn exthdr_op(c: &mut Choices<'_>) -> ExthdrOp {
    c.of(&[
        ExthdrOp::Tcpopt,
        ExthdrOp::Ipv6,
        ExthdrOp::Ipv4,
        ExthdrOp::Sctp,
        ExthdrOp::Dccp,
    ])
}

fn test(c: &mut Choices<'_>) -> Instr {
    let len = c.len();
    if c.below(3) == 0 {
        return Instr::Range {
            negated: c.flag(),
            src: c.reg(),
            from: c.data(len),
            to: c.data(len),
        };
    }
    Instr::Cmp {
        op: c.of(&[
            CmpOp::Eq,
            CmpOp::Neq,
            CmpOp::Lt,
            CmpOp::Lte,
            CmpOp::Gt,
            CmpOp::Gte,
        ]),
        src: c.reg(),
        data: c.data(len),
    }
}

fn compute(c: &mut Choices<'_>) -> Instr {
    let (src, dst, len) = (c.reg(), c.reg(), c.len());
    match c.below(7) {
        0 => Instr::Byteorder {
            op: c.of(&[ByteorderOp::Ntoh, ByteorderOp::Hton]),
            src,
            dst,
            size: c.of(&[2, 4, 8, 3]),
            len,
        },
        1 => Instr::BitwiseShift {
            op: c.of(&[ShiftOp::Left, ShiftOp::Right]),
            src,
            dst,
            len,
            bits: u32::from(c.below(34)),
        },
        2 => Instr::BitwiseReg {
            op: c.of(&[BitwiseRegOp::And, BitwiseRegOp::Or, BitwiseRegOp::Xor]),
            src,
            src2: c.reg(),
            dst,
            len,
        },
        3 => Instr::Jhash {
            src,
            len: c.below(33),
            dst,
            seed: c.flag().then_some(7),
            modulus: u32::from(c.below(5)),
            offset: c.word(),
        },
        4 => Instr::Symhash {
            dst,
            modulus: u32::from(c.below(5)),
            offset: u32::from(c.byte()),
        },
        _ => Instr::Bitwise {
            src,
            dst,
            mask: c.data(len),
            xor: c.data(len),
        },
    }
}

fn set_use(c: &mut Choices<'_>) -> Instr {
    let (set, src) = (c.set(), c.reg());
    match c.below(6) {
        0 => Instr::LookupVerdict { set, src },
        1 => Instr::ObjrefMap { set, src },
        2 | 3 => Instr::Dynset(Box::new(Dynset {
            op: c.of(&[DynsetOp::Add, DynsetOp::Update, DynsetOp::Delete]),
            set,
            key: src,
            data: c.maybe_reg(),
            timeout_ms: c.flag().then_some(1000),
            exprs: if c.flag() {
                vec![c.state_spec()]
            } else {
                Vec::new()
            },
        })),
        _ => Instr::Lookup {
            set,
            src,
            dst: c.maybe_reg(),
            inverted: c.flag(),
        },
    }
}

fn stateful(c: &mut Choices<'_>) -> Instr {
    let state = c.state();
    match c.below(8) {
        0 => Instr::Limit { state },
        1 => Instr::Quota { state },
        2 => Instr::Last { state },
        3 => Instr::Connlimit { state },
        4 => Instr::Objref {
            kind: c.of(&[
                ObjectKind::Counter,
                ObjectKind::Quota,
                ObjectKind::Limit,
                ObjectKind::Synproxy,
            ]),
            state,
        },
        5 => Instr::Numgen {
            random: c.flag(),
            modulus: u32::from(c.below(5)),
            offset: u32::from(c.byte()),
            state,
            dst: c.reg(),
        },
        _ => Instr::Counter { state },
    }
}

fn change(c: &mut Choices<'_>) -> Instr {
    match c.below(7) {
        0 => Instr::MetaSet {
            key: c.of(MetaKey::ALL),
            src: c.reg(),
        },
        1 => Instr::CtSet {
            key: c.of(&[CtKey::Mark, CtKey::Label, CtKey::Zone, CtKey::Event]),
            direction: None,
            src: c.reg(),
        },
        2 => Instr::ExthdrWrite {
            op: exthdr_op(c),
            kind: c.below(9),
            offset: u32::from(c.below(8)),
            len: c.of(&[1, 2, 4]),
            src: c.reg(),
        },
        3 => Instr::ExthdrReset {
            op: exthdr_op(c),
            kind: c.below(9),
        },
        _ => Instr::PayloadWrite {
            base: c.base(),
            offset: c.offset(),
            len: c.len(),
            src: c.reg(),
            csum: c.of(&[ChecksumKind::None, ChecksumKind::Inet, ChecksumKind::Sctp]),
            csum_offset: c.offset(),
            csum_flags: u32::from(c.below(2)),
        },
    }
}

fn statement(c: &mut Choices<'_>) -> Instr {
    match c.below(18) {
        0 => Instr::Log(Box::default()),
        1 => Instr::Reject(c.of(&[Reject::Icmp(3), Reject::TcpReset, Reject::Icmpx(1)])),
        2 => Instr::Nat(Box::new(Nat {
            kind: c.of(&[NatKind::Snat, NatKind::Dnat]),
            nfproto: c.of(&[1, 2, 10]),
            addr_min: c.maybe_reg(),
            addr_max: c.maybe_reg(),
            proto_min: c.maybe_reg(),
            proto_max: c.maybe_reg(),
            flags: c.of(&[0, 2, 4, 0x40]),
        })),
        3 => Instr::Masq {
            proto_min: c.maybe_reg(),
            proto_max: c.maybe_reg(),
            flags: 0,
        },
        4 => Instr::Redir {
            proto_min: c.maybe_reg(),
            proto_max: c.maybe_reg(),
            flags: 2,
        },
        5 => Instr::Tproxy {
            nfproto: c.of(&[0, 2, 10]),
            addr: c.maybe_reg(),
            port: c.maybe_reg(),
        },
        6 => Instr::Notrack,
        7 => Instr::Queue {
            num: (u16::from(c.below(4)), u16::from(c.below(9))),
            bypass: c.flag(),
            fanout: c.flag(),
            sreg: c.maybe_reg(),
        },
        8 => Instr::Dup {
            addr: c.maybe_reg(),
            dev: c.maybe_reg(),
        },
        9 => Instr::Fwd {
            dev: c.reg(),
            addr: c.maybe_reg(),
            nfproto: c.of(&[2, 10]),
        },
        10 => Instr::Synproxy {
            mss: 1460,
            wscale: 7,
            flags: 3,
        },
        11 => Instr::FlowOffload {
            flowtable: "f".into(),
        },
        12 => Instr::Osf {
            ttl: 0,
            version: false,
            dst: c.reg(),
        },
        13 => Instr::Xfrm {
            outbound: false,
            spnum: 0,
            key: c.of(&[XfrmKey::Reqid, XfrmKey::Saddr6]),
            dst: c.reg(),
        },
        _ => Instr::ImmediateVerdict {
            verdict: c.verdict(),
        },
    }
}

fn element(c: &mut Choices<'_>, data: SetData) -> ElementData {
    match data {
        SetData::None => ElementData::None,
        SetData::Value(len) => ElementData::Value(c.data(len)),
        SetData::Verdict => ElementData::Verdict(c.verdict()),
        SetData::Object(_) => ElementData::Object(StateId(0)),
    }
}

fn sets(c: &mut Choices<'_>, b: &mut Builder) {
    let kinds = [
        (set_flags::EVAL, 4, SetData::None),
        (set_flags::EVAL | set_flags::MAP, 4, SetData::Value(4)),
        (0, 2, SetData::None),
        (set_flags::MAP, 4, SetData::Verdict),
        (
            set_flags::MAP | set_flags::OBJECT,
            4,
            SetData::Object(ObjectKind::Counter),
        ),
        (0, 20, SetData::None),
    ];
    for (flags, len, data) in kinds {
        let mut keys: Vec<Vec<u8>> = (0..c.below(4))
            .map(|_| c.data(16).padded().repeat(2)[..usize::from(len)].to_vec())
            .collect();
        keys.sort();
        keys.dedup();
        let elements: Vec<_> = keys
            .iter()
            .map(|key| (key.as_slice(), element(c, data)))
            .collect();
        b.set(flags, len, data, &elements);
    }
}

/// A verified ruleset with two base chains (0 and 1) and two more.
pub fn ruleset(bytes: &[u8]) -> Ruleset {
    let mut c = Choices::new(bytes);
    let mut b = Builder::new();
    let policy = c.of(&[Policy::Accept, Policy::Drop]);
    let chains = [b.base(policy), b.base(Policy::Accept), b.chain(), b.chain()];
    b.counter();
    for _ in 0..10 {
        let spec = c.state_spec();
        b.state(spec);
    }
    sets(&mut c, &mut b);
    while c.0.len() > 0 {
        let chain = c.of(&chains);
        let mut code = Vec::new();
        for _ in 0..c.below(3) {
            code.extend(matching(&mut c));
        }
        code.extend((0..=c.below(6)).map(|_| instr(&mut c)));
        b.rule(chain, code);
    }
    prune(&mut b.ruleset);
    b.ruleset
}

/// Takes out what the verifier refuses, until it refuses nothing.
fn prune(ruleset: &mut Ruleset) {
    loop {
        let mut errors = verify(ruleset);
        errors.sort_by_key(|error| std::cmp::Reverse(error.place));
        errors.dedup_by_key(|error| error.place);
        if errors.is_empty() {
            return;
        }
        for error in errors {
            match error.place {
                Place::Instr(rule, pc) => {
                    ruleset.rules[rule.index()].code.remove(pc as usize);
                }
                // Positions that were reported do not hold after this: verify again first.
                Place::Chain(_) => {
                    drop_last_jump(ruleset);
                    break;
                }
                Place::Set(set) => {
                    let elements = &mut ruleset.sets[set.index()].elements;
                    *elements = redan_vm::ruleset::Elements::default();
                }
                Place::State(state) => {
                    ruleset.states[state.index()] = StateSpec::Counter {
                        packets: 0,
                        bytes: 0,
                    };
                }
            }
        }
    }
}

/// Breaks a circle of jumps: takes out the last rule of the ruleset that jumps, or every verdict map's elements.
fn drop_last_jump(ruleset: &mut Ruleset) {
    let jumps = |instr: &Instr| {
        matches!(
            instr,
            Instr::ImmediateVerdict {
                verdict: Verdict::Jump(_) | Verdict::Goto(_)
            } | Instr::LookupVerdict { .. }
        )
    };
    let last = ruleset
        .rules
        .iter()
        .rposition(|rule| rule.code.iter().any(jumps))
        .map(|at| RuleId(u32::try_from(at).unwrap()));
    if let Some(rule) = last {
        ruleset.rules[rule.index()].code.retain(|i| !jumps(i));
    }
}
