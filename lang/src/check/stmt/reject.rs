//! `reject`: what it answers with, and what it implies.

use crate::ast::{Expr, RejectWith};
use crate::check::Proto;
use crate::check::rule::RuleCheck;
use crate::datatype::Type;
use crate::diag::Code;
use crate::source::Span;
use crate::typed::StmtKind;
use redan_vm::datatype::DataType;
use redan_vm::family::Family;
use redan_vm::field::Header;
use redan_vm::instr::Reject;
use redan_vm::meta::MetaKey;

impl RuleCheck<'_, '_> {
    /// Types `reject`.
    pub(super) fn reject(&mut self, span: Span, with: Option<&RejectWith>) -> Option<()> {
        if self.place.family == Family::Arp {
            return self
                .cx
                .error(Code::WrongFamily, span, "reject answers IP packets only");
        }
        let reject = match with {
            None => self.default_reject(span)?,
            Some(RejectWith::TcpReset) => self.tcp_reset(span)?,
            Some(RejectWith::Icmp(code)) => {
                self.icmp_reject(span, Header::Ip, DataType::IcmpCode, code)?
            }
            Some(RejectWith::Icmpv6(code)) => {
                self.icmp_reject(span, Header::Ip6, DataType::Icmpv6Code, code)?
            }
            Some(RejectWith::Icmpx(code)) => {
                if matches!(self.place.family, Family::Ip | Family::Ip6) {
                    return self.cx.error_help(
                        Code::WrongFamily,
                        span,
                        "icmpx is for tables that see both IPv4 and IPv6",
                        format!(
                            "write `reject with {}`",
                            if self.place.family == Family::Ip {
                                "icmp"
                            } else {
                                "icmpv6"
                            }
                        ),
                    );
                }
                self.check_rejectable(span)?;
                Reject::Icmpx(self.code(DataType::IcmpxCode, code)?)
            }
        };
        self.terminal(span);
        self.push(span, StmtKind::Reject(reject));
        Some(())
    }

    fn code(&mut self, datatype: DataType, code: &Expr) -> Option<u8> {
        let value = self.cx.single(code, Type::of(datatype))?;
        u8::try_from(value).ok()
    }

    /// ARP and the like cannot be answered.
    fn check_rejectable(&mut self, span: Span) -> Option<()> {
        match self.protocols.network {
            None | Some(Proto::Header(Header::Ip | Header::Ip6)) => Some(()),
            Some(other) => {
                let message = format!(
                    "cannot reject {}: only IPv4 and IPv6 packets can be answered",
                    other.name()
                );
                self.cx.error(Code::ConflictingProtocols, span, message)
            }
        }
    }

    fn default_reject(&mut self, span: Span) -> Option<Reject> {
        self.check_rejectable(span)?;
        Some(match (self.place.family, self.protocols.network) {
            (Family::Ip, _)
            | (Family::Inet | Family::Bridge | Family::Netdev, Some(Proto::Header(Header::Ip))) => {
                Reject::Icmp(3)
            }
            (Family::Ip6, _)
            | (Family::Inet | Family::Bridge | Family::Netdev, Some(Proto::Header(Header::Ip6))) => {
                Reject::Icmp(4)
            }
            (Family::Inet | Family::Bridge | Family::Netdev | Family::Arp, _) => Reject::Icmpx(1),
        })
    }

    fn icmp_reject(
        &mut self,
        span: Span,
        header: Header,
        datatype: DataType,
        code: &Expr,
    ) -> Option<Reject> {
        let code = self.code(datatype, code)?;
        let fits = match self.place.family {
            Family::Ip => header == Header::Ip,
            Family::Ip6 => header == Header::Ip6,
            Family::Inet | Family::Bridge | Family::Netdev | Family::Arp => true,
        };
        if !fits {
            let message = format!(
                "conflicting protocols specified: {} vs. {}",
                self.place.family,
                header.word()
            );
            return self.cx.error_help(
                Code::ConflictingProtocols,
                span,
                message,
                "`reject` alone and `reject with icmpx` fit every family",
            );
        }
        self.imply_network_first(header, span)?;
        Some(Reject::Icmp(code))
    }

    fn tcp_reset(&mut self, span: Span) -> Option<Reject> {
        self.check_rejectable(span)?;
        match self.protocols.transport.last() {
            None => self.imply_meta_first(MetaKey::L4proto, 6, span),
            Some(Proto::Header(Header::Tcp)) => {}
            Some(other) => {
                let name = other.name();
                return self.cx.error_help(
                    Code::ConflictingProtocols,
                    span,
                    format!("you cannot use tcp reset with this protocol: {name}"),
                    "`reject` alone answers every protocol as fits",
                );
            }
        }
        Some(Reject::TcpReset)
    }
}
