//! The compiler: what it accepts, the verifier accepts, the printer prints, and native code can be made from.

use redan_lang::compile::{Options, compile};
use redan_lang::diag::Diagnostic;
use redan_vm::text::print_ruleset;
use redan_vm::verify::{VerifyErrorKind, verify};

use super::rules::Read;

/// Compiles the input, with and without the peephole pass.
pub fn run(input: &[u8]) {
    let read = Read::new(input);
    if !read.is_sound() {
        return;
    }
    for peephole in [true, false] {
        let options = Options {
            peephole,
            ..Options::default()
        };
        let (ruleset, findings) = compile(&read.file, &read.sources, &options);
        assert_eq!(
            ruleset.is_some(),
            !findings.iter().any(Diagnostic::is_error),
            "no ruleset without an error"
        );
        let Some(ruleset) = ruleset else { continue };
        for error in verify(&ruleset) {
            // Jumps in a circle are the lint's to find, as nft leaves them to the kernel.
            assert_eq!(error.kind, VerifyErrorKind::TooDeep, "{error}");
        }
        let mut out = String::new();
        assert_eq!(print_ruleset(&ruleset, &mut out), Ok(()));
    }
}
