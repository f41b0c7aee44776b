//! Exit codes, the same for every command: 0 all is well, 1 findings, 2 the command could not do its work.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::output::terminal::Terminal;

/// How a command that did its work ends; the later, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Nothing to complain about (0), whatever the verdicts were.
    Fine,
    /// Findings, a faulty ruleset, failed tests, a difference (1).
    Findings,
    /// One of several inputs could not be worked on, which stands on stderr (2).
    Failed,
}

impl Exit {
    /// [`Findings`](Self::Findings) when there are any.
    pub(crate) fn findings_if(found: bool) -> Self {
        if found { Self::Findings } else { Self::Fine }
    }
}

/// Takes inputs one after the other: one that cannot be read is named on stderr and does not cost the others their turn.
pub(crate) fn each(
    files: &[PathBuf],
    terminal: &mut Terminal,
    mut one: impl FnMut(&Path, &mut Terminal) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let mut worst = Exit::Fine;
    for file in files {
        let done = match one(file, terminal) {
            Err(error) if !is_broken_pipe(&error) => {
                terminal.error(&error);
                Exit::Failed
            }
            done => done?,
        };
        worst = worst.max(done);
    }
    Ok(worst)
}

/// The code of usage errors, unreadable input and internal errors.
pub(crate) const INTERNAL: u8 = 2;

/// The process's exit code; says on stderr why a command failed.
pub(crate) fn code(done: anyhow::Result<Exit>, terminal: &mut Terminal) -> ExitCode {
    match done {
        Ok(Exit::Fine) => ExitCode::SUCCESS,
        Ok(Exit::Findings) => ExitCode::from(1),
        Ok(Exit::Failed) => INTERNAL.into(),
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
