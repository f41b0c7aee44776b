//! `semantics.txt`: rulesets that parse and mean nothing, and what is said of them: what is wrong, where, and what to do. All in one run.

use redan_lang::diag::Diagnostic;
use redan_lang::lint;

use crate::support;

#[test]
fn mistakes_of_meaning_are_explained() {
    support::compare_cases("semantics.txt", |text| {
        let checked = support::check(text.as_bytes().to_vec(), lint::Options::default());
        let errors: Vec<_> = checked
            .findings
            .into_iter()
            .filter(Diagnostic::is_error)
            .collect();
        support::lines(&checked.sources, &errors)
    });
}
