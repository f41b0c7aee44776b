//! What generated code and its helpers share during one run: the layout is a contract between [`crate::emit`] and [`crate::helpers`].

use std::any::Any;
use std::mem::offset_of;

use redan_vm::instr::Base;
use redan_vm::ops::payload;
use redan_vm::packet::layout_flags;
use redan_vm::state::Counter;
use redan_vm::{Env, Final, Packet, Regs, Ruleset};

use crate::helpers::{HELPERS, Helpers};

/// One run of a base chain. Generated code holds its address and reaches everything through it.
#[repr(C)]
pub(crate) struct Context<'run, 'env> {
    /// The register file.
    pub(crate) regs: Regs,
    /// What payload loads may read, by [`view_index`].
    pub(crate) views: [View; VIEWS],
    /// Addresses of the compiled functions: a chain's is at its number.
    pub(crate) functions: *const usize,
    /// How many chains there are.
    pub(crate) chains: u32,
    /// The counters of the ruleset's state.
    pub(crate) counters: *mut Counter,
    /// What generated code calls.
    pub(crate) helpers: &'static Helpers,
    /// The packet.
    pub(crate) packet: &'run mut Packet,
    /// Time, state, the world. Not copied: that would wait for the caller's stores.
    pub(crate) env: &'run mut Env<'env>,
    /// The rules, for helpers that run a whole instruction.
    pub(crate) ruleset: &'run Ruleset,
    /// The verdict that [`code::OTHER`] stands for.
    pub(crate) verdict: Option<Final>,
    /// What a helper panicked with.
    pub(crate) panic: Option<Box<dyn Any + Send>>,
}

/// The bytes that payload loads of one kind may read.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct View {
    /// The base's first byte.
    pub(crate) start: *const u8,
    /// How many bytes follow; 0 when the base is not there.
    pub(crate) len: u64,
}

/// What functions and helpers return, in the low byte; rule or chain number in the upper half.
pub(crate) mod code {
    /// Function: the chain ended without a verdict. Helper: on with the rule.
    pub(crate) const NEXT: u8 = 0;
    /// Accept.
    pub(crate) const ACCEPT: u8 = 1;
    /// Drop.
    pub(crate) const DROP: u8 = 2;
    /// The verdict is in [`super::Context::verdict`].
    pub(crate) const OTHER: u8 = 3;
    /// A helper panicked: leave at once.
    pub(crate) const PANIC: u8 = 4;
    /// Helper: the rule does not match.
    pub(crate) const BREAK: u8 = 5;
    /// Helper: back to the calling chain.
    pub(crate) const RETURN: u8 = 6;
    /// Helper: call the chain in the upper half.
    pub(crate) const JUMP: u8 = 7;
    /// Helper: go to the chain in the upper half.
    pub(crate) const GOTO: u8 = 8;
}

/// Where things lie in a [`Context`], as generated code addresses them.
pub(crate) mod at {
    use super::{Context, View, offset, offset_of};

    /// The register file.
    pub(crate) const REGISTERS: i32 = offset(offset_of!(Context<'static, 'static>, regs));
    /// The table of functions.
    pub(crate) const FUNCTIONS: i32 = offset(offset_of!(Context<'static, 'static>, functions));
    /// The address of the counters.
    pub(crate) const COUNTERS: i32 = offset(offset_of!(Context<'static, 'static>, counters));
    /// The table of helpers.
    pub(crate) const HELPERS: i32 = offset(offset_of!(Context<'static, 'static>, helpers));
    /// The views of payload bases.
    const FIRST_VIEW: usize = offset_of!(Context<'static, 'static>, views);

    /// The first byte's address of a view.
    pub(crate) const fn view_start(view: usize) -> i32 {
        offset(FIRST_VIEW + view * size_of::<View>() + offset_of!(View, start))
    }

    /// How many bytes a view has.
    pub(crate) const fn view_len(view: usize) -> i32 {
        offset(FIRST_VIEW + view * size_of::<View>() + offset_of!(View, len))
    }
}

/// An offset as Cranelift takes it.
pub(crate) const fn offset(bytes: usize) -> i32 {
    assert!(bytes < 1 << 20, "structures are small");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "small, as asserted"
    )]
    {
        bytes as i32
    }
}

/// How many views there are.
pub(crate) const VIEWS: usize = 6;

/// The number of the view that a load reads: one for each base, and one for what finds something in later fragments.
pub(crate) const fn view_index(base: Base, from: u32, len: u8) -> usize {
    match base {
        Base::Link => 0,
        Base::Network => 1,
        Base::Transport if payload::is_one_number(base, from, len as usize) => 5,
        Base::Transport => 2,
        Base::Inner => 3,
        Base::Tunnel => 4,
    }
}

impl<'run, 'env> Context<'run, 'env> {
    /// The context of one run.
    pub(crate) fn new(
        functions: &[usize],
        packet: &'run mut Packet,
        env: &'run mut Env<'env>,
        ruleset: &'run Ruleset,
    ) -> Self {
        let mut context = Self {
            regs: Regs::default(),
            views: [View::NONE; VIEWS],
            functions: functions.as_ptr(),
            chains: u32::try_from(ruleset.chains.len()).unwrap_or(0),
            counters: std::ptr::null_mut(),
            helpers: &HELPERS,
            packet,
            env,
            ruleset,
            verdict: None,
            panic: None,
        };
        context.find_counters();
        context.find_bases();
        context
    }

    /// Finds the counters again, after something may have touched the state.
    pub(crate) fn find_counters(&mut self) {
        self.counters = self.env.state.counters_mut().as_mut_ptr();
    }

    /// Finds the payload bases again, after something may have changed the packet.
    pub(crate) fn find_bases(&mut self) {
        let layout = &self.packet.layout;
        let frame = self.packet.frame.as_slice();
        let end = frame.len().min(layout.end as usize);
        let view = |flag: u8, from: u32| {
            let there = flag == 0 || layout.flags & flag != 0;
            match frame.get(from as usize..end) {
                Some(bytes) if there => View {
                    start: bytes.as_ptr(),
                    len: bytes.len() as u64,
                },
                Some(_) | None => View::NONE,
            }
        };
        self.views = [
            view(layout_flags::LINK, layout.link),
            view(0, layout.network),
            view(layout_flags::TRANSPORT, layout.transport),
            view(layout_flags::INNER, layout.inner),
            View::NONE,
            match payload::later_fragment(layout).and_then(|at| u32::try_from(at).ok()) {
                Some(at) => view(0, at),
                None => view(layout_flags::TRANSPORT, layout.transport),
            },
        ];
    }
}

impl View {
    /// A base that is not there.
    const NONE: Self = Self {
        start: std::ptr::null(),
        len: 0,
    };
}
