//! Addresses as iptables reads them: `10/8`, `10.0.0.1/255.255.255.0`, `fe80::/10`, ranges.

use super::nft::{Match, Op, Stmt, Value};
use super::source::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address under a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Net {
    family: Family,
    /// The address, the mask laid over it.
    pub(super) addr: u128,
    /// The mask.
    pub(super) mask: u128,
}

/// All bits of an address.
pub(super) fn all(family: Family) -> u128 {
    crate::datatype::mask(family.bits())
}

/// An address's text.
pub(super) fn text(family: Family, addr: u128) -> String {
    match family {
        Family::V4 => Ipv4Addr::from(u32::try_from(addr).unwrap_or(u32::MAX)).to_string(),
        Family::V6 => Ipv6Addr::from(addr).to_string(),
    }
}

/// An address.
pub(super) fn address(family: Family, text: &str) -> Option<u128> {
    let whole: Option<IpAddr> = text.parse().ok();
    match (family, whole) {
        (Family::V4, Some(IpAddr::V4(addr))) => Some(u32::from(addr).into()),
        (Family::V6, Some(IpAddr::V6(addr))) => Some(addr.into()),
        (Family::V6, _) | (_, Some(_)) => None,
        (Family::V4, None) => {
            // xtables: networks may leave their last parts out
            let parts: Vec<u8> = text
                .split('.')
                .map(|part| part.parse().ok())
                .collect::<Option<_>>()?;
            let filled = parts.iter().copied().chain([0; 4]).take(4);
            (parts.len() <= 4).then(|| filled.fold(0, |addr, part| addr << 8 | u128::from(part)))
        }
    }
}

/// An address with or without a mask.
pub(super) fn net(family: Family, text: &str) -> Option<Net> {
    let (addr, mask) = match text.split_once('/') {
        None => (address(family, text)?, all(family)),
        Some((addr, mask)) => (address(family, addr)?, read_mask(family, mask)?),
    };
    Some(Net {
        family,
        addr: addr & mask,
        mask,
    })
}

/// A mask: a number of bits, or an address.
pub(super) fn read_mask(family: Family, text: &str) -> Option<u128> {
    match text.parse::<u32>() {
        Ok(bits) if bits <= family.bits() => Some(prefix_mask(family, bits)),
        Ok(_) => None,
        Err(_) => address(family, text).filter(|_| text.contains(['.', ':'])),
    }
}

/// The mask of a prefix.
pub(super) fn prefix_mask(family: Family, bits: u32) -> u128 {
    let all = all(family);
    if bits == 0 {
        0
    } else {
        all & (all << (family.bits() - bits))
    }
}

/// How many bits a mask has, where they are the first ones.
pub(super) fn prefix_len(family: Family, mask: u128) -> Option<u32> {
    let len = mask.count_ones();
    (prefix_mask(family, len) == mask).then_some(len)
}

impl Net {
    /// Whether it is every address.
    pub(super) fn is_any(self) -> bool {
        self.mask == 0
    }

    /// As a value, unless the mask has holes.
    pub(super) fn value(self) -> Option<Value> {
        let len = prefix_len(self.family, self.mask)?;
        let addr = text(self.family, self.addr);
        let text = if len == self.family.bits() {
            addr
        } else {
            format!("{addr}/{len}")
        };
        let last = self.addr | (all(self.family) & !self.mask);
        Some(Value {
            text,
            range: Some((self.addr, last)),
        })
    }

    /// As a match on `key`.
    pub(super) fn test(self, key: &str, not: bool) -> Stmt {
        let op = if not { Op::Ne } else { Op::Eq };
        if let Some(value) = self.value() {
            return Stmt::Match(Match {
                key: key.to_owned(),
                op,
                values: vec![value],
            });
        }
        let sign = if not { "!=" } else { "==" };
        let (mask, addr) = (text(self.family, self.mask), text(self.family, self.addr));
        Stmt::Test(format!("{key} & {mask} {sign} {addr}"))
    }
}

/// `a-b`, or `a` alone.
pub(super) fn range(family: Family, text_: &str) -> Option<Value> {
    let (first, last) = text_.split_once('-').unwrap_or((text_, text_));
    let (first, last) = (address(family, first)?, address(family, last)?);
    let text = if first == last {
        text(family, first)
    } else {
        format!("{}-{}", text(family, first), text(family, last))
    };
    (first <= last).then_some(Value {
        text,
        range: Some((first, last)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(family: Family, text: &str, wanted: Option<&str>) {
        let got = net(family, text).map(|net| super::super::write::stmt(&net.test("a", false)));
        assert_eq!(got.as_deref(), wanted, "{text}");
    }

    #[test]
    fn addresses_as_iptables_reads_them() {
        check(Family::V4, "10/8", Some("a 10.0.0.0/8"));
        check(
            Family::V4,
            "10.11.12.13/255.255.0.0",
            Some("a 10.11.0.0/16"),
        );
        check(
            Family::V4,
            "10.11.12.13/255.0.255.0",
            Some("a & 255.0.255.0 == 10.0.12.0"),
        );
        check(Family::V4, "10.11.12.13", Some("a 10.11.12.13"));
        check(Family::V4, "10.11.12.13/33", None);
        check(Family::V4, "example.org", None);
        check(Family::V4, "::1", None);
        check(
            Family::V6,
            "feed:babe::1/ffff:ff00::",
            Some("a feed:ba00::/24"),
        );
        check(Family::V6, "10.0.0.1", None);
    }
}
