//! TAP devices (Linux): frames with a virtio-net header, so that segments that belong together pass in one piece.

pub(super) mod sys;
#[cfg(test)]
mod tests;
mod vnet;

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use super::{PacketSink, PacketSource};
use crate::datapath::{Frame, OutFrame};
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

/// Bytes of a frame with all its segments, at most (`GSO_MAX_SIZE` and an Ethernet header with two tags).
const FRAME_BYTES: usize = 65536 + 22;
/// Frames above this length are handed on in the buffer that they were read into, in bytes; shorter ones are copied out of it.
const COPIED: usize = 2048;
/// Buffers that are kept for reuse.
const KEPT: usize = 256;

/// An open TAP device.
#[derive(Debug)]
pub struct Tap {
    name: String,
    file: File,
    /// Where the next frame is read to: virtio-net header and frame.
    scratch: Vec<u8>,
    /// Buffers given back.
    spare: Vec<Vec<u8>>,
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
        let _ = sys::set_offload(&file, plain | libc::TUN_F_USO4 | libc::TUN_F_USO6)
            .or_else(|_| sys::set_offload(&file, plain));
        // Whoever may not do this has had it done before, or does it afterwards.
        let _ = sys::bring_up(name);
        Ok(Self {
            name: name.to_owned(),
            file,
            scratch: buffer(),
            spare: Vec::new(),
            lost: 0,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Frames that the device did not take, because it was down or its queue full.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Gives a frame's buffer back for reuse.
    pub(super) fn recycle(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < KEPT && bytes.capacity() <= COPIED {
            self.spare.push(bytes);
        }
    }

    /// Takes the frame of `len` bytes, header included, out of the scratch buffer.
    fn take(&mut self, len: usize) -> Option<Frame> {
        let (header, rest) = self.scratch.split_first_chunk::<{ vnet::BYTES }>()?;
        let offload = vnet::parse(header);
        let frame = rest.get(..len.checked_sub(vnet::BYTES)?)?;
        let bytes = if frame.len() <= COPIED {
            let mut bytes = self
                .spare
                .pop()
                .unwrap_or_else(|| Vec::with_capacity(COPIED));
            bytes.clear();
            bytes.extend_from_slice(frame);
            bytes
        } else {
            frame.to_vec()
        };
        Some(Frame {
            bytes,
            offload,
            made_link: false,
        })
    }
}

fn buffer() -> Vec<u8> {
    vec![0; vnet::BYTES + FRAME_BYTES]
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
    fn receive(&mut self, frames: &mut Vec<Frame>, most: usize) -> io::Result<usize> {
        for taken in 0..most {
            let len = match self.file.read(&mut self.scratch) {
                Ok(len) => len,
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) =>
                {
                    return Ok(taken);
                }
                Err(error) => {
                    let what = format!("read from the TAP `{}`: {error}", self.name);
                    return Err(io::Error::new(error.kind(), what));
                }
            };
            frames.extend(self.take(len));
        }
        Ok(most)
    }
}

impl PacketSink for Tap {
    fn send(&mut self, frame: OutFrame) -> io::Result<()> {
        let header = vnet::emit(&frame.offload);
        let sent = self
            .file
            .write_vectored(&[IoSlice::new(&header), IoSlice::new(&frame.bytes)]);
        self.recycle(frame.bytes);
        if sent.is_err() {
            // Down, full, or a frame that the kernel refuses: as on a wire, it is lost, and the next one may get through.
            self.lost += 1;
        }
        Ok(())
    }
}
