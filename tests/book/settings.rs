//! Settings of connection tracking.

use std::fmt::Write as _;

use redan_runtime::conntrack::{TunableKind, Tunables};

use crate::page::{GENERATED, clause};

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Conntrack's settings\n\n\
         They stand under `[conntrack]` in the [site file](../site.md), with the names and the defaults of Linux's sysctls: `tcp_loose` is \
         `net.netfilter.nf_conntrack_tcp_loose`. Beside them there is `enabled`, which is `\"auto\"` (connections are tracked when a rule needs it) or `true`.\n\n\
         | setting | takes | default | what |\n|---|---|---|---|\n",
    );
    for tunable in Tunables::ALL {
        let (takes, default) = match tunable.kind {
            TunableKind::Seconds => (
                "seconds",
                format!("{}{}", tunable.default, long(tunable.default)),
            ),
            TunableKind::Flag => ("0 or 1", tunable.default.to_string()),
            TunableKind::Count => ("a number", tunable.default.to_string()),
        };
        _ = writeln!(
            out,
            "| `{}` | {takes} | {default} | {} |",
            tunable.name,
            clause(tunable.doc)
        );
    }
    out
}

/// Long times in words as well.
fn long(secs: u32) -> String {
    match secs {
        86_400.. => format!(" ({} days)", secs / 86_400),
        _ => String::new(),
    }
}
