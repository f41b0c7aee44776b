//! What can be tested with and without permission.

use super::*;
use crate::frame::{SegmentKind, Segments, TransportSum};

#[track_caller]
fn check_refused(name: &str, message: &str) {
    let error = Tap::open(name).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn bad_names_are_refused_with_the_remedy() {
    check_refused("", "is no interface name");
    check_refused("a-name-too-long-", "write 1 to 15 bytes");
    check_refused("a/b", "without spaces and slashes");
    check_refused("a b", "without spaces and slashes");
}

#[test]
fn errors_of_the_system_say_what_to_do() {
    let of = |code| io::Error::from_raw_os_error(code);
    assert!(
        TapError::of_open("t0", of(libc::ENOENT))
            .to_string()
            .contains("modprobe tun")
    );
    assert!(
        TapError::of_open("t0", of(libc::EACCES))
            .to_string()
            .contains("ip tuntap add dev t0")
    );
    assert!(
        TapError::of_attach("t0", of(libc::EPERM))
            .to_string()
            .contains("CAP_NET_ADMIN")
    );
    assert!(
        TapError::of_attach("t0", of(libc::EBUSY))
            .to_string()
            .contains("taken by another program")
    );
    assert!(
        TapError::of_attach("t0", of(libc::EIO))
            .to_string()
            .contains("TUNSETIFF")
    );
}

#[test]
fn a_virtio_header_survives() {
    let segments = |kind, has_cwr| {
        Some(Segments {
            kind,
            size: 1448,
            has_cwr,
            header_bytes: 66,
        })
    };
    let partial = TransportSum::Partial {
        start: 34,
        field: 16,
    };
    for (sum, segments) in [
        (TransportSum::Unverified, None),
        (partial, None),
        (partial, segments(SegmentKind::Tcp4, false)),
        (partial, segments(SegmentKind::Tcp6, true)),
        (partial, segments(SegmentKind::Udp, false)),
    ] {
        let offload = Offload { sum, segments };
        assert_eq!(vnet::parse(&vnet::emit(&offload)), offload);
    }
}
