//! Checks bytecode.
