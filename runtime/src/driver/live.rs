//! The loop of a live run: devices on one side, the datapath on the other.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redan_vm::Instant;

use super::tap::sys::{self, Waiter};
use super::{PacketSink, PacketSource};
use crate::clock::Clock;
use crate::datapath::Datapath;
use crate::frame::{Frame, OutFrame};
use crate::site::PortId;

/// Frames taken from one device before the next has its turn.
const BATCH: usize = 64;
/// Short frames in a turn from which on more are likely to follow at once: one at a time is a conversation, in which each waits for an answer.
const TRAIN: usize = 4;
/// How long the next turn then waits for them, as a card's interrupt moderation does: waking up costs as much as a frame.
const GATHER: Duration = Duration::from_micros(50);
/// Bytes of a short frame.
const SHORT: usize = 2048;
/// Longest sleep, so that flags are looked at.
const LONGEST: Duration = Duration::from_millis(500);
/// Between two looks at flags under load.
const TICK: Duration = Duration::from_millis(100);

/// What the loop asks from outside, between batches.
pub trait Watcher {
    /// Called after each wait and several times a second: the place to look at signal flags and to serve a control socket.
    fn tick(&mut self, datapath: &mut Datapath);
}

/// A device that the loop can wait for.
pub trait Device: PacketSource + PacketSink + AsFd {}

impl<T: PacketSource + PacketSink + AsFd> Device for T {}

/// Runs frames from the devices, one for each port in order, through the datapath until `stop` is set or `limit` has passed.
///
/// # Errors
/// A device failed for good.
pub fn run<D: Device>(
    datapath: &mut Datapath,
    devices: &mut [D],
    stop: &AtomicBool,
    limit: Option<Duration>,
    watcher: &mut dyn Watcher,
) -> io::Result<()> {
    let clock = Clock::start();
    let start = clock.now();
    let mut pump = Pump {
        frames: Vec::new(),
        out: Vec::new(),
    };
    sys::sleep_exactly();
    let mut waiter = Waiter::new(devices.iter().map(AsFd::as_fd));
    let (mut now, mut ticked_at) = (start, start);
    watcher.tick(datapath);
    while !stop.load(Ordering::Relaxed) && limit.is_none_or(|limit| now.since(start) < limit) {
        let left = limit.map_or(LONGEST, |limit| limit.saturating_sub(now.since(start)));
        let due = datapath.poll_timeout().map_or(LONGEST, |at| at.since(now));
        // Where frames are there, this only says on which devices: one call instead of a read in vain from each.
        let is_ready = waiter.wait(LONGEST.min(left).min(due))?;
        now = clock.now();
        if !is_ready || now.since(ticked_at) >= TICK {
            ticked_at = now;
            watcher.tick(datapath);
        }
        if pump.turn(datapath, devices, &waiter, now)? {
            sys::sleep(GATHER);
        }
    }
    Ok(())
}

/// Buffers of the loop.
struct Pump {
    frames: Vec<Frame>,
    out: Vec<OutFrame>,
}

impl Pump {
    /// Takes a batch from each device that has something, and does what is due; whether a train of short frames is under way, which
    /// the devices have not yet piled up.
    fn turn<D: Device>(
        &mut self,
        datapath: &mut Datapath,
        devices: &mut [D],
        waiter: &Waiter,
        now: Instant,
    ) -> io::Result<bool> {
        let (mut taken, mut longest) = (0, 0);
        for port in 0..devices.len() {
            let (Some(device), Ok(number)) = (devices.get_mut(port), u16::try_from(port)) else {
                break;
            };
            if !waiter.is_ready(port) {
                continue;
            }
            taken += device.receive(&mut self.frames, datapath.pool(), BATCH)?;
            let lengths = self.frames.iter().map(|frame| frame.bytes.len());
            longest = lengths.fold(longest, usize::max);
            datapath.handle_frames(now, PortId(number), &mut self.frames, &mut self.out);
            self.send(datapath, devices)?;
        }
        if datapath.poll_timeout().is_some_and(|at| at <= now) {
            datapath.handle_timeout(now, &mut self.out);
            self.send(datapath, devices)?;
        }
        Ok((TRAIN..BATCH).contains(&taken) && longest <= SHORT)
    }

    fn send<D: Device>(&mut self, datapath: &mut Datapath, devices: &mut [D]) -> io::Result<()> {
        for frame in self.out.drain(..) {
            if let Some(device) = devices.get_mut(frame.port.index()) {
                device.send(frame, datapath.pool())?;
            }
        }
        Ok(())
    }
}
