//! Counters: those that `conntrack -S` and `/proc/net/stat/nf_conntrack` show, and one for each reason to call a packet INVALID.

use std::fmt::{self, Write};

use super::reason::InvalidReason;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The kernel's counters, with the kernel's meanings.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
            pub(super) reasons: [u64; InvalidReason::ALL.len()],
        }

        impl Stats {
            /// The counters with the names that `conntrack -S` gives them, in its order, then those of expectations.
            pub fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// A search for a free port met a used tuple.
    found,
    /// Packets called INVALID by a tracker, or without a tuple. ICMP messages that are not even looked up count as `error`.
    invalid,
    /// Entries put in by hand.
    insert,
    /// Entries that could not be confirmed.
    insert_failed,
    /// Packets dropped for the limit or a failed confirm.
    drop,
    /// Entries evicted to make room.
    early_drop,
    /// ICMP messages called INVALID before the table was asked.
    error,
    /// Always 0: there are no parallel writers.
    search_restart,
    /// Races to confirm that ended well.
    clash_resolve,
    /// Always 0: chains cannot grow long.
    chaintoolong,
    /// Expectations fulfilled.
    expect_new,
    /// Expectations made.
    expect_create,
    /// Expectations removed.
    expect_delete,
}

impl Stats {
    /// How many packets were INVALID for this reason.
    #[expect(
        clippy::indexing_slicing,
        reason = "the array has a place for every reason"
    )]
    pub const fn reason(&self, reason: InvalidReason) -> u64 {
        self.reasons[reason as usize]
    }

    /// Counts a reason.
    pub(super) fn count(&mut self, reason: InvalidReason) {
        if let Some(counter) = self.reasons.get_mut(reason as usize) {
            *counter += 1;
        }
    }

    /// The line of `conntrack -S` for one worker.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_line(&self, worker: usize, out: &mut dyn Write) -> fmt::Result {
        write!(out, "cpu={worker:<4}\t")?;
        for (name, value) in self.counters().take(10) {
            write!(out, "{name}={value} ")?;
        }
        writeln!(out)
    }

    /// The line of `conntrack -S exp` for one worker.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_expect_line(&self, worker: usize, out: &mut dyn Write) -> fmt::Result {
        write!(out, "cpu={worker:<4}\t")?;
        for (name, value) in self.counters().skip(10) {
            write!(out, "{name}={value} ")?;
        }
        writeln!(out)
    }

    /// `/proc/net/stat/nf_conntrack` for one worker, with its header.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_proc(&self, entries: usize, out: &mut dyn Write) -> fmt::Result {
        writeln!(
            out,
            "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop \
             icmp_error  expect_new expect_create expect_delete search_restart"
        )?;
        writeln!(
            out,
            "{entries:08x}  {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x}  \
             {:08x} {:08x} {:08x} {:08x}",
            self.clash_resolve,
            self.found,
            0,
            self.invalid,
            0,
            0,
            self.chaintoolong,
            self.insert,
            self.insert_failed,
            self.drop,
            self.early_drop,
            self.error,
            self.expect_new,
            self.expect_create,
            self.expect_delete,
            self.search_restart,
        )
    }
}
