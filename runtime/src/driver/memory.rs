//! A device in memory, for tests and measurements.

use std::collections::VecDeque;
use std::io;

use super::{PacketSink, PacketSource};
use crate::frame::{Frame, OutFrame, Pool};

/// Frames that wait to be received, and frames that were sent.
#[derive(Debug, Default)]
pub struct Memory {
    /// What [`PacketSource::receive`] gives, first in first out.
    pub incoming: VecDeque<Frame>,
    /// What was sent.
    pub sent: Vec<OutFrame>,
}

impl PacketSource for Memory {
    fn receive(
        &mut self,
        frames: &mut Vec<Frame>,
        _pool: &mut Pool,
        most: usize,
    ) -> io::Result<usize> {
        let count = most.min(self.incoming.len());
        frames.extend(self.incoming.drain(..count));
        Ok(count)
    }
}

impl PacketSink for Memory {
    fn send(&mut self, frame: OutFrame, _pool: &mut Pool) -> io::Result<()> {
        self.sent.push(frame);
        Ok(())
    }
}
