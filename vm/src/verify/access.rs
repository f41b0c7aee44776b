//! Which register bytes an instruction reads and writes.

use super::{Place, Verifier, VerifyErrorKind};
use crate::family::nfproto;
use crate::instr::{FibResult, Instr, RtKey, SocketKey, TunnelKey, XfrmKey};
use crate::meta::MetaKey;
use crate::ops::ct;
use crate::ruleset::{Ruleset, SetData};
use crate::{REGISTER_BYTES, Reg};

/// Registers and bytes that an instruction reads and writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// What it reads, at most four places.
    pub reads: [Option<(Reg, u8)>; 4],
    /// What it writes; the rest of the last word is zeroed with it.
    pub writes: Option<(Reg, u8)>,
}

impl Access {
    fn new(reads: &[Option<(Reg, u8)>], writes: Option<(Reg, u8)>) -> Self {
        let mut access = Self {
            writes,
            ..Self::default()
        };
        for (to, from) in access.reads.iter_mut().zip(reads) {
            *to = *from;
        }
        access
    }

    fn read(reg: Reg, len: u8) -> Self {
        Self::new(&[Some((reg, len))], None)
    }

    fn write(reg: Reg, len: u8) -> Self {
        Self::new(&[], Some((reg, len)))
    }

    fn both(src: Reg, read: u8, dst: Reg, written: u8) -> Self {
        Self::new(&[Some((src, read))], Some((dst, written)))
    }
}

/// What an instruction reads and writes. Sets that are not there count as empty keys.
#[expect(clippy::too_many_lines, reason = "one row an instruction")]
pub fn access(ruleset: &Ruleset, instr: &Instr) -> Access {
    match instr {
        Instr::PayloadLoad { len, dst, .. } => Access::write(*dst, *len),
        Instr::MetaLoad { key, dst } => Access::write(*dst, meta_bytes(*key)),
        Instr::CtLoad { key, dst, .. } => Access::write(*dst, bytes(ct::bytes(*key))),
        Instr::Immediate { dst, data } => Access::write(*dst, data.len()),
        Instr::ExthdrLoad {
            len, present, dst, ..
        } => Access::write(*dst, if *present { 1 } else { *len }),
        Instr::Inner { load, .. } => access(ruleset, load),
        Instr::PayloadWrite { len, src, .. } | Instr::ExthdrWrite { len, src, .. } => {
            Access::read(*src, *len)
        }
        Instr::MetaSet { key, src } => Access::read(*src, meta_bytes(*key).min(4)),
        Instr::CtSet { key, src, .. } => Access::read(*src, bytes(ct::bytes(*key))),
        Instr::Cmp { src, data, .. } => Access::read(*src, data.len()),
        Instr::Range { src, from, .. } => Access::read(*src, from.len()),
        Instr::Bitwise { src, dst, mask, .. } => Access::both(*src, mask.len(), *dst, mask.len()),
        Instr::BitwiseShift { src, dst, len, .. } => Access::both(*src, *len, *dst, *len),
        // Bytes behind the last number keep what the destination held.
        Instr::Byteorder { src, dst, len, .. } => {
            let kept = (!len.is_multiple_of(4)).then_some((*dst, *len));
            Access::new(&[Some((*src, *len)), kept], Some((*dst, *len)))
        }
        Instr::BitwiseReg {
            src,
            src2,
            dst,
            len,
            ..
        } => Access::new(
            &[Some((*src, *len)), Some((*src2, *len))],
            Some((*dst, *len)),
        ),
        Instr::Lookup { set, src, dst, .. } => {
            let (key, data) = set_bytes(ruleset, *set);
            Access::new(&[Some((*src, key))], dst.map(|dst| (dst, data)))
        }
        Instr::LookupVerdict { set, src } | Instr::ObjrefMap { set, src } => {
            Access::read(*src, set_bytes(ruleset, *set).0)
        }
        Instr::Dynset(dynset) => {
            let (key, data) = set_bytes(ruleset, dynset.set);
            Access::new(
                &[Some((dynset.key, key)), dynset.data.map(|reg| (reg, data))],
                None,
            )
        }
        Instr::Fib { .. }
        | Instr::Rt { .. }
        | Instr::Socket { .. }
        | Instr::Osf { .. }
        | Instr::Xfrm { .. }
        | Instr::Tunnel { .. }
        | Instr::Numgen { .. }
        | Instr::Symhash { .. } => Access {
            writes: loaded(instr),
            ..Access::default()
        },
        Instr::Jhash { src, len, dst, .. } => Access::both(*src, *len, *dst, 4),
        Instr::Nat(nat) => {
            let len = if nat.nfproto == nfproto::IPV6 { 16 } else { 4 };
            Access::new(
                &[
                    nat.addr_min.map(|reg| (reg, len)),
                    nat.addr_max.map(|reg| (reg, len)),
                    nat.proto_min.map(|reg| (reg, 2)),
                    nat.proto_max.map(|reg| (reg, 2)),
                ],
                None,
            )
        }
        Instr::Masq {
            proto_min,
            proto_max,
            ..
        }
        | Instr::Redir {
            proto_min,
            proto_max,
            ..
        } => Access::new(
            &[proto_min.map(|reg| (reg, 2)), proto_max.map(|reg| (reg, 2))],
            None,
        ),
        Instr::Tproxy {
            nfproto,
            addr,
            port,
        } => Access::new(
            &[
                addr.map(|reg| (reg, address_bytes(*nfproto))),
                port.map(|reg| (reg, 2)),
            ],
            None,
        ),
        Instr::Queue { sreg, .. } => Access::new(&[sreg.map(|reg| (reg, 2))], None),
        // An IPv6 address is asked for only where the table's family is known; the least that any family reads is checked.
        Instr::Dup { addr, dev } => {
            Access::new(&[addr.map(|reg| (reg, 4)), dev.map(|reg| (reg, 4))], None)
        }
        Instr::Fwd { dev, addr, nfproto } => Access::new(
            &[
                Some((*dev, 4)),
                addr.map(|reg| (reg, address_bytes(*nfproto))),
            ],
            None,
        ),
        Instr::ImmediateVerdict { .. }
        | Instr::Counter { .. }
        | Instr::Limit { .. }
        | Instr::Quota { .. }
        | Instr::Last { .. }
        | Instr::Connlimit { .. }
        | Instr::Objref { .. }
        | Instr::Log(_)
        | Instr::Reject(_)
        | Instr::Notrack
        | Instr::Synproxy { .. }
        | Instr::FlowOffload { .. }
        | Instr::ExthdrReset { .. } => Access::default(),
    }
}

/// What expressions without operands load.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the caller hands over expressions without operands only"
)]
fn loaded(instr: &Instr) -> Option<(Reg, u8)> {
    Some(match *instr {
        Instr::Fib { result, dst, .. } => match result {
            FibResult::Oif | FibResult::Type => (dst, 4),
            FibResult::Oifname => (dst, 16),
        },
        Instr::Rt { key, dst } => match key {
            RtKey::Classid | RtKey::Nexthop4 => (dst, 4),
            RtKey::Nexthop6 => (dst, 16),
            RtKey::Tcpmss => (dst, 2),
            RtKey::Ipsec => (dst, 1),
        },
        Instr::Socket { key, dst } => match key {
            SocketKey::Transparent | SocketKey::Wildcard => (dst, 1),
            SocketKey::Mark => (dst, 4),
            SocketKey::Cgroupv2(_) => (dst, 8),
        },
        Instr::Xfrm { key, dst, .. } => match key {
            XfrmKey::Reqid | XfrmKey::Spi | XfrmKey::Saddr4 | XfrmKey::Daddr4 => (dst, 4),
            XfrmKey::Saddr6 | XfrmKey::Daddr6 => (dst, 16),
        },
        Instr::Tunnel { key, dst } => match key {
            TunnelKey::Path => (dst, 1),
            TunnelKey::Id => (dst, 4),
        },
        Instr::Osf { dst, .. } => (dst, 16),
        Instr::Numgen { dst, .. } | Instr::Symhash { dst, .. } => (dst, 4),
        _ => return None,
    })
}

const fn address_bytes(family: u8) -> u8 {
    if family == nfproto::IPV6 { 16 } else { 4 }
}

fn bytes(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

fn meta_bytes(key: MetaKey) -> u8 {
    bytes((key.bits() as usize).div_ceil(8))
}

/// Bytes of a set's key and of its data.
fn set_bytes(ruleset: &Ruleset, set: crate::ids::SetId) -> (u8, u8) {
    ruleset.sets.get(set.index()).map_or((0, 0), |set| {
        let data = match set.data {
            SetData::Value(len) => len,
            SetData::None | SetData::Verdict | SetData::Object(_) => 0,
        };
        (set.key_len, data)
    })
}

impl Verifier<'_> {
    /// Checks an instruction's registers against the words written so far in its rule, and adds its own.
    pub(super) fn registers(&mut self, instr: &Instr, place: Place, written: &mut u16) {
        let access = access(self.ruleset, instr);
        for (reg, len) in access.reads.into_iter().flatten() {
            match words(reg, len) {
                Ok(words) => {
                    let known = words & !*written == 0;
                    self.check(known, place, VerifyErrorKind::Uninitialized);
                }
                Err(kind) => self.fail(place, kind),
            }
        }
        if let Some((reg, len)) = access.writes {
            match words(reg, len) {
                Ok(words) => *written |= words,
                Err(kind) => self.fail(place, kind),
            }
        }
    }
}

/// The words that some bytes of a register lie in, one bit each.
fn words(reg: Reg, len: u8) -> Result<u16, VerifyErrorKind> {
    if len == 0 {
        return Err(VerifyErrorKind::BadLength);
    }
    let first = reg.offset() / 4;
    let end = (reg.offset() + usize::from(len)).div_ceil(4);
    if end * 4 > REGISTER_BYTES {
        return Err(VerifyErrorKind::RegisterRange);
    }
    Ok((first..end).fold(0, |words, word| words | (1 << word)))
}
