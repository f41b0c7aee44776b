//! What people and programs get to see: the terminal, findings in four formats, replays, differences.

pub(crate) mod connections;
pub(crate) mod decision;
pub(crate) mod diff;
pub(crate) mod file;
pub(crate) mod findings;
pub(crate) mod groups;
pub(crate) mod progress;
pub(crate) mod replay;
pub(crate) mod sets;
pub(crate) mod summary;
pub(crate) mod terminal;
pub(crate) mod test;
pub(crate) mod way;
