//! Addresses that may not stand where they stand: what Linux calls martian and drops (`route.c: ip_route_input_slow`, `ip6_input.c: ip6_rcv_core`).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::fib::Fib;

/// Whether an IPv4 packet is dropped when it is routed, behind prerouting.
#[inline]
pub fn is_martian_v4(src: Ipv4Addr, dst: Ipv4Addr, fib: &Fib) -> bool {
    if src.is_multicast() || src.is_broadcast() {
        return true;
    }
    if dst.is_broadcast() || (src.is_unspecified() && dst.is_unspecified()) {
        return false;
    }
    // Linux calls only 0.0.0.0 itself "zeronet" since 5.3; the rest of 0.0.0.0/8 is ordinary.
    src.is_unspecified()
        || dst.is_unspecified()
        || src.is_loopback()
        || dst.is_loopback()
        || fib.is_local(src.into())
}

/// Whether an IPv6 packet is dropped before prerouting: loopback on a wire, a group as the source, a group of reserved or interface scope.
pub fn is_martian_v6(src: Ipv6Addr, dst: Ipv6Addr) -> bool {
    let scope = |group: Ipv6Addr| group.segments()[0] & 0xf;
    src.is_loopback()
        || dst.is_loopback()
        || src.is_multicast()
        || (dst.is_multicast() && scope(dst) <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Port, Site};

    #[track_caller]
    fn check(src: &str, dst: &str, martian: bool) {
        let mut port = Port::new("lan0", 0);
        port.addresses = vec!["10.1.0.1/16".parse().unwrap()];
        let fib = Fib::new(&Site {
            ports: vec![port],
            ..Site::default()
        });
        let seen = if src.contains(':') {
            is_martian_v6(src.parse().unwrap(), dst.parse().unwrap())
        } else {
            is_martian_v4(src.parse().unwrap(), dst.parse().unwrap(), &fib)
        };
        assert_eq!(seen, martian, "{src} to {dst}");
    }

    /// As seen from the kernel, which forwarded what is `false` here.
    #[test]
    fn martians_are_the_kernels() {
        for src in [
            "0.0.0.0",
            "127.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "10.1.0.1",
        ] {
            check(src, "10.2.0.2", true);
        }
        for src in [
            "240.0.0.1",
            "10.1.255.255",
            "10.1.0.0",
            "0.1.2.3",
            "169.254.1.1",
        ] {
            check(src, "10.2.0.2", false);
        }
        for dst in ["0.0.0.0", "127.0.0.1"] {
            check("10.1.0.2", dst, true);
        }
        for dst in ["240.0.0.1", "0.1.2.3", "224.0.0.9", "255.255.255.255"] {
            check("10.1.0.2", dst, false);
        }
        for (src, dst) in [
            ("::1", "fd02::2"),
            ("ff02::1", "fd02::2"),
            ("fd01::2", "::1"),
            ("fd01::2", "ff01::1"),
        ] {
            check(src, dst, true);
        }
        check("fd01::1", "ff02::1", false);
    }
}
