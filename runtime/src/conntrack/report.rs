//! What conntrack made of a frame, as reports and traces say it.

use redan_vm::ct::{Direction, state};
use redan_vm::packet::CtView;

use super::reason::InvalidReason;

/// What conntrack made of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CtReport {
    /// `new`, `established`, `related`, `invalid`, `untracked`.
    pub state: &'static str,
    /// Which way it goes; `None` when it belongs to no connection.
    pub direction: Option<Direction>,
    /// The connection's mark; 0 without one.
    pub mark: u32,
    /// Why it is invalid.
    pub reason: Option<&'static str>,
    /// What rules saw, for whoever asks of the frame what rules do.
    pub view: CtView,
}

impl CtReport {
    /// From what rules see of the connection, and why it is invalid where it is.
    pub(crate) fn new(ct: CtView, invalid: Option<InvalidReason>) -> Self {
        let has_entry = ct.has_entry != 0;
        Self {
            state: match ct.state {
                state::ESTABLISHED => "established",
                state::RELATED => "related",
                state::NEW => "new",
                state::UNTRACKED => "untracked",
                _ => "invalid",
            },
            direction: has_entry.then_some(ct.direction),
            mark: if has_entry { ct.mark } else { 0 },
            reason: invalid.filter(|_| !has_entry).map(InvalidReason::name),
            view: ct,
        }
    }
}
