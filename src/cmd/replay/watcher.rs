//! What rules do beside deciding, during a replay: log lines and visited rules are kept until the frame is done, since printing is not to be
//! measured.

use std::sync::{Arc, Mutex, PoisonError};

use redan_runtime::{LogEntry, Observer};
use redan_vm::family::Hook;
use redan_vm::ids::RuleId;

use crate::output::replay::Visit;

/// What rules did for one frame.
#[derive(Default)]
pub(super) struct Deeds {
    /// Rules visited.
    pub(super) visits: Vec<Visit>,
    /// Lines logged.
    pub(super) log: Vec<String>,
}

/// What rules have done since the last look, shared with the datapath.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Mutex<Deeds>>);

impl Watch {
    /// Takes what is there.
    pub(super) fn take(&self) -> Deeds {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Watch {
    fn log(&mut self, entry: &LogEntry<'_>) {
        let line = entry.to_string();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .log
            .push(line);
    }

    fn trace(&mut self, hook: Hook, rule: RuleId, matched: bool) {
        let visit = Visit {
            hook,
            rule,
            matched,
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .visits
            .push(visit);
    }
}
