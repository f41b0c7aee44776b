//! Where frames come from and go to: capture files, memory, TAP devices.

pub mod capture;
#[cfg(target_os = "linux")]
pub mod live;
pub mod memory;
#[cfg(target_os = "linux")]
pub mod tap;

use std::io;

use crate::frame::{Frame, OutFrame, Pool};

/// Gives frames.
pub trait PacketSource {
    /// Appends at most `most` frames that are there, without waiting, in buffers from the pool, and says how many.
    ///
    /// # Errors
    /// The device failed for good.
    fn receive(
        &mut self,
        frames: &mut Vec<Frame>,
        pool: &mut Pool,
        most: usize,
    ) -> io::Result<usize>;
}

/// Takes frames.
pub trait PacketSink {
    /// Sends a frame and gives its buffer to the pool; where the device is full it is lost, as on a wire.
    ///
    /// # Errors
    /// The device failed for good.
    fn send(&mut self, frame: OutFrame, pool: &mut Pool) -> io::Result<()>;
}
