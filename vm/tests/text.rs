//! The printed form of every instruction and of sets, as nft 1.0.6 prints them.

#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "tables of cases"
)]

mod common;

use common::{Builder, dport, verdict};
use redan_vm::ct::{CtKey, Direction};
use redan_vm::instr::{
    Base, BitwiseRegOp, ByteorderOp, ChecksumKind, CmpOp, Dynset, DynsetOp, ExthdrOp, FibResult,
    Log, Nat, NatKind, ObjectKind, Reject, RtKey, ShiftOp, SocketKey, TunnelKey, XfrmKey,
    fib_flags,
};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::{
    Element, ElementData, LimitSpec, Object, Policy, SetData, StateSpec, set_flags,
};
use redan_vm::text::{print_instr, print_rule, print_set};
use redan_vm::{Data, Instr, Reg, Ruleset, Verdict};

const R1: Reg = Reg::R1;
const R2: Reg = Reg::R2;

fn reg(number: u8) -> Reg {
    Reg::new(number).unwrap()
}

fn data(bytes: &[u8]) -> Data {
    Data::new(bytes).unwrap()
}

/// Chains `c0` (base) and `c1`, sets `s0` (plain) and `s1` (map), states 0 to 6 of each kind, a named counter.
fn world() -> Ruleset {
    let mut b = Builder::new();
    b.base(Policy::Accept);
    b.chain();
    b.set(set_flags::EVAL, 4, SetData::None, &[]);
    b.set(set_flags::MAP, 4, SetData::Value(4), &[]);
    for spec in specs() {
        b.state(spec);
    }
    b.ruleset.objects.push(Object {
        table: redan_vm::ids::TableId(0),
        name: "named".into(),
        kind: ObjectKind::Counter,
        state: redan_vm::ids::StateId(0),
        deleted: false,
    });
    b.ruleset
}

fn specs() -> [StateSpec; 7] {
    let limit = |rate, unit_secs, burst, bytes, over| {
        StateSpec::Limit(LimitSpec {
            rate,
            unit_secs,
            burst,
            bytes,
            over,
        })
    };
    [
        StateSpec::Counter {
            packets: 5,
            bytes: u64::MAX,
        },
        limit(400, 60, 5, false, true),
        limit(10_240, 86_400, 7_340_032, true, false),
        StateSpec::Quota {
            bytes: 3_145_728,
            consumed: 1,
            over: true,
        },
        StateSpec::Last { used_ms: None },
        StateSpec::Last {
            used_ms: Some(300_000),
        },
        StateSpec::Connlimit {
            count: 4,
            over: true,
        },
    ]
}

const fn state(id: u32) -> redan_vm::ids::StateId {
    redan_vm::ids::StateId(id)
}

const fn set(id: u32) -> redan_vm::ids::SetId {
    redan_vm::ids::SetId(id)
}

fn check_all(rows: Vec<(Instr, &str)>) {
    let ruleset = world();
    for (instr, want) in rows {
        let mut got = String::new();
        print_instr(&ruleset, &instr, &mut got).unwrap();
        assert_eq!(got, format!("[ {want} ]"));
    }
}

#[test]
fn loads_and_tests() {
    let load = Instr::PayloadLoad {
        base: Base::Tunnel,
        offset: 4,
        len: 3,
        dst: R1,
    };
    let ct = |key, direction| Instr::CtLoad {
        key,
        direction,
        dst: R1,
    };
    let exthdr = |op, kind, present| Instr::ExthdrLoad {
        op,
        kind,
        offset: 2,
        len: 1,
        present,
        dst: reg(9),
    };
    check_all(vec![
        (
            dport(22)[0].clone(),
            "payload load 2b @ transport header + 2 => reg 1",
        ),
        (dport(22)[1].clone(), "cmp eq reg 1 0x00001600"),
        (
            Instr::Cmp {
                op: CmpOp::Gte,
                src: R2,
                data: data(&[1, 2, 3, 4, 5]),
            },
            "cmp gte reg 2 0x04030201 0x00000005",
        ),
        (
            Instr::Range {
                negated: true,
                src: R1,
                from: Data::u8(1),
                to: Data::u8(9),
            },
            "range neq reg 1 0x00000001 0x00000009",
        ),
        (
            Instr::MetaLoad {
                key: MetaKey::Length,
                dst: R1,
            },
            "meta load len => reg 1",
        ),
        (ct(CtKey::State, None), "ct load state => reg 1"),
        (
            ct(CtKey::Bytes, Some(Direction::Original)),
            "ct load bytes => reg 1 , dir original",
        ),
        (
            ct(CtKey::SaddrIp, Some(Direction::Reply)),
            "ct load src_ip => reg 1 , dir reply",
        ),
        (
            exthdr(ExthdrOp::Ipv6, 44, true),
            "exthdr load ipv6 1b @ 44 + 2 present => reg 9",
        ),
        (
            exthdr(ExthdrOp::Tcpopt, 3, false),
            "exthdr load tcpopt 1b @ 3 + 2 => reg 9",
        ),
        (
            exthdr(ExthdrOp::Sctp, 1, false),
            "exthdr load 1b @ 1 + 2 => reg 9",
        ),
        (
            Instr::Inner {
                kind: 1,
                header_size: 8,
                flags: 15,
                load: Box::new(load),
            },
            "inner type 1 hdrsize 8 flags f [ payload load 3b @ unknown header + 4 => reg 1 ]",
        ),
        (
            Instr::Lookup {
                set: set(0),
                src: R1,
                dst: None,
                inverted: true,
            },
            "lookup reg 1 set s0 0x1",
        ),
        (
            Instr::Lookup {
                set: set(1),
                src: R1,
                dst: Some(R1),
                inverted: false,
            },
            "lookup reg 1 set s1 dreg 1",
        ),
        (
            Instr::LookupVerdict {
                set: set(1),
                src: R1,
            },
            "lookup reg 1 set s1 dreg 0",
        ),
    ]);
}

#[test]
fn routes_sockets_and_numbers() {
    let fib = |flags, result| Instr::Fib {
        flags,
        result,
        dst: R1,
    };
    let jhash = |seed, offset| Instr::Jhash {
        src: R2,
        len: 8,
        dst: R1,
        seed,
        modulus: 2,
        offset,
    };
    let numgen = |random, offset| Instr::Numgen {
        random,
        modulus: 7,
        offset,
        state: state(0),
        dst: R1,
    };
    check_all(vec![
        (
            fib(
                fib_flags::SADDR | fib_flags::IIF | fib_flags::MARK,
                FibResult::Oifname,
            ),
            "fib saddr . mark . iif oifname => reg 1",
        ),
        (
            fib(fib_flags::DADDR | fib_flags::PRESENT, FibResult::Oif),
            "fib daddr oif present => reg 1",
        ),
        (
            Instr::Rt {
                key: RtKey::Tcpmss,
                dst: R1,
            },
            "rt load tcpmss => reg 1",
        ),
        (
            Instr::Socket {
                key: SocketKey::Transparent,
                dst: R1,
            },
            "socket load transparent => reg 1",
        ),
        (
            Instr::Osf {
                ttl: 1,
                version: false,
                dst: R1,
            },
            "osf dreg 1",
        ),
        (
            Instr::Xfrm {
                outbound: false,
                spnum: 2,
                key: XfrmKey::Saddr4,
                dst: R1,
            },
            "xfrm load in 2 saddr4 => reg 1",
        ),
        (
            Instr::Tunnel {
                key: TunnelKey::Id,
                dst: R1,
            },
            "tunnel load id => reg 1",
        ),
        (
            Instr::Tunnel {
                key: TunnelKey::Path,
                dst: R1,
            },
            "tunnel load path => reg 1",
        ),
        (numgen(false, 0), "numgen reg 1 = inc mod 7"),
        (numgen(true, 2), "numgen reg 1 = random mod 7 offset 2"),
        (
            jhash(Some(0xbeef), 0),
            "hash reg 1 = jhash(reg 2, 8, 0xbeef) % mod 2",
        ),
        (
            jhash(None, 100),
            "hash reg 1 = jhash(reg 2, 8, 0x0) % mod 2 offset 100",
        ),
        (
            Instr::Symhash {
                dst: R1,
                modulus: 4,
                offset: 5,
            },
            "hash reg 1 = symhash() % mod 4 offset 5",
        ),
    ]);
}

#[test]
fn arithmetic() {
    let byteorder = |op| Instr::Byteorder {
        op,
        src: R1,
        dst: R1,
        size: 4,
        len: 4,
    };
    check_all(vec![
        (
            Instr::Bitwise {
                src: R1,
                dst: R1,
                mask: data(&[0xfc]),
                xor: data(&[0]),
            },
            "bitwise reg 1 = ( reg 1 & 0x000000fc ) ^ 0x00000000",
        ),
        (
            Instr::BitwiseShift {
                op: ShiftOp::Right,
                src: R1,
                dst: R1,
                len: 4,
                bits: 8,
            },
            "bitwise reg 1 = ( reg 1 >> 0x00000008 )",
        ),
        (
            Instr::BitwiseReg {
                op: BitwiseRegOp::Or,
                src: R1,
                src2: R2,
                dst: R1,
                len: 4,
            },
            "bitwise reg 1 = ( reg 1 | reg 2 )",
        ),
        (
            byteorder(ByteorderOp::Hton),
            "byteorder reg 1 = hton(reg 1, 4, 4)",
        ),
        (
            byteorder(ByteorderOp::Ntoh),
            "byteorder reg 1 = ntoh(reg 1, 4, 4)",
        ),
    ]);
}

#[test]
fn statements_that_count_and_change() {
    let dynset = |op, timeout_ms, exprs: &[StateSpec]| {
        Instr::Dynset(Box::new(Dynset {
            op,
            set: set(0),
            key: R1,
            data: None,
            timeout_ms,
            exprs: exprs.to_vec(),
        }))
    };
    let specs = specs();
    check_all(vec![
        (
            Instr::Counter { state: state(0) },
            "counter pkts 5 bytes 18446744073709551615",
        ),
        (
            Instr::Limit { state: state(1) },
            "limit rate 400/minute burst 5 type packets flags 0x1",
        ),
        (
            Instr::Limit { state: state(2) },
            "limit rate 10240/day burst 7340032 type bytes flags 0x0",
        ),
        (
            Instr::Quota { state: state(3) },
            "quota bytes 3145728 consumed 1 flags 1",
        ),
        (Instr::Last { state: state(4) }, "last never"),
        (Instr::Last { state: state(5) }, "last 300000"),
        (
            Instr::Connlimit { state: state(6) },
            "connlimit count 4 flags 1",
        ),
        (
            Instr::Objref {
                kind: ObjectKind::Counter,
                state: state(0),
            },
            "objref type 1 name named",
        ),
        (
            Instr::ObjrefMap {
                set: set(1),
                src: R1,
            },
            "objref sreg 1 set s1",
        ),
        (
            dynset(
                DynsetOp::Update,
                Some(30_000),
                &[specs[1].clone(), specs[0].clone()],
            ),
            "dynset update reg_key 1 set s0 timeout 30000ms expr [ limit rate 400/minute burst 5 type packets flags 0x1 ] \
             expr [ counter pkts 5 bytes 18446744073709551615 ]",
        ),
        (
            dynset(DynsetOp::Delete, None, &[]),
            "dynset delete reg_key 1 set s0",
        ),
        (
            Instr::PayloadWrite {
                base: Base::Network,
                offset: 16,
                len: 4,
                src: R1,
                csum: ChecksumKind::Inet,
                csum_offset: 10,
                csum_flags: 1,
            },
            "payload write reg 1 => 4b @ network header + 16 csum_type 1 csum_off 10 csum_flags 0x1",
        ),
        (
            Instr::ExthdrWrite {
                op: ExthdrOp::Tcpopt,
                kind: 2,
                offset: 2,
                len: 2,
                src: R1,
            },
            "exthdr write tcpopt reg 1 => 2b @ 2 + 2",
        ),
        (
            Instr::ExthdrReset {
                op: ExthdrOp::Tcpopt,
                kind: 4,
            },
            "exthdr reset tcpopt 4",
        ),
        (
            Instr::MetaSet {
                key: MetaKey::Mark,
                src: R1,
            },
            "meta set mark with reg 1",
        ),
        (
            Instr::CtSet {
                key: CtKey::Zone,
                direction: Some(Direction::Reply),
                src: R1,
            },
            "ct set zone with reg 1 , dir reply",
        ),
    ]);
}

#[test]
fn statements_that_decide_and_answer() {
    let log = |log| Instr::Log(Box::new(log));
    let nat = |nfproto, addr_min, proto_min, flags| {
        Instr::Nat(Box::new(Nat {
            kind: NatKind::Dnat,
            nfproto,
            addr_min,
            addr_max: None,
            proto_min,
            proto_max: None,
            flags,
        }))
    };
    let queue = |num, sreg, bypass| Instr::Queue {
        num,
        bypass,
        fanout: bypass,
        sreg,
    };
    check_all(vec![
        (
            Instr::Immediate {
                dst: R1,
                data: data(&[10, 0, 0, 1]),
            },
            "immediate reg 1 0x0100000a",
        ),
        (verdict(Verdict::Accept), "immediate reg 0 accept"),
        (
            verdict(Verdict::Goto(redan_vm::ids::ChainId(1))),
            "immediate reg 0 goto -> c1",
        ),
        (log(Log::default()), "log"),
        (
            log(Log {
                prefix: Some("a b".into()),
                group: Some(3),
                snaplen: Some(33),
                qthreshold: Some(4),
                ..Log::default()
            }),
            "log prefix a b group 3 snaplen 33 qthreshold 4",
        ),
        (
            log(Log {
                level: Some(6),
                flags: 0x2f,
                ..Log::default()
            }),
            "log level 6 tcpseq tcpopt ipopt uid macdecode",
        ),
        (Instr::Reject(Reject::Icmp(3)), "reject type 0 code 3"),
        (Instr::Reject(Reject::TcpReset), "reject type 1 code 0"),
        (Instr::Reject(Reject::Icmpx(1)), "reject type 2 code 1"),
        (
            nat(2, Some(R1), Some(R2), 2),
            "nat dnat ip addr_min reg 1 proto_min reg 2 flags 0x2",
        ),
        (
            nat(1, None, Some(R1), 2),
            "nat dnat inet proto_min reg 1 flags 0x2",
        ),
        (
            Instr::Masq {
                proto_min: None,
                proto_max: None,
                flags: 0x1c,
            },
            "masq flags 0x1c",
        ),
        (
            Instr::Redir {
                proto_min: Some(R1),
                proto_max: Some(R2),
                flags: 2,
            },
            "redir proto_min reg 1 proto_max reg 2 flags 0x2",
        ),
        (
            Instr::Tproxy {
                nfproto: 10,
                addr: Some(R1),
                port: Some(R2),
            },
            "tproxy ip6 addr reg 1 port reg 2",
        ),
        (
            Instr::Tproxy {
                nfproto: 0,
                addr: None,
                port: Some(R1),
            },
            "tproxy port reg 1",
        ),
        (Instr::Notrack, "notrack"),
        (queue((0, 0), None, false), "queue num 0"),
        (queue((4, 5), None, true), "queue num 4-5 bypass fanout"),
        (queue((0, 0), Some(R1), false), "queue sreg_qnum 1"),
        (
            Instr::Dup {
                addr: Some(R1),
                dev: Some(R2),
            },
            "dup sreg_addr 1 sreg_dev 2",
        ),
        (
            Instr::Fwd {
                dev: R1,
                addr: Some(R2),
                nfproto: 2,
            },
            "fwd sreg_dev 1 sreg_addr 2 nfproto 2",
        ),
        (
            Instr::Synproxy {
                mss: 1460,
                wscale: 7,
                flags: 15,
            },
            "synproxy mss 1460 wscale 7",
        ),
        (
            Instr::FlowOffload {
                flowtable: "f".into(),
            },
            "flow_offload flowtable f",
        ),
    ]);
}

#[test]
fn sets_and_rules() {
    let mut b = Builder::new();
    let base = b.base(Policy::Accept);
    let other = b.chain();
    let keys: [(&[u8], ElementData); 2] = [
        (&[1, 1, 1, 1], ElementData::Verdict(Verdict::Jump(other))),
        (&[1, 1, 1, 2], ElementData::Verdict(Verdict::Drop)),
    ];
    let map = b.set(0xb, 4, SetData::Verdict, &keys);
    b.ruleset.sets[map.index()].name = "__map%d".into();
    let code = vec![
        Instr::PayloadLoad {
            base: Base::Network,
            offset: 12,
            len: 4,
            dst: R1,
        },
        Instr::LookupVerdict { set: map, src: R1 },
    ];
    let rule = b.rule(base, code);
    b.ruleset.rules[rule.index()].sets = vec![map];
    let mut got = String::new();
    print_rule(&b.ruleset, rule, &mut got).unwrap();
    let want = "\
__map%d t b
__map%d t 0
\telement 01010101  : jump -> c1 0 [end]\telement 02010101  : drop 0 [end]
ip t c0
  [ payload load 4b @ network header + 12 => reg 1 ]
  [ lookup reg 1 set __map%d dreg 0 ]

";
    assert_eq!(got, want);
}

#[test]
fn ranges_ends_and_user_data() {
    let mut b = Builder::new();
    let id = b.set(
        7,
        4,
        SetData::None,
        &[
            (&[0, 0, 0, 0], ElementData::None),
            (&[1, 1, 1, 1], ElementData::None),
            (&[1, 1, 1, 2], ElementData::None),
            (&[224, 0, 0, 0], ElementData::None),
        ],
    );
    let set = &mut b.ruleset.sets[id.index()];
    set.name = "__set%d".into();
    set.elements.flags = vec![1, 0, 1, 0];
    let comment = Element {
        comment: Some("hi there".into()),
        ..Element::default()
    };
    set.elements.extras.insert(3, comment);
    let mut got = String::new();
    print_set(&b.ruleset, &b.ruleset.sets[0], &mut got).unwrap();
    let want = "__set%d t 7\n__set%d t 0\n\telement 00000000  : 1 [end]\telement 01010101  : 0 [end]\telement 02010101  : 1 [end]\
                \telement 000000e0  : 0 [end]  userdata = { \\x00\\x09hi there\\x00\\x01\\x04\\x01\\x00\\x00\\x00 }\n";
    assert_eq!(got, want);
    let ranges = b.set(
        0x87,
        8,
        SetData::None,
        &[(&[1, 1, 1, 0, 0, 80, 0, 0], ElementData::None)],
    );
    b.ruleset.sets[ranges.index()].elements.key_ends = vec![1, 1, 1, 255, 0, 90, 0, 0];
    got.clear();
    print_set(&b.ruleset, &b.ruleset.sets[1], &mut got).unwrap();
    let want = "s1 t 87\ns1 t 0\n\telement 00010101 00005000  - ff010101 00005a00  : 0 [end]\n";
    assert_eq!(got, want);
}
