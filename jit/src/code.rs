//! Finished native code: where it lives, how it is called, when it is freed. The only file of this crate with `unsafe`.

use std::mem::ManuallyDrop;

use cranelift_jit::JITModule;
use cranelift_module::FuncId;

use crate::context::Context;

/// Calls a compiled function from Rust: context, packet and the function's address in, its result out.
type Enter = for<'c, 'run, 'env> extern "C" fn(&'c mut Context<'run, 'env>, usize, usize) -> u64;

/// A module with its memory, which is freed when this is dropped.
pub(crate) struct Memory(ManuallyDrop<JITModule>);

impl Memory {
    /// Takes charge of a module.
    pub(crate) fn new(module: JITModule) -> Self {
        Self(ManuallyDrop::new(module))
    }

    /// The module.
    pub(crate) fn module(&mut self) -> &mut JITModule {
        &mut self.0
    }

    /// Makes the code callable. `enter` must have been made by [`Generator::enter`](crate::generate::Generator::enter), `functions` by
    /// [`Generator::chunk`](crate::generate::Generator::chunk).
    pub(crate) fn finish(
        mut self,
        enter: FuncId,
        functions: &[FuncId],
    ) -> Result<Code, crate::JitError> {
        self.0.finalize_definitions()?;
        let functions = functions
            .iter()
            .map(|&id| self.0.get_finalized_function(id).expose_provenance())
            .collect();
        let enter = self.0.get_finalized_function(enter);
        #[expect(
            unsafe_code,
            reason = "the only way to call what Cranelift has compiled"
        )]
        // SAFETY: the function has been finalised, and its signature is that of `Enter`: three 64-bit arguments and a 64-bit result in
        // the platform's C convention. It is called only through `Code`, which keeps the memory.
        let enter = unsafe { std::mem::transmute::<*const u8, Enter>(enter) };
        Ok(Code {
            enter,
            functions,
            _memory: self,
        })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        #[expect(
            unsafe_code,
            reason = "a module leaks its memory unless told to free it"
        )]
        // SAFETY: the module is not used again: this is its owner's drop.
        let module = unsafe { ManuallyDrop::take(&mut self.0) };
        #[expect(
            unsafe_code,
            reason = "a module leaks its memory unless told to free it"
        )]
        // SAFETY: no function of the module runs, because `Code::call` borrows the owner of this memory while one does, and no address
        // of one is left that could be called, because `Code` gives none away but for the time of a call.
        unsafe {
            module.free_memory();
        }
    }
}

/// Compiled functions.
pub(crate) struct Code {
    enter: Enter,
    /// Addresses of the functions: first each chain's, then what follows in long chains.
    functions: Vec<usize>,
    _memory: Memory,
}

impl Code {
    /// The addresses of all functions, for [`Context::functions`].
    pub(crate) fn functions(&self) -> &[usize] {
        &self.functions
    }

    /// Runs a chain's function; `None` when there is no such chain.
    pub(crate) fn call(&self, chain: usize, context: &mut Context<'_, '_>) -> Option<u64> {
        let &function = self.functions.get(chain)?;
        let packet = (&raw mut *context.packet).expose_provenance();
        Some((self.enter)(context, packet, function))
    }
}
