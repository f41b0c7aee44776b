//! A line that tells somebody at a terminal that work goes on, when it takes longer than a second.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Nothing is shown before this.
const PATIENCE: Duration = Duration::from_secs(1);

/// Work under way; the line goes when the last clone of this does.
#[derive(Clone)]
pub(crate) struct Progress(Option<Arc<Watcher>>);

struct Watcher {
    shared: Arc<Mutex<Done>>,
    thread: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

/// What is done, and how much of it.
struct Done {
    step: &'static str,
    bytes: u64,
    total: Option<u64>,
}

impl Progress {
    /// Work that tells of itself in another way.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Watches over work on what `name` says, in silence where stderr is no terminal.
    pub(crate) fn on(name: String) -> Self {
        if !io::stderr().is_terminal() {
            return Self::none();
        }
        let shared = Arc::new(Mutex::new(Done {
            step: "reading",
            bytes: 0,
            total: None,
        }));
        let (sender, end) = mpsc::channel();
        let seen = shared.clone();
        let thread = thread::spawn(move || {
            let mut secs = 0;
            while end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                secs += PATIENCE.as_secs();
                let line = line(&seen.lock().unwrap_or_else(PoisonError::into_inner), &name);
                // Nothing can be done when stderr is closed.
                _ = write!(io::stderr(), "\r\x1b[Kredan: {line}, {secs} s");
            }
            if secs > 0 {
                _ = write!(io::stderr(), "\r\x1b[K");
            }
        });
        Self(Some(Arc::new(Watcher {
            shared,
            thread: Mutex::new(Some((sender, thread))),
        })))
    }

    fn change(&self, change: impl FnOnce(&mut Done)) {
        if let Some(watcher) = &self.0 {
            change(
                &mut watcher
                    .shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }

    /// Says what is being done, for the line.
    pub(crate) fn step(&self, what: &'static str) {
        self.change(|done| done.step = what);
    }

    /// Says how many bytes there are in all, where that is known.
    pub(crate) fn out_of(&self, total: Option<u64>) {
        self.change(|done| done.total = total);
    }

    /// So many more bytes are done.
    pub(crate) fn advance(&self, bytes: u64) {
        self.change(|done| done.bytes += bytes);
    }

    /// The work is done; what is said from here on finds a clean line.
    pub(crate) fn end(&self) {
        if let Some(watcher) = &self.0 {
            watcher.end();
        }
    }
}

impl Watcher {
    fn end(&self) {
        let taken = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((sender, thread)) = taken {
            drop(sender);
            _ = thread.join();
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.end();
    }
}

fn line(done: &Done, name: &str) -> String {
    let mib = |bytes: u64| bytes >> 20;
    match (done.bytes, done.total) {
        (0, _) => format!("{} {name}", done.step),
        (bytes, Some(total)) if total > 0 => {
            let percent = bytes.saturating_mul(100) / total;
            format!(
                "{} {name}, {} of {} MiB ({percent} %)",
                done.step,
                mib(bytes),
                mib(total)
            )
        }
        (bytes, _) => format!("{} {name}, {} MiB", done.step, mib(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_the_work_is() {
        let check = |bytes, total, wanted| {
            let done = Done {
                step: "reading",
                bytes,
                total,
            };
            assert_eq!(line(&done, "c.pcap"), wanted);
        };
        check(0, None, "reading c.pcap");
        check(5 << 20, None, "reading c.pcap, 5 MiB");
        check(
            5 << 20,
            Some(20 << 20),
            "reading c.pcap, 5 of 20 MiB (25 %)",
        );
    }
}
