//! The compiler: what it accepts, the verifier accepts and the printer prints; what it and the lints find has a place in the text.

use redan_lang::compile::{Options, analyze};
use redan_lang::diag::Diagnostic;
use redan_lang::lint::{self, Target, Version};
use redan_vm::text::print_ruleset;
use redan_vm::verify::{VerifyErrorKind, verify};

use super::rules::Read;

/// Compiles the input, with and without the peephole pass.
pub fn run(input: &[u8]) {
    let mut read = Read::new(input);
    if !read.is_sound() {
        return;
    }
    for peephole in [true, false] {
        let options = Options {
            peephole,
            ..Options::default()
        };
        let compiled = analyze(&mut read.file, &read.sources, &options);
        read.has_places_for(&compiled.diagnostics);
        if compiled.diagnostics.iter().any(Diagnostic::is_error) {
            continue;
        }
        for target in [None, Some(Target::Nft(Version(0, 9, 0)))] {
            let options = lint::Options { target };
            read.has_places_for(&lint::lint(&read.sources, &read.file, &compiled, &options));
        }
        let ruleset = compiled.ruleset;
        for error in verify(&ruleset) {
            // Jumps in a circle are the lint's to find, as nft leaves them to the kernel.
            assert_eq!(error.kind, VerifyErrorKind::TooDeep, "{error}");
        }
        let mut out = String::new();
        assert_eq!(print_ruleset(&ruleset, &mut out), Ok(()));
    }
}
