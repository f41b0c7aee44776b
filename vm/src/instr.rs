//! The instructions, as the kernel's `nf_tables` has them; operands carry what `nft --debug=netlink` prints.
//!
//! An instruction either goes on to the next one, breaks (the rule does not match), or writes a verdict. What it did before a later
//! instruction of its rule breaks stays done (`nf_tables_core.c: nft_do_chain`).

use crate::ct::{CtKey, Direction};
use crate::ids::{ChainId, SetId, StateId};
use crate::meta::MetaKey;
use crate::{Data, Reg};

/// What a rule, an element of a verdict map or a policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// End of this base chain; later base chains still see the packet.
    Accept,
    /// The packet is gone.
    Drop,
    /// On with the next rule.
    Continue,
    /// Back to the rule behind the jump; at the base chain's level the policy.
    Return,
    /// Into a chain, and back behind this rule when it ends.
    Jump(ChainId),
    /// Into a chain, and back to where this chain would return to.
    Goto(ChainId),
}

/// Where a payload load counts its offset from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// The link header.
    Link,
    /// The network header.
    Network,
    /// The transport header.
    Transport,
    /// Behind the TCP or UDP header.
    Inner,
    /// The tunnelled packet's tunnel header.
    Tunnel,
}

/// How `cmp` relates register and value; all but the first two compare as memcmp does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CmpOp {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
}

/// Which way `byteorder` converts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteorderOp {
    /// Network to host.
    Ntoh,
    /// Host to network.
    Hton,
}

/// What `bitwise` does beside mask and xor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShiftOp {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// Which extension headers or options `exthdr` walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExthdrOp {
    /// IPv6 extension headers.
    Ipv6,
    /// TCP options.
    Tcpopt,
    /// IPv4 options.
    Ipv4,
    /// SCTP chunks.
    Sctp,
    /// DCCP options.
    Dccp,
}

/// How a payload write mends checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumKind {
    /// No checksum in this header (0).
    None,
    /// The Internet checksum (1).
    Inet,
    /// SCTP's CRC32c (2).
    Sctp,
}

/// Whether `dynset` adds, refreshes or removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DynsetOp {
    /// Add if it is not there.
    Add,
    /// Add, or refresh its timeout.
    Update,
    /// Remove.
    Delete,
}

/// How `reject` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    /// ICMP or ICMPv6 destination unreachable with this code of the packet's own family (type 0).
    Icmp(u8),
    /// A TCP reset (type 1).
    TcpReset,
    /// An abstract code (type 2): 0 no-route, 1 port-unreachable, 2 host-unreachable, 3 admin-prohibited.
    Icmpx(u8),
}

/// Source or destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NatKind {
    /// `snat`.
    Snat,
    /// `dnat`.
    Dnat,
}

/// NAT flag bits as nft prints them.
pub mod nat_flags {
    /// A port is given.
    pub const PROTO_SPECIFIED: u32 = 0x2;
    /// `random`.
    pub const RANDOM: u32 = 0x4;
    /// `persistent`.
    pub const PERSISTENT: u32 = 0x8;
    /// `fully-random`.
    pub const FULLY_RANDOM: u32 = 0x10;
    /// `prefix to`.
    pub const NETMAP: u32 = 0x40;
}

/// What a route is asked for by `fib`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FibResult {
    /// The output interface's index.
    Oif,
    /// The output interface's name.
    Oifname,
    /// The address's type.
    Type,
}

/// `fib` key bits, as the kernel numbers them.
pub mod fib_flags {
    /// `saddr`.
    pub const SADDR: u32 = 1;
    /// `daddr`.
    pub const DADDR: u32 = 2;
    /// `mark`.
    pub const MARK: u32 = 4;
    /// `iif`.
    pub const IIF: u32 = 8;
    /// `oif`.
    pub const OIF: u32 = 16;
    /// `exists` or `missing`.
    pub const PRESENT: u32 = 32;
}

/// What `rt` loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RtKey {
    /// `rt classid`.
    Classid,
    /// `rt ip nexthop`.
    Nexthop4,
    /// `rt ip6 nexthop`.
    Nexthop6,
    /// `rt mtu` (printed `tcpmss`).
    Tcpmss,
    /// `rt ipsec`.
    Ipsec,
}

/// What `socket` loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketKey {
    /// `socket transparent`.
    Transparent,
    /// `socket mark`.
    Mark,
    /// `socket wildcard`.
    Wildcard,
    /// `socket cgroupv2 level N`.
    Cgroupv2(u32),
}

/// What a tunnel device says of a packet that came through it (`nft_tunnel.c: nft_tunnel_get_eval`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TunnelKey {
    /// Whether it came through one.
    Path,
    /// The tunnel's number.
    Id,
}

/// What `xfrm` loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XfrmKey {
    /// `reqid`.
    Reqid,
    /// `spi`.
    Spi,
    /// `ip saddr`.
    Saddr4,
    /// `ip daddr`.
    Daddr4,
    /// `ip6 saddr`.
    Saddr6,
    /// `ip6 daddr`.
    Daddr6,
}

/// What `log` writes and where to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Log {
    /// `prefix`.
    pub prefix: Option<String>,
    /// `level`, 0 (emerg) to 8 (audit).
    pub level: Option<u8>,
    /// Flag bits: 1 tcpseq, 2 tcpopt, 4 ipopt, 8 uid, 32 macdecode.
    pub flags: u32,
    /// `group`; without one the log goes to the machine's own log.
    pub group: Option<u16>,
    /// `snaplen`, in bytes.
    pub snaplen: Option<u32>,
    /// `queue-threshold`, in packets.
    pub qthreshold: Option<u16>,
}

/// What an `objref` refers to, with the number that nft prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// 1.
    Counter,
    /// 2.
    Quota,
    /// 3.
    CtHelper,
    /// 4.
    Limit,
    /// 6.
    Tunnel,
    /// 7.
    CtTimeout,
    /// 8.
    Secmark,
    /// 9.
    CtExpectation,
    /// 10.
    Synproxy,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Instr {
    /// Writes a constant to a register.
    Immediate {
        /// Where it goes.
        dst: Reg,
        /// The value.
        data: Data,
    },
    /// Writes the verdict register.
    ImmediateVerdict {
        /// The verdict.
        verdict: Verdict,
    },
    /// Copies packet bytes to a register; breaks when they are not all there.
    PayloadLoad {
        /// Where `offset` counts from.
        base: Base,
        /// Bytes from the start.
        offset: u32,
        /// How many bytes.
        len: u8,
        /// Where the result goes.
        dst: Reg,
    },
    /// Copies register bytes into the packet and mends checksums.
    PayloadWrite {
        /// Where `offset` counts from.
        base: Base,
        /// Bytes from the base.
        offset: u32,
        /// Bytes to write.
        len: u8,
        /// What to write.
        src: Reg,
        /// The header's own checksum.
        csum: ChecksumKind,
        /// Where that checksum is, in bytes from the base.
        csum_offset: u32,
        /// 1: the bytes are part of the transport checksum's pseudo-header.
        csum_flags: u32,
    },
    /// Loads packet metadata.
    MetaLoad {
        /// Which key.
        key: MetaKey,
        /// Where the result goes.
        dst: Reg,
    },
    /// Stores packet metadata.
    MetaSet {
        /// Which key.
        key: MetaKey,
        /// The value.
        src: Reg,
    },
    /// Loads from the packet's connection.
    CtLoad {
        /// Which key.
        key: CtKey,
        /// Which side of the connection, where the key has two.
        direction: Option<Direction>,
        /// Where the result goes.
        dst: Reg,
    },
    /// Stores into the packet's connection.
    CtSet {
        /// Which key.
        key: CtKey,
        /// Which side of the connection, where the key has two.
        direction: Option<Direction>,
        /// The value.
        src: Reg,
    },
    /// Breaks unless the register relates to the value.
    Cmp {
        /// Which operation.
        op: CmpOp,
        /// What it works on.
        src: Reg,
        /// The value.
        data: Data,
    },
    /// Breaks unless the register lies within (or, negated, outside) the closed range.
    Range {
        /// Outside, not within.
        negated: bool,
        /// What it works on.
        src: Reg,
        /// Lowest value.
        from: Data,
        /// Highest value.
        to: Data,
    },
    /// `dst = (src & mask) ^ xor`.
    Bitwise {
        /// What it works on.
        src: Reg,
        /// Where the result goes.
        dst: Reg,
        /// Bits to keep.
        mask: Data,
        /// Bits to flip then.
        xor: Data,
    },
    /// `dst = src << bits` or `>> bits`, on 4-byte words from the least significant end.
    BitwiseShift {
        /// Which operation.
        op: ShiftOp,
        /// What it works on.
        src: Reg,
        /// Where the result goes.
        dst: Reg,
        /// How many bytes.
        len: u8,
        /// How far.
        bits: u32,
    },
    /// `dst = src OP src2` of two registers (newer kernels).
    BitwiseReg {
        /// Which operation.
        op: BitwiseRegOp,
        /// What it works on.
        src: Reg,
        /// The other operand.
        src2: Reg,
        /// Where the result goes.
        dst: Reg,
        /// How many bytes.
        len: u8,
    },
    /// Converts `len` bytes in words of `size`.
    Byteorder {
        /// Which operation.
        op: ByteorderOp,
        /// What it works on.
        src: Reg,
        /// Where the result goes.
        dst: Reg,
        /// Bytes of each number.
        size: u8,
        /// How many bytes.
        len: u8,
    },
    /// Breaks unless the key is in the set (or, inverted, unless it is not); a map also writes its data to `dst`.
    Lookup {
        /// Which set.
        set: SetId,
        /// The key.
        src: Reg,
        /// Where a map's data goes.
        dst: Option<Reg>,
        /// Breaks on a hit.
        inverted: bool,
    },
    /// Looks the key up in a verdict map and writes the verdict register; breaks on a miss.
    LookupVerdict {
        /// Which set.
        set: SetId,
        /// The key.
        src: Reg,
    },
    /// Changes a set from the packet path.
    Dynset(Box<Dynset>),
    /// Counts packets and bytes.
    Counter {
        /// Its state.
        state: StateId,
    },
    /// A token bucket; breaks when it is empty (or, with `over`, when it is not).
    Limit {
        /// Its state.
        state: StateId,
    },
    /// A byte budget.
    Quota {
        /// Its state.
        state: StateId,
    },
    /// Remembers when it last ran.
    Last {
        /// Its state.
        state: StateId,
    },
    /// Counts a key's connections.
    Connlimit {
        /// Its state.
        state: StateId,
    },
    /// Runs a named stateful object.
    Objref {
        /// Which kind.
        kind: ObjectKind,
        /// Its state.
        state: StateId,
    },
    /// Runs the stateful object that a map gives for the key.
    ObjrefMap {
        /// Which set.
        set: SetId,
        /// The key.
        src: Reg,
    },
    /// Writes a log line.
    Log(Box<Log>),
    /// Answers and drops.
    Reject(Reject),
    /// `snat` and `dnat`.
    Nat(Box<Nat>),
    /// `masquerade`.
    Masq {
        /// First port.
        proto_min: Option<Reg>,
        /// Last port.
        proto_max: Option<Reg>,
        /// [`nat_flags`].
        flags: u32,
    },
    /// `redirect`.
    Redir {
        /// First port.
        proto_min: Option<Reg>,
        /// Last port.
        proto_max: Option<Reg>,
        /// [`nat_flags`].
        flags: u32,
    },
    /// `tproxy`; `nfproto` is 0 for both families.
    Tproxy {
        /// [`nfproto`](crate::family::nfproto), or 0 for both families.
        nfproto: u8,
        /// Address.
        addr: Option<Reg>,
        /// Port.
        port: Option<Reg>,
    },
    /// Leaves the packet untracked.
    Notrack,
    /// Hands the packet to a program.
    Queue {
        /// First and last queue.
        num: (u16, u16),
        /// On without it when nobody listens.
        bypass: bool,
        /// By processor, not by flow.
        fanout: bool,
        /// The queue number.
        sreg: Option<Reg>,
    },
    /// Sends a copy.
    Dup {
        /// Address.
        addr: Option<Reg>,
        /// Interface index.
        dev: Option<Reg>,
    },
    /// Sends the packet out of a device.
    Fwd {
        /// Interface index.
        dev: Reg,
        /// Address.
        addr: Option<Reg>,
        /// [`nfproto`](crate::family::nfproto).
        nfproto: u8,
    },
    /// TCP handshake on the server's behalf.
    Synproxy {
        /// Maximum segment size.
        mss: u16,
        /// Window scale.
        wscale: u8,
        /// 1 mss, 2 wscale, 4 sack-perm, 8 timestamp.
        flags: u32,
    },
    /// Puts the connection into a flowtable.
    FlowOffload {
        /// Its name.
        flowtable: Box<str>,
    },
    /// Loads from an extension header or option; breaks when it is absent, or with `present` loads 0 or 1.
    ExthdrLoad {
        /// Which headers or options.
        op: ExthdrOp,
        /// Next-header value, option kind or chunk type.
        kind: u8,
        /// Bytes from the start.
        offset: u32,
        /// How many bytes.
        len: u8,
        /// Load whether it is there.
        present: bool,
        /// Where the result goes.
        dst: Reg,
    },
    /// Writes into an option.
    ExthdrWrite {
        /// Which options.
        op: ExthdrOp,
        /// Option kind.
        kind: u8,
        /// Bytes from the start.
        offset: u32,
        /// How many bytes.
        len: u8,
        /// The value.
        src: Reg,
    },
    /// Replaces an option by no-operations.
    ExthdrReset {
        /// Which options.
        op: ExthdrOp,
        /// Option kind.
        kind: u8,
    },
    /// Asks the routing table.
    Fib {
        /// [`fib_flags`].
        flags: u32,
        /// What is asked.
        result: FibResult,
        /// Where the result goes.
        dst: Reg,
    },
    /// Loads from the packet's route.
    Rt {
        /// Which key.
        key: RtKey,
        /// Where the result goes.
        dst: Reg,
    },
    /// Loads from the packet's socket.
    Socket {
        /// Which key.
        key: SocketKey,
        /// Where the result goes.
        dst: Reg,
    },
    /// Guesses the sender's operating system; `ttl` 0 exact, 1 loose, 2 skip.
    Osf {
        /// 0 exact, 1 loose, 2 skip.
        ttl: u8,
        /// With the version.
        version: bool,
        /// Where the result goes.
        dst: Reg,
    },
    /// Loads from the packet's IPsec state.
    Xfrm {
        /// Of the outbound policy.
        outbound: bool,
        /// Which of its states.
        spnum: u8,
        /// Which key.
        key: XfrmKey,
        /// Where the result goes.
        dst: Reg,
    },
    /// Loads from what a tunnel device says of the packet.
    Tunnel {
        /// Which key.
        key: TunnelKey,
        /// Where the result goes.
        dst: Reg,
    },
    /// A counter or a random number below `modulus`, plus `offset`.
    Numgen {
        /// A random number.
        random: bool,
        /// One more than the highest value before `offset`.
        modulus: u32,
        /// Added to the number.
        offset: u32,
        /// Its state.
        state: StateId,
        /// Where the result goes.
        dst: Reg,
    },
    /// A hash of a register's bytes below `modulus`, plus `offset`.
    Jhash {
        /// What it works on.
        src: Reg,
        /// How many bytes.
        len: u8,
        /// Where the result goes.
        dst: Reg,
        /// Of the hash; none means one of its own.
        seed: Option<u32>,
        /// One more than the highest value before `offset`.
        modulus: u32,
        /// Added to the number.
        offset: u32,
    },
    /// The packet's symmetric flow hash below `modulus`, plus `offset`.
    Symhash {
        /// Where the result goes.
        dst: Reg,
        /// One more than the highest value before `offset`.
        modulus: u32,
        /// Added to the number.
        offset: u32,
    },
    /// Runs one load against a tunnelled packet.
    Inner {
        /// 1 vxlan, 2 geneve, 3 gre, 4 gretap.
        kind: u32,
        /// Bytes of the tunnel header.
        header_size: u32,
        /// 1 the tunnel header, 2 a link header, 4 a network header, 8 a transport header can be read.
        flags: u32,
        /// The load.
        load: Box<Self>,
    },
}

/// Operations of [`Instr::BitwiseReg`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitwiseRegOp {
    /// And.
    And,
    /// Or.
    Or,
    /// Exclusive or.
    Xor,
}

/// Operands of `dynset`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dynset {
    /// What to do.
    pub op: DynsetOp,
    /// Which set.
    pub set: SetId,
    /// The key.
    pub key: Reg,
    /// A map's data.
    pub data: Option<Reg>,
    /// The element's timeout in milliseconds.
    pub timeout_ms: Option<u64>,
    /// What each element carries.
    pub exprs: Vec<crate::ruleset::StateSpec>,
}

/// Operands of `nat`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nat {
    /// `snat` or `dnat`.
    pub kind: NatKind,
    /// The addresses' family: [`nfproto`](crate::family::nfproto), or 1 (inet) for a port alone.
    pub nfproto: u8,
    /// First address.
    pub addr_min: Option<Reg>,
    /// Last address.
    pub addr_max: Option<Reg>,
    /// First port.
    pub proto_min: Option<Reg>,
    /// Last port.
    pub proto_max: Option<Reg>,
    /// [`nat_flags`].
    pub flags: u32,
}
