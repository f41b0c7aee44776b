//! Small programs, their verdicts known.

mod support;

use redan_vm::instr::{Base, CmpOp};
use redan_vm::meta::MetaKey;
use redan_vm::ruleset::Policy;
use redan_vm::{Data, Final, Instr, Reg, Verdict};
use support::{ruleset, same, tcp};

fn l4proto(proto: u8) -> [Instr; 2] {
    [
        Instr::MetaLoad {
            key: MetaKey::L4proto,
            dst: Reg::R1,
        },
        Instr::Cmp {
            op: CmpOp::Eq,
            src: Reg::R1,
            data: Data::u8(proto),
        },
    ]
}

fn dport(port: u16) -> [Instr; 2] {
    [
        Instr::PayloadLoad {
            base: Base::Transport,
            offset: 2,
            len: 2,
            dst: Reg::R1,
        },
        Instr::Cmp {
            op: CmpOp::Eq,
            src: Reg::R1,
            data: Data::new(&port.to_be_bytes()).expect("short"),
        },
    ]
}

fn verdict(verdict: Verdict) -> [Instr; 1] {
    [Instr::ImmediateVerdict { verdict }]
}

#[test]
fn first_rule() {
    let rules = (20..200)
        .map(|port| {
            [
                &l4proto(6)[..],
                &dport(port),
                &verdict(if port % 2 == 0 {
                    Verdict::Accept
                } else {
                    Verdict::Drop
                }),
            ]
            .concat()
        })
        .collect();
    let ruleset = ruleset(Policy::Drop, vec![rules]);
    let packets: Vec<_> = (0..300).map(tcp).collect();
    for (port, outcome) in (0_u32..).zip(same(&ruleset, &packets)) {
        if (20..200).contains(&port) {
            assert_eq!(outcome.rule.map(|r| r.0), Some(port - 20));
            assert_eq!(
                outcome.verdict,
                if port % 2 == 0 {
                    Final::Accept
                } else {
                    Final::Drop
                }
            );
        } else {
            assert_eq!(outcome.rule, None);
            assert_eq!(outcome.verdict, Final::Drop);
        }
    }
}
