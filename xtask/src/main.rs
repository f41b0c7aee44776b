//! Repository tasks: the test command.

fn main() {}
