//! `redan site`: a proposed site file, on stdout.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};

use crate::args::SiteArgs;
use crate::capture::Capture;
use crate::capture::names::Names;
use crate::capture::survey::Survey;
use crate::exit::Exit;
use crate::output::terminal::Terminal;
use crate::site;

/// Runs the command.
pub(crate) fn run(args: &SiteArgs, terminal: &mut Terminal) -> Result<Exit> {
    let mut capture = Capture::open(&args.from_capture, false)?;
    let mut survey = Survey::default();
    while let Some(frame) = capture.next_frame() {
        survey.note(&frame, capture.interfaces());
    }
    let exit = capture.close(terminal)?;
    if survey.frames() == 0 {
        bail!(
            "{}: no frames, and so nothing to propose a site from",
            capture.name
        );
    }
    let names = Names::new(&args.port, capture.interfaces())?;
    let text = survey.propose(&capture.name, &names, capture.interfaces());
    site::parse("the proposed site", &text)
        .with_context(|| format!("nothing sound can be proposed:\n{text}"))?;
    terminal.write_all(text.as_bytes())?;
    Ok(exit)
}
