//! One rule: its place, its protocols, its statements, and the matches that fields imply.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "syntax and types have many kinds: each place names those that mean something there and treats the rest alike"
)]

use super::protocol::{Conflict, Implied, Protocols};
use crate::ast;
use crate::datatype::Type;
use crate::diag::Code;
use crate::resolve::{Context, check_comment};
use crate::source::Span;
use crate::typed::{Load, Match, Operand, Relation, Stmt, StmtKind, Value, ValueKind};
use redan_vm::ct::CtKey;
use redan_vm::datatype::DataType;
use redan_vm::family::{ChainType, Family, Hook};
use redan_vm::field::{self, Field, Header, Tunnel};
use redan_vm::ids::{SetId, TableId};
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;

/// Where a rule stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Its table.
    pub(crate) table: TableId,
    /// Its table's family.
    pub(crate) family: Family,
    /// Type and hook of a base chain.
    pub(crate) base: Option<(ChainType, Hook)>,
}

/// The packet inside a tunnel, while one of its fields is typed.
#[derive(Debug, Clone)]
pub(crate) struct InnerPacket {
    /// The tunnel's header.
    pub(crate) header: Header,
    /// How its packets are found.
    pub(crate) tunnel: Tunnel,
    /// What is known of the packet inside.
    pub(crate) protocols: Protocols,
}

/// Types one rule.
pub(crate) struct RuleCheck<'c, 'a> {
    /// Everything else.
    pub(crate) cx: &'c mut Context<'a>,
    /// Where the rule stands.
    pub(crate) place: Place,
    /// What is known of its packets.
    pub(crate) protocols: Protocols,
    /// ICMP types that a match allows.
    pub(crate) icmp_types: Vec<u8>,
    /// What is known of packets inside tunnels.
    pub(crate) inner: Vec<InnerPacket>,
    /// The tunnel whose packet is looked at.
    pub(crate) in_tunnel: Option<usize>,
    /// What was typed.
    pub(crate) stmts: Vec<Stmt>,
    /// Anonymous sets that were made.
    pub(crate) sets: Vec<SetId>,
    /// Whether a statement's value is being typed, in which fields may be combined.
    pub(crate) in_statement: bool,
    /// What ends the rule, once it is there.
    pub(crate) terminal: Option<Span>,
}

impl<'c, 'a> RuleCheck<'c, 'a> {
    pub(crate) fn new(cx: &'c mut Context<'a>, place: Place) -> Self {
        let protocols = Protocols::new(place.family);
        Self {
            cx,
            place,
            protocols,
            icmp_types: Vec::new(),
            inner: Vec::new(),
            in_tunnel: None,
            stmts: Vec::new(),
            sets: Vec::new(),
            in_statement: false,
            terminal: None,
        }
    }

    /// Only types are wanted: whatever protocol a field is of is taken to be there.
    pub(crate) fn for_type(&mut self) {
        self.protocols.link = None;
        self.protocols.network = None;
        self.protocols.any = true;
    }

    /// Types all statements of a rule; errors of one do not hide those of the next.
    pub(crate) fn rule(&mut self, rule: &ast::Rule) -> Option<()> {
        let mut sound = true;
        for stmt in &rule.stmts {
            sound &= self.stmt(stmt).is_some();
        }
        if let Some(comment) = rule.comment {
            check_comment(self.cx, comment)?;
        }
        sound.then_some(())
    }

    /// Appends a statement.
    pub(crate) fn push(&mut self, span: Span, kind: StmtKind) {
        self.stmts.push(Stmt {
            span,
            implied: false,
            kind,
        });
    }

    /// What is known of the packet whose fields are being looked at.
    pub(crate) fn current(&mut self) -> &mut Protocols {
        match self.in_tunnel {
            Some(at) if at < self.inner.len() => match self.inner.get_mut(at) {
                Some(inner) => &mut inner.protocols,
                None => &mut self.protocols,
            },
            _ => &mut self.protocols,
        }
    }

    /// Makes sure that the rule matches what a field's header needs.
    pub(crate) fn require(&mut self, header: Header, span: Span) -> Option<()> {
        let requirements = self.current().requirements(header);
        match requirements {
            Ok(implied) => {
                for one in implied {
                    self.imply(one, span);
                }
                Some(())
            }
            Err(Conflict::With(other)) => {
                let (other, family) = (other.name(), self.place.family);
                let help = if other == family.word() {
                    format!(
                        "a table of family {family} sees no {header} packets: use one of family inet or {header}",
                        header = header.word()
                    )
                } else {
                    "no packet is both: write two rules".to_owned()
                };
                self.cx.error_help(
                    Code::ConflictingProtocols,
                    span,
                    format!(
                        "conflicting protocols specified: {other} vs. {}",
                        header.word()
                    ),
                    help,
                )
            }
            Err(Conflict::Family) => {
                let message = format!(
                    "{} cannot be matched in a table of family {}",
                    header.word(),
                    self.place.family
                );
                self.cx.error(Code::WrongFamily, span, message)
            }
        }
    }

    /// Makes sure that an ICMP field's message type is matched.
    pub(crate) fn require_message(&mut self, field: &'static Field, span: Span) -> Option<()> {
        if field.message_types.is_empty() {
            return Some(());
        }
        if self
            .icmp_types
            .iter()
            .any(|known| field.message_types.contains(known))
        {
            return Some(());
        }
        if !self.icmp_types.is_empty() {
            let message = format!(
                "{} {} is not in messages of the type that this rule matches",
                field.header.word(),
                field.name
            );
            return self.cx.error(Code::ConflictingProtocols, span, message);
        }
        let Some(row) = field::find(field.header, "type") else {
            return Some(());
        };
        let load = payload(row, 0);
        let ty = Type::of(row.datatype);
        let right = match field.message_types {
            [only] => Operand::Value(u128::from(*only)),
            many => {
                let values: Vec<u128> = many.iter().map(|value| u128::from(*value)).collect();
                Operand::Set(self.value_set(span, ty, &values))
            }
        };
        self.icmp_types.extend_from_slice(field.message_types);
        self.push_implied(span, ty, load, right);
        Some(())
    }

    fn imply(&mut self, implied: Implied, span: Span) {
        let (load, ty, value) = match implied {
            Implied::Iiftype => (Load::Meta(MetaKey::Iiftype), meta_type(MetaKey::Iiftype), 1),
            Implied::Nfproto(number) => (
                Load::Meta(MetaKey::Nfproto),
                meta_type(MetaKey::Nfproto),
                u128::from(number),
            ),
            Implied::Protocol(number) => (
                Load::Meta(MetaKey::Protocol),
                meta_type(MetaKey::Protocol),
                u128::from(number),
            ),
            Implied::L4proto(number) => (
                Load::Meta(MetaKey::L4proto),
                meta_type(MetaKey::L4proto),
                u128::from(number),
            ),
            Implied::EtherType(number) => (
                ether_type(96),
                Type::of(DataType::EtherType),
                u128::from(number),
            ),
            Implied::VlanType(number) => {
                let tags = self.current().tags.saturating_sub(1);
                (
                    ether_type(128 + 32 * tags),
                    Type::of(DataType::EtherType),
                    u128::from(number),
                )
            }
        };
        let protocols = self.current();
        match implied {
            Implied::Iiftype => protocols.learn_iiftype(value),
            Implied::Nfproto(_) => protocols.learn_nfproto(value),
            Implied::Protocol(_) => protocols.learn_protocol(value),
            Implied::L4proto(_) => protocols.learn_l4proto(value),
            Implied::EtherType(_) | Implied::VlanType(_) => protocols.learn_ethertype(value),
        }
        self.push_implied(span, ty, load, Operand::Value(value));
    }

    fn push_implied(&mut self, span: Span, ty: Type, load: Load, right: Operand) {
        let load = self.inside(load);
        let left = Value {
            span,
            ty,
            kind: ValueKind::Load(Box::new(load)),
        };
        let found = Match {
            left,
            relation: Relation::Eq,
            right,
            explicit: false,
        };
        self.stmts.push(Stmt {
            span,
            implied: true,
            kind: StmtKind::Match(Box::new(found)),
        });
    }

    /// A load from the packet in the tunnel that is looked at, if any.
    pub(crate) fn inside(&self, load: Load) -> Load {
        match self.in_tunnel.and_then(|at| self.inner.get(at)) {
            Some(inner) => Load::Inner {
                tunnel: inner.tunnel,
                load: Box::new(load),
            },
            None => load,
        }
    }

    /// A match that a statement implies, such as `meta l4proto tcp` of `reject with tcp reset`.
    pub(crate) fn imply_meta_first(&mut self, key: MetaKey, value: u128, span: Span) {
        let before = self.stmts.len();
        self.push_implied(span, meta_type(key), Load::Meta(key), Operand::Value(value));
        self.move_first(before);
        match key {
            MetaKey::L4proto => self.protocols.learn_l4proto(value),
            MetaKey::Nfproto => self.protocols.learn_nfproto(value),
            MetaKey::Protocol => self.protocols.learn_protocol(value),
            _ => {}
        }
    }

    /// Implies the network protocol in the way of the family, in front of all other matches.
    pub(crate) fn imply_network_first(&mut self, header: Header, span: Span) -> Option<()> {
        let before = self.stmts.len();
        self.require(header, span)?;
        self.move_first(before);
        Some(())
    }

    /// Makes sure that the rule matches the network protocol of an extension header or option: in front of all other matches, and by the frame's own type
    /// where there is one.
    pub(crate) fn require_extension(&mut self, header: Header, span: Span) -> Option<()> {
        let framed = self.current().is_framed();
        if let Some((_, ethertype)) = header.info().requires.network().filter(|_| framed) {
            let before = self.stmts.len();
            self.imply(Implied::EtherType(ethertype), span);
            self.move_first(before);
            return Some(());
        }
        self.imply_network_first(header, span)
    }

    /// Moves statements from an index on to the front.
    fn move_first(&mut self, from: usize) {
        let count = self.stmts.len().saturating_sub(from);
        self.stmts.rotate_right(count);
    }

    /// Narrows the protocols by what a match on a load allows.
    pub(crate) fn learn(&mut self, load: &Load, values: &[u128]) {
        for &value in values {
            match load {
                Load::Meta(MetaKey::Iiftype) => self.current().learn_iiftype(value),
                Load::Meta(MetaKey::Nfproto) => self.current().learn_nfproto(value),
                Load::Meta(MetaKey::L4proto) => self.current().learn_l4proto(value),
                Load::Meta(MetaKey::Protocol) => self.current().learn_protocol(value),
                Load::Ct {
                    key: CtKey::Protocol,
                    ..
                } if self.protocols.network.is_some() => {
                    self.protocols.learn_l4proto(value);
                }
                Load::Ct {
                    key: CtKey::L3proto,
                    ..
                } => self.protocols.learn_nfproto(value),
                Load::Payload {
                    field: Some(field), ..
                } => self.learn_field(field, value),
                Load::Inner { load, .. } => self.learn(load, &[value]),
                _ => {}
            }
        }
    }

    fn learn_field(&mut self, field: &Field, value: u128) {
        match (field.header, field.name) {
            (Header::Ether | Header::Vlan, "type") => self.current().learn_ethertype(value),
            (Header::Ip, "protocol") | (Header::Ip6, "nexthdr") => {
                self.current().learn_next_header(value);
            }
            (Header::Icmp | Header::Icmpv6, "type") => self.icmp_types.extend(u8::try_from(value)),
            _ => {}
        }
    }
}

/// The load of a field; VLAN fields lie behind the tags that were passed.
pub(crate) fn payload(field: &'static Field, tags: u32) -> Load {
    let behind = if field.header == Header::Vlan {
        32 * tags.saturating_sub(1)
    } else {
        0
    };
    Load::Payload {
        field: Some(field),
        base: field.base(),
        bit_offset: u32::from(field.bit_offset) + behind,
        bits: u32::from(field.bit_width),
    }
}

fn ether_type(bit_offset: u32) -> Load {
    let header = if bit_offset == 96 {
        Header::Ether
    } else {
        Header::Vlan
    };
    Load::Payload {
        field: field::find(header, "type"),
        base: Base::Link,
        bit_offset,
        bits: 16,
    }
}

/// The type of a `meta` key.
pub(crate) fn meta_type(key: MetaKey) -> Type {
    Type::new(key.datatype(), key.bits(), key.byte_order())
}
