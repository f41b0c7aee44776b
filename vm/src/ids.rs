//! Indices into a [`Ruleset`](crate::Ruleset)'s vectors, one type each so that they cannot be mixed up.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a `usize`.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A table of the ruleset.
    TableId;
    /// A chain of the ruleset.
    ChainId;
    /// A rule of the ruleset.
    RuleId;
    /// A set or map of the ruleset, anonymous ones included.
    SetId;
    /// A stateful object or a rule's own stateful expression: one slot in the ruleset's state.
    StateId;
    /// A file that the ruleset was read from: an index into [`Ruleset::files`](crate::Ruleset::files).
    FileId;
}
