//! Rulesets and packets in few words.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code, of which each test program uses some"
)]

pub mod random;

use redan_vm::engine::{Env, Outcome};
use redan_vm::family::{ChainType, Family, Hook, nfproto};
use redan_vm::ids::{ChainId, FileId, RuleId, SetId, StateId, TableId};
use redan_vm::instr::{Base, CmpOp};
use redan_vm::packet::{Layout, layout_flags, protocol};
use redan_vm::ruleset::{
    BaseChain, Chain, ElementData, Elements, Origin, Policy, Rule, Set, SetData, StateSpec, Table,
};
use redan_vm::{
    Data, Engine, Instant, Instr, Interpreter, NoHost, Packet, Reg, Ruleset, State, Verdict,
};

/// A ruleset with one table, to which chains, rules and sets are added.
pub struct Builder {
    pub ruleset: Ruleset,
}

impl Builder {
    pub fn new() -> Self {
        let table = Table {
            family: Family::Ip,
            name: "t".into(),
            dormant: false,
        };
        Self {
            ruleset: Ruleset {
                tables: vec![table],
                ..Ruleset::default()
            },
        }
    }

    fn add_chain(&mut self, base: Option<BaseChain>) -> ChainId {
        let id = ChainId(u32::try_from(self.ruleset.chains.len()).unwrap());
        self.ruleset.chains.push(Chain {
            table: TableId(0),
            name: format!("c{}", id.0),
            base,
            rules: Vec::new(),
            deleted: false,
        });
        id
    }

    pub fn chain(&mut self) -> ChainId {
        self.add_chain(None)
    }

    pub fn base(&mut self, policy: Policy) -> ChainId {
        self.add_chain(Some(BaseChain {
            chain_type: ChainType::Filter,
            hook: Hook::Forward,
            priority: 0,
            policy,
            devices: Vec::new(),
        }))
    }

    pub fn rule(&mut self, chain: ChainId, code: Vec<Instr>) -> RuleId {
        let id = RuleId(u32::try_from(self.ruleset.rules.len()).unwrap());
        self.ruleset.rules.push(Rule {
            chain,
            code,
            origin: Origin {
                file: FileId(0),
                line: id.0 + 1,
            },
            comment: None,
            sets: Vec::new(),
        });
        self.ruleset.chains[chain.index()].rules.push(id);
        id
    }

    pub fn state(&mut self, spec: StateSpec) -> StateId {
        self.ruleset.states.push(spec);
        StateId(u32::try_from(self.ruleset.states.len() - 1).unwrap())
    }

    pub fn counter(&mut self) -> StateId {
        self.state(StateSpec::Counter {
            packets: 0,
            bytes: 0,
        })
    }

    /// A set or map of keys with equal length.
    pub fn set(
        &mut self,
        flags: u32,
        key_len: u8,
        data: SetData,
        elements: &[(&[u8], ElementData)],
    ) -> SetId {
        let elements = Elements {
            keys: elements.iter().flat_map(|(key, _)| key.to_vec()).collect(),
            flags: vec![0; elements.len()],
            data: if data == SetData::None {
                Vec::new()
            } else {
                elements.iter().map(|(_, data)| *data).collect()
            },
            ..Elements::default()
        };
        self.ruleset.sets.push(Set {
            table: TableId(0),
            name: format!("s{}", self.ruleset.sets.len()),
            flags,
            key_len,
            key_parts: vec![key_len],
            key_types: Vec::new(),
            data,
            timeout_ms: None,
            size: None,
            exprs: Vec::new(),
            elements,
        });
        SetId(u32::try_from(self.ruleset.sets.len() - 1).unwrap())
    }
}

/// The engine, the state and the world of one ruleset.
pub struct Machine {
    pub interpreter: Interpreter,
    pub state: State,
    pub host: NoHost,
    pub now: Instant,
}

impl Machine {
    /// # Panics
    /// When the verifier refuses the ruleset.
    pub fn new(ruleset: &Ruleset) -> Self {
        let errors = redan_vm::verify::verify(ruleset);
        assert!(errors.is_empty(), "{errors:?}");
        Self {
            interpreter: Interpreter::new(ruleset),
            state: State::new(ruleset),
            host: NoHost::default(),
            now: Instant::from_secs(1_700_000_000),
        }
    }

    pub fn run(&mut self, chain: ChainId, packet: &mut Packet) -> Outcome {
        let mut env = Env {
            now: self.now,
            state: &mut self.state,
            host: &mut self.host,
        };
        self.interpreter.run(chain, packet, &mut env)
    }
}

/// A UDP packet from 10.0.0.1 port 1000 to 10.0.0.2 port 53 over Ethernet, 4 bytes of data.
pub fn udp() -> Packet {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    frame.extend([
        0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0x66, 0xca, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    frame.extend([3, 232, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4]);
    let layout = Layout {
        link: 0,
        network: 14,
        transport: 34,
        inner: 42,
        end: 46,
        l4proto: protocol::UDP,
        flags: layout_flags::LINK
            | layout_flags::L4PROTO
            | layout_flags::TRANSPORT
            | layout_flags::INNER,
        nfproto: nfproto::IPV4,
        ethertype: 0x0800,
        ..Layout::default()
    };
    let mut packet = Packet {
        layout,
        frame,
        ..Packet::default()
    };
    packet.meta.len = 32;
    packet.meta.nfproto = nfproto::IPV4;
    packet
}

/// The packet with another destination port.
pub fn udp_to(port: u16) -> Packet {
    let mut packet = udp();
    packet.frame[36..38].copy_from_slice(&port.to_be_bytes());
    packet
}

pub fn load_dport() -> Instr {
    Instr::PayloadLoad {
        base: Base::Transport,
        offset: 2,
        len: 2,
        dst: Reg::R1,
    }
}

/// The instructions of `udp dport PORT`, without the protocol.
pub fn dport(port: u16) -> Vec<Instr> {
    vec![
        load_dport(),
        Instr::Cmp {
            op: CmpOp::Eq,
            src: Reg::R1,
            data: Data::new(&port.to_be_bytes()).unwrap(),
        },
    ]
}

pub const fn verdict(verdict: Verdict) -> Instr {
    Instr::ImmediateVerdict { verdict }
}

/// The instructions of `udp dport PORT VERDICT`.
pub fn dport_then(port: u16, then: Verdict) -> Vec<Instr> {
    let mut code = dport(port);
    code.push(verdict(then));
    code
}
