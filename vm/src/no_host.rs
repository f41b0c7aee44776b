//! A world with nothing in it.

use crate::ct::{CtKey, Direction};
use crate::engine::{Asked, Host, NatAsk, NatRange, Visit};
use crate::ids::RuleId;
use crate::instr::{FibResult, Log, RtKey};
use crate::packet::Packet;

/// A host with no connections, routes, devices or readers, for tests and for replays without state: loads break, stores and
/// statements do nothing, NAT accepts, and the random numbers are those of a fixed generator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoHost {
    random: u64,
}

impl Host for NoHost {
    fn ct_load(
        &mut self,
        _packet: &Packet,
        _key: CtKey,
        _direction: Option<Direction>,
        _out: &mut [u8],
    ) -> bool {
        false
    }

    fn ct_store(
        &mut self,
        _packet: &mut Packet,
        _key: CtKey,
        _direction: Option<Direction>,
        _value: &[u8],
    ) {
    }

    fn notrack(&mut self, _packet: &mut Packet) {}

    fn nat(&mut self, _packet: &mut Packet, _ask: NatAsk<'_>, _range: &NatRange) -> Asked {
        Asked::Accept
    }

    fn log(&mut self, _packet: &Packet, _rule: RuleId, _log: &Log) {}

    /// The upper half of a step of splitmix64.
    fn random(&mut self) -> u32 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(0)
    }

    fn fib(&mut self, _packet: &Packet, _flags: u32, _result: FibResult, _out: &mut [u8]) {}

    fn rt(&mut self, _packet: &Packet, _key: RtKey, _out: &mut [u8]) -> bool {
        false
    }

    fn connections(&mut self, _packet: &Packet, _list: u64) -> Option<u32> {
        Some(1)
    }

    fn has_connections(&mut self, _list: u64) -> bool {
        true
    }

    fn forget_connections(&mut self, _list: u64) {}

    fn dup(&mut self, _packet: &Packet, _addr: Option<&[u8]>, _oif: Option<u32>) {}

    fn fwd(&mut self, _packet: &Packet, _oif: u32, _addr: Option<&[u8]>) {}

    fn trace(&mut self, _packet: &Packet, _visit: &Visit) {}
}
