//! A line that tells somebody at a terminal that work goes on, when it takes longer than a second.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Nothing is shown before this.
const PATIENCE: Duration = Duration::from_secs(1);

/// Work under way; the line goes when this does.
pub(crate) struct Progress {
    watcher: Option<(Sender<&'static str>, JoinHandle<()>)>,
}

impl Progress {
    /// Watches over work on what `name` says, in silence where stderr is no terminal.
    pub(crate) fn on(name: String) -> Self {
        let watcher = io::stderr().is_terminal().then(|| {
            let (sender, steps) = mpsc::channel();
            let watcher = thread::spawn(move || {
                let (mut step, mut secs) = ("reading", 0);
                loop {
                    match steps.recv_timeout(PATIENCE) {
                        Ok(next) => step = next,
                        Err(RecvTimeoutError::Disconnected) => break,
                        Err(RecvTimeoutError::Timeout) => {
                            secs += PATIENCE.as_secs();
                            // Nothing can be done when stderr is closed.
                            _ = write!(io::stderr(), "\r\x1b[Kredan: {step} {name}, {secs} s");
                        }
                    }
                }
                if secs > 0 {
                    _ = write!(io::stderr(), "\r\x1b[K");
                }
            });
            (sender, watcher)
        });
        Self { watcher }
    }

    /// Says what is being done, for the line.
    pub(crate) fn step(&self, what: &'static str) {
        if let Some((sender, _)) = &self.watcher {
            _ = sender.send(what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, watcher)) = self.watcher.take() {
            drop(sender);
            _ = watcher.join();
        }
    }
}
