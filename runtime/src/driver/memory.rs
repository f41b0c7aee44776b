//! A device in memory, for tests and measurements.

use std::collections::VecDeque;
use std::io;

use super::{PacketSink, PacketSource};
use crate::datapath::{Frame, OutFrame};

/// Frames that wait to be received, and frames that were sent.
#[derive(Debug, Default)]
pub struct Memory {
    /// What [`PacketSource::receive`] gives, first in first out.
    pub incoming: VecDeque<Frame>,
    /// What was sent.
    pub sent: Vec<OutFrame>,
}

impl PacketSource for Memory {
    fn receive(&mut self, frames: &mut Vec<Frame>, most: usize) -> io::Result<usize> {
        let count = most.min(self.incoming.len());
        frames.extend(self.incoming.drain(..count));
        Ok(count)
    }
}

impl PacketSink for Memory {
    fn send(&mut self, frame: OutFrame) -> io::Result<()> {
        self.sent.push(frame);
        Ok(())
    }
}
