//! Where frames come from and go to: capture files, memory, TAP devices.

pub mod capture;
#[cfg(target_os = "linux")]
pub mod live;
pub mod memory;
#[cfg(target_os = "linux")]
pub mod tap;

use std::io;

use crate::datapath::{Frame, OutFrame};

/// Gives frames.
pub trait PacketSource {
    /// Appends at most `most` frames that are there, without waiting, and says how many.
    ///
    /// # Errors
    /// The device failed for good.
    fn receive(&mut self, frames: &mut Vec<Frame>, most: usize) -> io::Result<usize>;
}

/// Takes frames.
pub trait PacketSink {
    /// Sends a frame; where the device is full it is lost, as on a wire.
    ///
    /// # Errors
    /// The device failed for good.
    fn send(&mut self, frame: OutFrame) -> io::Result<()>;
}
