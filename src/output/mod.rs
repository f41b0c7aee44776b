//! What people and programs get to see: the terminal, findings in four formats, replays, differences.

pub(crate) mod terminal;
