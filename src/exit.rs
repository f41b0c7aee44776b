//! Exit codes, the same for every command: 0 all is well, 1 findings, 2 the command could not do its work.

use std::io;
use std::process::ExitCode;

use crate::output::terminal::Terminal;

/// How a command that did its work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to complain about (0), whatever the verdicts were.
    Fine,
    /// Findings, a faulty ruleset, failed tests, a difference (1).
    Findings,
}

impl Exit {
    /// [`Findings`](Self::Findings) when there are any.
    pub(crate) fn findings_if(found: bool) -> Self {
        if found { Self::Findings } else { Self::Fine }
    }
}

/// The code of usage errors, unreadable input and internal errors.
pub(crate) const INTERNAL: u8 = 2;

/// The process's exit code; says on stderr why a command failed.
pub(crate) fn code(done: anyhow::Result<Exit>, terminal: &mut Terminal) -> ExitCode {
    match done {
        Ok(Exit::Fine) => ExitCode::SUCCESS,
        Ok(Exit::Findings) => ExitCode::from(1),
        // The reader has seen enough (`redan replay ... | head`).
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            INTERNAL.into()
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    })
}
