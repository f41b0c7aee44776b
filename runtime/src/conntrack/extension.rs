//! What few connections have, kept apart from their entries: the reply tuple of a translated connection, labels, where it
//! is counted, and, one step further away, what hardly any has.
//!
//! An entry names its extension by a number, an extension the rarer one by another. Both are freed with the entry.

use super::helper::{HelperId, Memory};
use super::tuple::Tuple;
use crate::bounded::arena::{Arena, NONE};

/// What a translated or labelled connection has beside its entry: a cache line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extension {
    src: [u8; 16],
    dst: [u8; 16],
    labels: [u8; 16],
    src_key: u16,
    dst_key: u16,
    /// The number of its [`Rare`].
    rare: u32,
    /// The first of its places in lists of connections that are counted (`connlimit.rs`).
    pub(super) counted: u32,
    /// The number of its timeout policy, where its entry has one.
    pub(super) policy: u16,
    /// Whether there is a reply tuple here; the mirror of the original one otherwise.
    has_reply: bool,
}

/// What hardly any connection has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rare {
    /// `ct secmark`.
    pub(super) secmark: u32,
    /// The helper that listens to it.
    pub(super) helper: Option<HelperId>,
    /// The helper that heard of it before it came: `ct helper` asks for that one.
    pub(super) announced_to: Option<HelperId>,
    /// What its helper remembers.
    pub(super) memory: Memory,
}

impl Extension {
    const EMPTY: Self = Self {
        src: [0; 16],
        dst: [0; 16],
        labels: [0; 16],
        src_key: 0,
        dst_key: 0,
        rare: NONE,
        counted: NONE,
        policy: 0,
        has_reply: false,
    };

    /// `ct label`.
    pub(super) const fn labels(&self) -> u128 {
        u128::from_le_bytes(self.labels)
    }

    /// Sets `ct label`.
    pub(super) const fn set_labels(&mut self, labels: u128) {
        self.labels = labels.to_le_bytes();
    }

    /// The reply tuple of a translated connection with this original one.
    #[inline]
    pub(super) fn reply(&self, original: &Tuple) -> Option<Tuple> {
        self.has_reply.then_some(Tuple {
            src: self.src,
            dst: self.dst,
            src_key: self.src_key,
            dst_key: self.dst_key,
            ..*original
        })
    }

    /// Sets the reply tuple; its protocols are the original one's.
    pub(super) const fn set_reply(&mut self, reply: &Tuple) {
        self.src = reply.src;
        self.dst = reply.dst;
        self.src_key = reply.src_key;
        self.dst_key = reply.dst_key;
        self.has_reply = true;
    }
}

/// All extensions.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    extensions: Arena<Extension>,
    rare: Arena<Rare>,
}

const _: () = assert!(Arena::<Extension>::PLACE_BYTES == 64);

impl Extensions {
    /// The extension with a number.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&Extension> {
        if number == NONE {
            return None;
        }
        self.extensions.get(number)
    }

    /// The extension of an entry that has this number of one, or [`NONE`]: then it gets one.
    pub(super) fn open(&mut self, number: &mut u32) -> Option<&mut Extension> {
        if *number == NONE {
            *number = self.extensions.insert(Extension::EMPTY);
        }
        self.extensions.get_mut(*number)
    }

    /// What is rare of an entry with this extension.
    pub(super) fn rare(&self, number: u32) -> Option<&Rare> {
        self.rare.get(self.get(number)?.rare)
    }

    /// The same, to change; made where there is none.
    pub(super) fn open_rare(&mut self, number: &mut u32) -> Option<&mut Rare> {
        let mut rare = self.open(number)?.rare;
        if rare == NONE {
            rare = self.rare.insert(Rare::default());
            self.open(number)?.rare = rare;
        }
        self.rare.get_mut(rare)
    }

    /// Frees what an entry has.
    pub(super) fn free(&mut self, number: u32) {
        if number == NONE {
            return;
        }
        if let Some(extension) = self.extensions.remove(number) {
            self.rare.remove(extension.rare);
        }
    }

    /// Places that have ever been used, of both kinds.
    #[cfg(test)]
    pub(super) fn places(&self) -> (usize, usize) {
        (self.extensions.places(), self.rare.places())
    }
}
