//! From rule text to bytecode.
