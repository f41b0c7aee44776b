//! What can change of an entry: bits of an event (`nf_conntrack_common.h: enum ip_conntrack_events`).

/// New connection.
pub const NEW: u16 = 1 << 0;
/// New connection that another one announced.
pub const RELATED: u16 = 1 << 1;
/// Gone.
pub const DESTROY: u16 = 1 << 2;
/// Has seen a reply.
pub const REPLY: u16 = 1 << 3;
/// Became assured.
pub const ASSURED: u16 = 1 << 4;
/// The protocol's state changed.
pub const PROTOINFO: u16 = 1 << 5;
/// A helper was attached.
pub const HELPER: u16 = 1 << 6;
/// The mark changed.
pub const MARK: u16 = 1 << 7;
/// The sequence adjustment changed.
pub const SEQADJ: u16 = 1 << 8;
/// The security mark changed.
pub const SECMARK: u16 = 1 << 9;
/// Labels changed.
pub const LABEL: u16 = 1 << 10;
