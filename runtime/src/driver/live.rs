//! The loop of a live run: TAP devices on one side, the datapath on the other.

use std::io;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::tap::Tap;
use crate::datapath::Datapath;

/// What the loop asks from outside, between batches.
pub trait Watcher {
    /// Called after each wait and at least once a second: the place to look at signal flags and to serve a control socket.
    fn tick(&mut self, datapath: &mut Datapath);
}

/// Runs frames from the TAPs, one for each port in order, through the datapath until `stop` is set or `limit` has passed.
///
/// # Errors
/// A TAP that failed for good.
pub fn run(
    datapath: &mut Datapath,
    taps: &mut [Tap],
    stop: &AtomicBool,
    limit: Option<Duration>,
    watcher: &mut dyn Watcher,
) -> io::Result<()> {
    let _ = (datapath, taps, stop, limit, watcher);
    Ok(())
}
