//! The code generator: Cranelift set up for this machine, and a function for each chunk.

use cranelift_codegen::Context as FunctionContext;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, UserFuncName, types};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use redan_vm::Ruleset;
use redan_vm::state::counter_indices;

use crate::JitError;
use crate::chunk::Chunk;
use crate::emit::{Target, emit_chunk};
use crate::prefix::any_disturbs;

/// Makes functions for one ruleset.
pub(crate) struct Generator<'r> {
    ruleset: &'r Ruleset,
    isa: OwnedTargetIsa,
    target: Target,
    builder: FunctionBuilderContext,
}

impl<'r> Generator<'r> {
    /// A generator for the machine that this runs on.
    pub(crate) fn new(ruleset: &'r Ruleset) -> Result<Self, JitError> {
        if cfg!(target_endian = "big") || size_of::<usize>() != 8 {
            return Err(JitError::Unsupported(
                "it is not a little-endian 64-bit machine",
            ));
        }
        let mut flags = settings::builder();
        // "speed" makes code that is no faster and takes 1.6 times as long to make: there is little left to share or to move.
        flags.set("opt_level", "none")?;
        // Tail calls need them.
        flags.set("preserve_frame_pointers", "true")?;
        flags.set("is_pic", "false")?;
        flags.set("use_colocated_libcalls", "false")?;
        flags.set("unwind_info", "false")?;
        let verify = if cfg!(debug_assertions) {
            "true"
        } else {
            "false"
        };
        flags.set("enable_verifier", verify)?;
        let isa = cranelift_native::builder()
            .map_err(JitError::Unsupported)?
            .finish(settings::Flags::new(flags))?;
        let mut function = Signature::new(CallConv::Tail);
        function.params.extend([AbiParam::new(types::I64); 2]);
        function.returns.push(AbiParam::new(types::I64));
        let mut helper = Signature::new(isa.default_call_conv());
        helper
            .params
            .extend([types::I64, types::I32, types::I32].map(AbiParam::new));
        helper.returns.push(AbiParam::new(types::I64));
        let target = Target {
            config: isa.frontend_config(),
            function,
            helper,
            calls_disturb: any_disturbs(ruleset),
            counters: counter_indices(ruleset),
        };
        Ok(Self {
            ruleset,
            isa,
            target,
            builder: FunctionBuilderContext::new(),
        })
    }

    /// The machine.
    pub(crate) fn isa(&self) -> &OwnedTargetIsa {
        &self.isa
    }

    /// How chunks are called.
    pub(crate) fn chunk_signature(&self) -> &Signature {
        &self.target.function
    }

    /// How Rust calls chunks: context, packet and the chunk's address in, its result out.
    pub(crate) fn enter_signature(&self) -> Signature {
        let mut enter = Signature::new(self.isa.default_call_conv());
        enter.params.extend([AbiParam::new(types::I64); 3]);
        enter.returns.push(AbiParam::new(types::I64));
        enter
    }

    /// Makes the function of a chunk.
    pub(crate) fn chunk(&mut self, name: u32, chunk: &Chunk, function: &mut Function) {
        function.name = UserFuncName::user(0, name);
        function.signature = self.target.function.clone();
        let builder = FunctionBuilder::new(function, &mut self.builder);
        emit_chunk(builder, self.ruleset, chunk, &self.target);
    }

    /// Makes the function that Rust calls.
    pub(crate) fn enter(&mut self, function: &mut Function) {
        function.name = UserFuncName::user(1, 0);
        function.signature = self.enter_signature();
        let mut builder = FunctionBuilder::new(function, &mut self.builder);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        if let &[context, packet, target] = builder.block_params(block) {
            let signature = builder.import_signature(self.target.function.clone());
            let call = builder
                .ins()
                .call_indirect(signature, target, &[context, packet]);
            let result = builder.func.dfg.first_result(call);
            builder.ins().return_(&[result]);
        }
        builder.seal_all_blocks();
        builder.finalize(self.target.config);
    }

    /// The machine code of a chunk, as text.
    pub(crate) fn assembly(&mut self, name: u32, chunk: &Chunk) -> Result<String, JitError> {
        let mut context = FunctionContext::new();
        self.chunk(name, chunk, &mut context.func);
        context.set_disasm(true);
        let code = context
            .compile(&*self.isa, &mut ControlPlane::default())
            .map_err(|error| error.inner)?;
        Ok(code.vcode.clone().unwrap_or_default())
    }
}
