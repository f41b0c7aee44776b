//! Helpers: they read what a connection says of connections to come (`nf_conntrack_helper.c`). A file each.

mod ftp;
mod hear;
mod tftp;

pub(super) use hear::{Heard, Helper, Memory, Said};

use ftp::Ftp;
use tftp::Tftp;

static HELPERS: [&dyn Helper; 2] = [&Ftp, &Tftp];

/// Number of a helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HelperId(u8);

impl HelperId {
    /// The helper with a name for a protocol.
    pub(super) fn find(name: &str, l4proto: u8) -> Option<Self> {
        let is_it = |helper: &&dyn Helper| helper.name() == name && helper.l4proto() == l4proto;
        let at = HELPERS.iter().position(is_it)?;
        u8::try_from(at).ok().map(Self)
    }

    /// The helper.
    pub(super) fn get(self) -> Option<&'static dyn Helper> {
        HELPERS.get(usize::from(self.0)).copied()
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        self.get().map_or("", Helper::name)
    }
}

/// Whether a helper can be attached.
pub fn is_helper(name: &str, l4proto: u8) -> bool {
    HelperId::find(name, l4proto).is_some()
}
