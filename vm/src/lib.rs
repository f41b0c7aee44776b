//! redan's machine: packets, match fields, nft's bytecode, sets, the interpreter.
#![forbid(unsafe_code)]

pub mod ct;
mod data;
pub mod datatype;
pub mod engine;
pub mod family;
pub mod field;
pub mod ids;
pub mod instr;
mod interp;
pub mod meta;
mod no_host;
pub mod ops;
pub mod packet;
pub mod predicate;
mod reg;
mod regs;
pub mod ruleset;
pub mod set;
pub mod state;
pub mod text;
mod time;
pub mod verify;

pub use data::Data;
pub use engine::{Asked, Engine, Env, Final, Host, Loaded, NatAsk, NatRange, Outcome, Step, Visit};
pub use instr::{Instr, Verdict};
pub use interp::{Interpreter, JUMP_DEPTH, Tracer};
pub use no_host::NoHost;
pub use packet::Packet;
pub use reg::{REGISTER_BYTES, Reg};
pub use regs::{Regs, Slot};
pub use ruleset::Ruleset;
pub use state::State;
pub use time::Instant;
