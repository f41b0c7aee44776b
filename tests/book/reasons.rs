//! Verdicts of a replay, and the reasons of drops and of invalid packets.

use std::fmt::Write as _;

use redan_runtime::conntrack::InvalidReason;
use redan_runtime::{Reason, Verdict};

use crate::page::{GENERATED, clause};

/// The page.
pub(crate) fn page() -> String {
    let mut out = GENERATED.to_owned();
    out.push_str(
        "# Verdicts and reasons\n\n## Verdicts\n\nWhat `verdict` says of a frame in a replay, and what `redan run` counts.\n\n| verdict | meaning |\n|---|---|\n",
    );
    for verdict in Verdict::ALL {
        _ = writeln!(out, "| `{}` | {} |", verdict.name(), meaning(*verdict));
    }
    out.push_str(
        "\n## Reasons\n\nWhat `reason` says where no rule decided about a frame.\n\n| reason | meaning |\n|---|---|\n",
    );
    for reason in Reason::ALL {
        _ = writeln!(out, "| `{}` | {} |", reason.name(), clause(reason.doc()));
    }
    out.push_str(
        "\n## Why a packet is invalid\n\nWhat `ct.reason` says when `ct.state` is `invalid`. Linux keeps this to its log, if at all.\n\n| reason | meaning |\n|---|---|\n",
    );
    for reason in InvalidReason::ALL {
        _ = writeln!(out, "| `{}` | {} |", reason.name(), clause(reason.doc()));
    }
    out
}

const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => "It left by a port",
        Verdict::Drop => "It is gone",
        Verdict::Reject => "It is gone, and its sender was told so",
        Verdict::Local => "It was delivered to the machine itself",
        Verdict::Held => {
            "A fragment that waits; verdict and frames come with the frame that completes its packet"
        }
        Verdict::Queue => "Queued to a program",
        Verdict::Other => "Not IP, or not for this machine",
    }
}
