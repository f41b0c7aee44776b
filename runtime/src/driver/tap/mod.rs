//! TAP devices (Linux): frames with a virtio-net header, so that segments that belong together pass in one piece.

pub(super) mod sys;
#[cfg(test)]
mod tests;
mod vnet;

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, BorrowedFd};

use super::{PacketSink, PacketSource};
use crate::frame::{Frame, Offload, OutFrame, Pool, Takes};
use crate::site::is_interface_name;

/// What went wrong with a TAP device, with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The name is too long or has a character that no interface name has.
    #[error("`{0}` is no interface name; write 1 to 15 bytes without spaces and slashes")]
    BadName(String),
    /// Something else holds the device, or a device of another kind has the name.
    #[error(
        "`{0}` is taken by another program or another kind of device; choose another name or end that program"
    )]
    Taken(String),
    /// Not allowed.
    #[error(
        "no permission to open the TAP `{0}`; run as root or with CAP_NET_ADMIN, or make it beforehand: ip tuntap add dev {0} mode tap user $USER"
    )]
    NoPermission(String),
    /// No TUN driver.
    #[error("/dev/net/tun is missing; load the tun module: modprobe tun")]
    NoDriver,
    /// A system call failed.
    #[error("{call} on the TAP `{name}`: {source}")]
    Io {
        /// The device.
        name: String,
        /// The system call.
        call: &'static str,
        /// Its error.
        source: io::Error,
    },
}

/// Bytes taken in one turn: no more than lie near the processor until they are written again.
const NEAR: usize = 128 * 1024;
/// Bytes of a frame that are moved more cheaply than taken from two places.
const SHORT: usize = 2048;

/// An open TAP device.
#[derive(Debug)]
pub struct Tap {
    name: String,
    file: File,
    takes: Takes,
    /// The last frame that was read was longer than [`SHORT`]; the next one is likely to be, too.
    last_was_long: bool,
    /// Frames that the device did not take.
    lost: u64,
}

impl Tap {
    /// Opens a TAP by name, making it when it is not there (then it goes away with the program), and brings it up where that is allowed.
    ///
    /// # Errors
    /// See [`TapError`].
    pub fn open(name: &str) -> Result<Self, TapError> {
        Self::open_queue(name, false)
    }

    /// Opens one queue of a TAP: one call for each queue of one name.
    ///
    /// # Errors
    /// See [`TapError`].
    pub fn open_queue(name: &str, multi_queue: bool) -> Result<Self, TapError> {
        if !is_interface_name(name) {
            return Err(TapError::BadName(name.to_owned()));
        }
        let file = sys::open_driver().map_err(|error| TapError::of_open(name, error))?;
        // A device that was made with several queues takes only askers that say so.
        let attached =
            sys::attach(&file, name, multi_queue).or_else(|error| match error.raw_os_error() {
                Some(libc::EINVAL) if !multi_queue => {
                    sys::attach(&file, name, true).map_err(|_| error)
                }
                _ => Err(error),
            });
        attached.map_err(|error| TapError::of_attach(name, error))?;
        let plain = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;
        // Kernels before 6.2 know no UDP segments; without any of it frames come in their plain size.
        let has_udp = sys::set_offload(&file, plain | libc::TUN_F_USO4 | libc::TUN_F_USO6).is_ok();
        if !has_udp {
            let _ = sys::set_offload(&file, plain);
        }
        // Whoever may not do this has had it done before, or does it afterwards.
        let _ = sys::bring_up(name);
        Ok(Self {
            name: name.to_owned(),
            file,
            // What is written may have been segmented by another device at any time; only what the kernel does not know is refused.
            takes: Takes {
                partial: true,
                tcp: true,
                udp: has_udp,
            },
            last_was_long: false,
            lost: 0,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a frame into an empty buffer. A short one is read together with its header and moved to the front; that costs less than having
    /// the kernel look at two places. A long one is not moved, but for the first after a short one.
    fn read(&mut self, bytes: &mut Vec<u8>) -> io::Result<Offload> {
        let mut header = [0; vnet::BYTES];
        if self.last_was_long {
            sys::read_behind(&self.file, &mut header, bytes)?;
        } else {
            sys::read(&self.file, bytes)?;
            let rest = bytes.len().saturating_sub(header.len());
            if let Some(front) = bytes.first_chunk() {
                header = *front;
                bytes.copy_within(header.len().., 0);
            }
            bytes.truncate(rest);
        }
        self.last_was_long = bytes.len() > SHORT;
        Ok(vnet::parse(&header))
    }

    /// Writes a frame, with the same care.
    fn write(&self, bytes: &mut Vec<u8>, offload: &Offload) -> io::Result<()> {
        let header = vnet::emit(offload);
        let len = bytes.len();
        if len > SHORT {
            let parts = [IoSlice::new(&header), IoSlice::new(bytes)];
            return (&self.file).write_vectored(&parts).map(drop);
        }
        bytes.resize(len + header.len(), 0);
        bytes.copy_within(..len, header.len());
        if let Some(front) = bytes.first_chunk_mut() {
            *front = header;
        }
        sys::write(&self.file, bytes)
    }

    /// What may be left to it of a frame.
    pub const fn takes(&self) -> Takes {
        self.takes
    }

    /// Frames that the device did not take, because it was down or its queue full.
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

impl TapError {
    fn io(name: &str, call: &'static str, source: io::Error) -> Self {
        Self::Io {
            name: name.to_owned(),
            call,
            source,
        }
    }

    fn of_open(name: &str, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => Self::NoDriver,
            Some(libc::EACCES | libc::EPERM) => Self::NoPermission(name.to_owned()),
            _ => Self::io(name, "open /dev/net/tun", error),
        }
    }

    fn of_attach(name: &str, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EBUSY | libc::EINVAL) => Self::Taken(name.to_owned()),
            Some(libc::EACCES | libc::EPERM) => Self::NoPermission(name.to_owned()),
            _ => Self::io(name, "ioctl TUNSETIFF", error),
        }
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl PacketSource for Tap {
    fn receive(
        &mut self,
        frames: &mut Vec<Frame>,
        pool: &mut Pool,
        most: usize,
    ) -> io::Result<usize> {
        let (mut taken, mut near) = (0, 0);
        while taken < most && near < NEAR {
            let mut bytes = pool.take();
            match self.read(&mut bytes) {
                Ok(offload) => {
                    taken += 1;
                    near += bytes.len();
                    frames.push(Frame {
                        bytes,
                        offload,
                        made_link: false,
                    });
                }
                Err(error) => {
                    pool.give(bytes);
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) {
                        break;
                    }
                    let what = format!("read from the TAP `{}`: {error}", self.name);
                    return Err(io::Error::new(error.kind(), what));
                }
            }
        }
        Ok(taken)
    }
}

impl PacketSink for Tap {
    fn send(&mut self, frame: OutFrame, pool: &mut Pool) -> io::Result<()> {
        let mut bytes = frame.bytes;
        if self.write(&mut bytes, &frame.offload).is_err() {
            // Down, full, or a frame that the kernel refuses: as on a wire, it is lost, and the next one may get through.
            self.lost += 1;
        }
        pool.give(bytes);
        Ok(())
    }
}
