//! What rules do beside deciding, during a replay: log lines go to stderr, visited rules are kept for the frame's own output.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use redan_runtime::{LogEntry, Observer};
use redan_vm::family::Hook;
use redan_vm::ids::RuleId;

use crate::output::replay::Visit;

/// The rules visited since the last look, shared with the datapath.
#[derive(Clone, Default)]
pub(super) struct Visits(Arc<Mutex<Vec<Visit>>>);

impl Visits {
    /// Takes what is there.
    pub(super) fn take(&self) -> Vec<Visit> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Visits {
    fn log(&mut self, entry: &LogEntry<'_>) {
        _ = writeln!(std::io::stderr(), "{entry}");
    }

    fn trace(&mut self, hook: Hook, rule: RuleId, matched: bool) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Visit {
                hook,
                rule,
                matched,
            });
    }
}
