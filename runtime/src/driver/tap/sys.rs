//! System calls of the TAP driver: the only unsafe code of this crate. Each function is a call with its arguments checked.
#![expect(
    unsafe_code,
    reason = "ioctl, poll and reading into room that holds nothing yet have no safe form in the standard library"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// Bytes of an interface name with its closing zero (`IFNAMSIZ`).
const NAME_BYTES: usize = 16;

/// `struct ifreq` as far as flags reach (`net/if.h`).
#[repr(C)]
#[derive(Clone, Copy)]
struct InterfaceRequest {
    name: [u8; NAME_BYTES],
    flags: libc::c_short,
    rest: [u8; 22],
}

impl InterfaceRequest {
    fn new(name: &str) -> io::Result<Self> {
        let mut bytes = [0; NAME_BYTES];
        if name.len() >= NAME_BYTES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for (to, from) in bytes.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        Ok(Self {
            name: bytes,
            flags: 0,
            rest: [0; 22],
        })
    }
}

/// Opens the TUN driver, without blocking.
pub(super) fn open_driver() -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open("/dev/net/tun")
}

/// Makes `file` a TAP of this name, with a virtio-net header before each frame.
pub(super) fn attach(file: &File, name: &str, multi_queue: bool) -> io::Result<()> {
    let mut request = InterfaceRequest::new(name)?;
    let flags = libc::IFF_TAP
        | libc::IFF_NO_PI
        | libc::IFF_VNET_HDR
        | if multi_queue {
            libc::IFF_MULTI_QUEUE
        } else {
            0
        };
    request.flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
    // SAFETY: the descriptor is open, and TUNSETIFF reads and writes one `struct ifreq`, which `request` is.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Says which offloads this end takes: `TUN_F_*` bits.
pub(super) fn set_offload(file: &File, bits: libc::c_uint) -> io::Result<()> {
    // SAFETY: the descriptor is open, and TUNSETOFFLOAD takes its bits by value.
    let result = unsafe {
        libc::ioctl(
            file.as_raw_fd(),
            libc::TUNSETOFFLOAD,
            libc::c_ulong::from(bits),
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Reads one frame: its header, and the rest into what room the empty `bytes` has.
pub(super) fn read_frame(file: &File, header: &mut [u8], bytes: &mut Vec<u8>) -> io::Result<()> {
    let room = bytes.spare_capacity_mut();
    let parts = [
        libc::iovec {
            iov_base: header.as_mut_ptr().cast(),
            iov_len: header.len(),
        },
        libc::iovec {
            iov_base: room.as_mut_ptr().cast(),
            iov_len: room.len(),
        },
    ];
    // SAFETY: the descriptor is open, and both parts are places to write to, as long as they say, that nothing else reads meanwhile.
    let read = unsafe { libc::readv(file.as_raw_fd(), parts.as_ptr(), 2) };
    let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
    let len = bytes.len() + read.saturating_sub(header.len());
    // SAFETY: readv fills the header first; what it read beyond that is initialised, and lies within the capacity.
    unsafe { bytes.set_len(len) };
    Ok(())
}

/// Brings an interface up.
pub(super) fn bring_up(name: &str) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    let mut request = InterfaceRequest::new(name)?;
    // SAFETY: the descriptor is an open socket, and SIOCGIFFLAGS reads and writes one `struct ifreq`.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    request.flags |= libc::c_short::try_from(libc::IFF_UP).map_err(io::Error::other)?;
    // SAFETY: as above; SIOCSIFFLAGS reads one `struct ifreq`.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Waits until one of the descriptors can be read, a signal comes, or the time is over.
pub(in crate::driver) fn wait_readable(
    descriptors: &[BorrowedFd<'_>],
    most: Duration,
) -> io::Result<()> {
    let mut polled: Vec<libc::pollfd> = descriptors
        .iter()
        .map(|descriptor| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let count = libc::nfds_t::try_from(polled.len()).map_err(io::Error::other)?;
    let time = libc::timespec {
        tv_sec: libc::time_t::try_from(most.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(most.subsec_nanos()),
    };
    // SAFETY: `polled` has `count` entries and lives through the call, as does `time`; no signal mask is given.
    let result = unsafe {
        libc::ppoll(
            polled.as_mut_ptr(),
            count,
            &raw const time,
            std::ptr::null(),
        )
    };
    if result < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted {
            Ok(())
        } else {
            Err(error)
        };
    }
    Ok(())
}
