//! System calls of the TAP driver: the only unsafe code of this crate. Each function is a call with its arguments checked.
#![expect(
    unsafe_code,
    reason = "ioctl, poll, prctl and reading into room that holds nothing yet have no safe form in the standard library"
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

/// Reads into the room that `bytes` has behind what it holds, and says how much there was.
///
/// This and the calls below go past the C library's functions, which a second thread makes points of cancellation: that costs two locked
/// instructions a frame.
pub(super) fn read(file: &File, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let room = bytes.spare_capacity_mut();
    // SAFETY: the descriptor is open, and `room` is a place to write to, as long as it says.
    let read = unsafe {
        libc::syscall(
            libc::SYS_read,
            file.as_raw_fd(),
            room.as_mut_ptr(),
            room.len(),
        )
    };
    let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: that many bytes behind the old length have been written, within the capacity.
    unsafe { bytes.set_len(bytes.len() + read) };
    Ok(read)
}

/// Reads into `front` and then into the room that `bytes` has behind what it holds; says how much there was.
pub(super) fn read_behind(file: &File, front: &mut [u8], bytes: &mut Vec<u8>) -> io::Result<usize> {
    let room = bytes.spare_capacity_mut();
    let parts = [
        libc::iovec {
            iov_base: front.as_mut_ptr().cast(),
            iov_len: front.len(),
        },
        libc::iovec {
            iov_base: room.as_mut_ptr().cast(),
            iov_len: room.len(),
        },
    ];
    // SAFETY: the descriptor is open, and both parts are places to write to, as long as they say.
    let read = unsafe { libc::syscall(libc::SYS_readv, file.as_raw_fd(), parts.as_ptr(), 2) };
    let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
    let len = bytes.len() + read.saturating_sub(front.len());
    // SAFETY: `front` is filled first; what was read beyond it has been written behind the old length, within the capacity.
    unsafe { bytes.set_len(len) };
    Ok(read)
}

/// Writes one frame.
pub(super) fn write(file: &File, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: the descriptor is open, and `bytes` can be read as long as it says.
    let written = unsafe {
        libc::syscall(
            libc::SYS_write,
            file.as_raw_fd(),
            bytes.as_ptr(),
            bytes.len(),
        )
    };
    if written < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
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

/// Lets this thread's sleeps end when they should: by default the kernel joins them with what is due within 50 us.
pub(in crate::driver) fn sleep_exactly() {
    // SAFETY: PR_SET_TIMERSLACK takes one number and changes only when this thread's timers fire. Where it fails, sleeps are longer.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong) };
}

/// Sleeps.
#[expect(
    clippy::disallowed_methods,
    reason = "beside the devices is where time passes"
)]
pub(in crate::driver) fn sleep(time: Duration) {
    std::thread::sleep(time);
}

/// Waits for descriptors.
pub(in crate::driver) struct Waiter {
    polled: Vec<libc::pollfd>,
}

impl Waiter {
    /// For these descriptors, which must stay open.
    pub(in crate::driver) fn new<'a>(descriptors: impl Iterator<Item = BorrowedFd<'a>>) -> Self {
        let polled = |descriptor: BorrowedFd<'a>| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        Self {
            polled: descriptors.map(polled).collect(),
        }
    }

    /// Waits until one of the descriptors can be read (true), a signal comes, or the time is over.
    pub(in crate::driver) fn wait(&mut self, most: Duration) -> io::Result<bool> {
        let count = libc::nfds_t::try_from(self.polled.len()).map_err(io::Error::other)?;
        let time = libc::timespec {
            tv_sec: libc::time_t::try_from(most.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(most.subsec_nanos()),
        };
        // SAFETY: `polled` has `count` entries and lives through the call, as does `time`; no signal mask is given.
        let result = unsafe {
            libc::ppoll(
                self.polled.as_mut_ptr(),
                count,
                &raw const time,
                std::ptr::null(),
            )
        };
        if result >= 0 {
            return Ok(result > 0);
        }
        // What was there before an error is not what is there now.
        self.polled.iter_mut().for_each(|one| one.revents = 0);
        let error = io::Error::last_os_error();
        if error.kind() == io::ErrorKind::Interrupted {
            Ok(false)
        } else {
            Err(error)
        }
    }

    /// Whether there was something on the descriptor with this number, by the last wait: a frame, or an error that reading will tell.
    pub(in crate::driver) fn is_ready(&self, number: usize) -> bool {
        self.polled.get(number).is_some_and(|one| one.revents != 0)
    }
}
