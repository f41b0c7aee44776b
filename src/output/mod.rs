//! What people and programs get to see: the terminal, findings in four formats, replays, differences.

pub(crate) mod decision;
pub(crate) mod diff;
pub(crate) mod findings;
pub(crate) mod summary;
pub(crate) mod terminal;
