//! A host that answers by a rule of its own and writes down what it was asked, so that two engines can be compared by what they ask.

use redan_vm::ct::{CtKey, Direction};
use redan_vm::ids::RuleId;
use redan_vm::instr::{FibResult, Log, RtKey};
use redan_vm::{Asked, Host, NatAsk, NatRange, Packet, Visit};

/// What was asked, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorder {
    /// One line a question.
    pub(crate) calls: Vec<String>,
}

impl Recorder {
    /// Notes a question; gives a number that depends on how many there were.
    fn note(&mut self, call: String) -> u32 {
        self.calls.push(call);
        u32::try_from(self.calls.len())
            .expect("few calls")
            .wrapping_mul(0x9e37_79b9)
            .rotate_left(7)
    }

    fn fill(&mut self, call: String, out: &mut [u8]) -> bool {
        let number = self.note(call);
        for (byte, value) in out.iter_mut().zip(number.to_le_bytes().iter().cycle()) {
            *byte = *value;
        }
        !number.is_multiple_of(4)
    }
}

impl Host for Recorder {
    fn ct_load(
        &mut self,
        packet: &Packet,
        key: CtKey,
        direction: Option<Direction>,
        out: &mut [u8],
    ) -> bool {
        let call = format!(
            "ct load {key:?} {direction:?} {} {:?}",
            out.len(),
            packet.ct
        );
        self.fill(call, out)
    }

    fn ct_store(
        &mut self,
        packet: &mut Packet,
        key: CtKey,
        direction: Option<Direction>,
        value: &[u8],
    ) {
        let number = self.note(format!("ct set {key:?} {direction:?} {value:?}"));
        packet.ct.mark = number % 4;
    }

    fn notrack(&mut self, packet: &mut Packet) {
        self.note("notrack".to_owned());
        packet.ct.state = redan_vm::ct::state::UNTRACKED;
        packet.ct.has_entry = 0;
        // No more than it has to be, so that a rule that loads again must look again.
        packet.layout.end = packet
            .layout
            .end
            .min(packet.layout.network.saturating_add(12));
    }

    fn nat(&mut self, packet: &mut Packet, ask: NatAsk<'_>, range: &NatRange) -> Asked {
        let number = self.note(format!("nat {ask:?} {range:?} {}", packet.frame.len()));
        // As an application helper does that rewrites what a packet says: the frame moves and its headers do too.
        packet.frame = packet.frame.iter().rev().copied().collect();
        packet.layout.network /= 2;
        packet.layout.end -= packet.layout.end / 4;
        match number >> 8 & 3 {
            0 => Asked::Done,
            1 => Asked::Break,
            2 => Asked::Drop,
            _ => Asked::Accept,
        }
    }

    fn log(&mut self, packet: &Packet, rule: RuleId, log: &Log) {
        self.note(format!("log {rule:?} {log:?} {:?}", packet.meta));
    }

    fn random(&mut self) -> u32 {
        self.note("random".to_owned())
    }

    fn fib(&mut self, _: &Packet, flags: u32, result: FibResult, out: &mut [u8]) {
        self.fill(format!("fib {flags} {result:?} {}", out.len()), out);
    }

    fn rt(&mut self, _: &Packet, key: RtKey, out: &mut [u8]) -> bool {
        self.fill(format!("rt {key:?} {}", out.len()), out)
    }

    fn connections(&mut self, _: &Packet, list: u64) -> Option<u32> {
        let number = self.note(format!("connections {list}"));
        (!number.is_multiple_of(8)).then_some(number % 16)
    }

    fn has_connections(&mut self, list: u64) -> bool {
        !self
            .note(format!("has connections {list}"))
            .is_multiple_of(4)
    }

    fn forget_connections(&mut self, list: u64) {
        self.note(format!("forget connections {list}"));
    }

    fn dup(&mut self, _: &Packet, addr: Option<&[u8]>, oif: Option<u32>) {
        self.note(format!("dup {addr:?} {oif:?}"));
    }

    fn fwd(&mut self, _: &Packet, oif: u32, addr: Option<&[u8]>) {
        self.note(format!("fwd {oif} {addr:?}"));
    }

    fn trace(&mut self, _: &Packet, visit: &Visit) {
        self.note(format!("trace {visit:?}"));
    }
}
