//! What rules do beside deciding, during a replay: log lines and visited rules are kept until the frame is done, since printing is not to be
//! measured.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redan_runtime::{LogEntry, Observer, Step};
use redan_vm::family::Hook;

use crate::output::file::Pending;
use crate::output::groups::Groups;
use crate::output::replay::Visited;

/// What rules did for one frame.
#[derive(Default)]
pub(super) struct Deeds {
    /// Rules visited.
    pub(super) visits: Vec<Visited>,
    /// Lines logged.
    pub(super) log: Vec<String>,
}

/// What rules have done since the last look, shared with the datapath.
#[derive(Clone)]
pub(super) struct Watch(Arc<Mutex<Seen>>);

struct Seen {
    deeds: Deeds,
    /// Where the packet is.
    hook: Hook,
    /// Files of log groups.
    groups: Option<Groups<Pending>>,
}

impl Watch {
    /// With what takes the packets of log groups.
    pub(super) fn new(groups: Option<Groups<Pending>>) -> Self {
        let seen = Seen {
            deeds: Deeds::default(),
            hook: Hook::Prerouting,
            groups,
        };
        Self(Arc::new(Mutex::new(seen)))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is there.
    pub(super) fn take(&self) -> Deeds {
        std::mem::take(&mut self.seen().deeds)
    }

    /// Takes the files of log groups.
    pub(super) fn take_groups(&self) -> Option<Groups<Pending>> {
        self.seen().groups.take()
    }
}

impl Observer for Watch {
    fn log(&mut self, entry: &LogEntry<'_>) {
        let mut seen = self.seen();
        // A full disk: the line is better than nothing.
        let is_kept = seen.groups.as_mut().map(|groups| groups.write(entry));
        if !matches!(is_kept, Some(Ok(true))) {
            seen.deeds.log.push(entry.to_string());
        }
    }

    fn trace(&mut self, step: Step<'_>) {
        let mut seen = self.seen();
        match step {
            Step::Hook(hook, _) => seen.hook = hook,
            Step::Rule(visit) => {
                let (hook, visit) = (seen.hook, visit.clone());
                seen.deeds.visits.push(Visited { hook, visit });
            }
            Step::Tracked(_)
            | Step::Chain(_)
            | Step::Ended(..)
            | Step::Route(..)
            | Step::Forward { .. }
            | Step::Answer(_)
            | Step::Answered
            | Step::Leaves(_) => {}
        }
    }
}
