//! A packet's way through the rules, as a datapath that traces tells of it.

mod texts;

pub(crate) use texts::{Failed, Texts};
