//! Packets as lines: what reading a line takes apart, put together again.

use std::fmt::Write as _;
use std::net::SocketAddr;

use redan_lang::datatype::{self, Type};
use redan_vm::datatype::DataType;

use super::words::is_discovery;
use crate::craft::{Spec, Transport};

/// A packet in the words of a line, without its port.
pub(crate) fn words_of(spec: &Spec) -> String {
    let mut text = head(spec);
    details(&mut text, spec);
    text
}

/// Protocol, both ends, and what the protocol has of its own.
fn head(spec: &Spec) -> String {
    let (src, dst) = (spec.src, spec.dst);
    match spec.transport {
        Transport::Tcp {
            sport,
            dport,
            flags,
            ..
        } => {
            let flags = match flags {
                0 => "none".to_owned(),
                flags => symbol(DataType::TcpFlag, flags),
            };
            let (src, dst) = (SocketAddr::new(src, sport), SocketAddr::new(dst, dport));
            format!("tcp {src} > {dst} {flags}")
        }
        Transport::Udp { sport, dport } => {
            let (src, dst) = (SocketAddr::new(src, sport), SocketAddr::new(dst, dport));
            format!("udp {src} > {dst}")
        }
        Transport::Icmp { kind, code, id, .. } => {
            let (name, datatype) = if src.is_ipv4() {
                ("icmp", DataType::IcmpType)
            } else {
                ("icmpv6", DataType::Icmpv6Type)
            };
            let code = match code {
                0 => String::new(),
                code => format!(" code {code}"),
            };
            // One that a line need not say.
            let id = match id {
                1 => String::new(),
                id => format!(" id {id}"),
            };
            format!("{name} {src} > {dst} {}{code}{id}", symbol(datatype, kind))
        }
        Transport::Other(protocol) => {
            format!("{} {src} > {dst}", symbol(DataType::InetProto, protocol))
        }
    }
}

/// What is not as usual.
fn details(text: &mut String, spec: &Spec) {
    let usual = if is_discovery(spec.src.is_ipv6(), spec.transport) {
        255
    } else {
        Spec::new(spec.src, spec.dst, spec.transport).hop_limit
    };
    if spec.hop_limit != usual {
        _ = write!(text, " ttl {}", spec.hop_limit);
    }
    if !spec.payload.is_empty() {
        _ = write!(text, " bytes {}", spec.payload.len());
    }
    if spec.dscp != 0 {
        _ = write!(text, " dscp {}", symbol(DataType::Dscp, spec.dscp));
    }
    if let Some(vlan) = spec.vlan {
        _ = write!(text, " vlan {vlan}");
    }
    if let Some(mac) = spec.mac {
        _ = write!(text, " mac {mac}");
    }
}

fn symbol(datatype: DataType, value: u8) -> String {
    datatype::write(Type::of(datatype), u128::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Step, What, one};

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "tcp 10.0.0.1:1 > 10.0.0.2:2 syn,ack ttl 3 dscp ef",
            "tcp [fd00::1]:1 > [fd00::2]:2 none bytes 9",
            "udp 10.0.0.1:1 > 10.0.0.2:2 vlan 7 mac 02:00:00:00:00:09",
            "icmp 10.0.0.1 > 10.0.0.2 time-exceeded code 1",
            "icmp 10.0.0.1 > 10.0.0.2 echo-request id 7",
            "icmpv6 fd00::1 > fd00::2 nd-neighbor-solicit",
            "esp 10.0.0.1 > 10.0.0.2",
        ] {
            let Ok(Step::Send {
                packet: What::New(spec),
                ..
            }) = one(&format!("{text} in x"))
            else {
                panic!("{text}")
            };
            assert_eq!(words_of(&spec), text);
        }
    }
}
