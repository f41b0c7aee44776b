//! Why there is no native code.

use cranelift_codegen::CodegenError;
use cranelift_codegen::settings::SetError;
use cranelift_module::ModuleError;
use redan_vm::verify::VerifyError;

/// Why a ruleset has no native code; the interpreter runs it instead.
#[derive(Debug, thiserror::Error)]
pub enum JitError {
    /// The verifier does not accept the ruleset. No engine may run it.
    #[error("not verified: {0}")]
    Unverified(VerifyError),
    /// There is no code generator for this machine.
    #[error("no native code for this machine: {0}")]
    Unsupported(&'static str),
    /// The code generator refused.
    #[error("code generation failed: {0}")]
    Codegen(Box<ModuleError>),
    /// The code generator panicked.
    #[error("code generation panicked: {0}")]
    Panicked(String),
}

impl From<ModuleError> for JitError {
    fn from(error: ModuleError) -> Self {
        Self::Codegen(Box::new(error))
    }
}

impl From<CodegenError> for JitError {
    fn from(error: CodegenError) -> Self {
        ModuleError::from(error).into()
    }
}

impl From<SetError> for JitError {
    fn from(_: SetError) -> Self {
        Self::Unsupported("its code generator lacks a setting")
    }
}
