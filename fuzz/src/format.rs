//! The formatter: what it writes says the same and cannot be formatted further; a text with errors comes back as it was.

use redan_lang::diag::Diagnostic;
use redan_lang::fmt::fmt;
use redan_lang::source::Sources;

use super::rules::Read;

/// Formats the input twice.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (once, findings) = fmt(&mut Sources::new(), "in.rules", text);
    if findings.iter().any(Diagnostic::is_error) {
        assert_eq!(once, text, "a faulty text changes");
        return;
    }
    let (twice, findings) = fmt(&mut Sources::new(), "once.rules", &once);
    let error = findings.iter().find(|finding| finding.is_error());
    assert_eq!(error, None, "what was written has an error:\n{once}");
    assert_eq!(twice, once, "formatting again changes it");
    // What cannot be read when it is included is no matter of the formatter: compare only what stands in the file.
    let (before, after) = (Read::new(input), Read::new(once.as_bytes()));
    assert_eq!(
        after.tree(),
        before.tree(),
        "formatting changes the meaning"
    );
}
