//! Stdout and stderr with or without colour. Results go to stdout, buffered; everything else to stderr.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};

use crate::args::ColorWhen;

/// Where a command writes.
pub(crate) struct Terminal {
    out: BufWriter<Stdout>,
    /// Whether stdout is coloured.
    pub(crate) out_color: bool,
    /// Whether stderr is coloured.
    pub(crate) err_color: bool,
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Let through, passed, added.
    Good,
    /// Stopped, failed, removed.
    Bad,
    /// Worth a look.
    Notable,
    /// Less important than what stands around it.
    Faint,
    /// A heading.
    Strong,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Notable => "\x1b[33m",
            Self::Faint => "\x1b[2m",
            Self::Strong => "\x1b[1m",
        }
    }
}

/// `text`, coloured or not.
pub(crate) fn paint(color: bool, style: Style, text: &str) -> String {
    if color {
        format!("{}{text}\x1b[0m", style.code())
    } else {
        text.to_owned()
    }
}

impl Terminal {
    /// Decides about colour.
    pub(crate) fn new(when: ColorWhen) -> Self {
        // https://no-color.org: set and not empty.
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let decide = |terminal: bool| match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => terminal && !refused,
        };
        Self {
            out_color: decide(io::stdout().is_terminal()),
            err_color: decide(io::stderr().is_terminal()),
            out: BufWriter::with_capacity(1 << 16, io::stdout()),
        }
    }

    /// `text` as it goes to stdout.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        paint(self.out_color, style, text)
    }

    /// A line of progress or a summary, to stderr. Nothing can be done when stderr is closed.
    pub(crate) fn note(&mut self, line: &str) {
        _ = self.out.flush();
        _ = writeln!(io::stderr(), "{line}");
    }

    /// Text to stderr as it is.
    pub(crate) fn raw_note(&mut self, text: &str) {
        _ = self.out.flush();
        _ = io::stderr().write_all(text.as_bytes());
    }

    /// A warning of the command itself.
    pub(crate) fn warning(&mut self, message: &str) {
        let word = paint(self.err_color, Style::Notable, "warning");
        self.note(&format!("redan: {word}: {message}"));
    }

    /// Why the command could not do its work.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        let word = paint(self.err_color, Style::Bad, "error");
        self.note(&format!("redan: {word}: {error:#}"));
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
