//! Reading `.test` files.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use redan_lang::datatype;
use redan_runtime::Verdict;
use redan_vm::datatype::DataType;
use redan_vm::packet::tcp;

use super::{Expected, Line, Step, What};
use crate::craft::{Spec, Transport};

/// Names of `ct state`, as reports give them.
const STATES: &[&str] = &["new", "established", "related", "invalid", "untracked"];

/// Sequence number of a connection's first segment.
const FIRST_SEQ: u32 = 1000;

pub(super) fn lines(text: &str) -> Result<Vec<Line>, Vec<String>> {
    let mut lines = Vec::new();
    let mut faults = Vec::new();
    // Some editors put a byte order mark at the start.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let said = line.split('#').next().unwrap_or("").trim();
        if said.is_empty() {
            continue;
        }
        match step(said) {
            Ok(step) => lines.push(Line {
                number: index + 1,
                text: said.to_owned(),
                step,
            }),
            Err(fault) => faults.push(format!("{}: {fault}", index + 1)),
        }
    }
    if faults.is_empty() {
        Ok(lines)
    } else {
        Err(faults)
    }
}

fn step(line: &str) -> Result<Step, String> {
    if let Some(time) = line.strip_prefix("wait ") {
        return duration(time.trim()).map(Step::Wait);
    }
    let (packet, expected) = line
        .split_once("=>")
        .ok_or("`=> VERDICT` is missing; write such as `=> accept new`")?;
    let words: Vec<&str> = packet.split_whitespace().collect();
    let (words, port) = match words.as_slice() {
        [before @ .., "in", port] => (before, Some((*port).to_owned())),
        all => (all, None),
    };
    let what = match words {
        ["answer"] => What::Answer,
        ["again"] => What::Again,
        [protocol, src, ">", dst, rest @ ..] => What::New(spec(protocol, src, dst, rest)?),
        _ => return Err("write `PROTOCOL SOURCE > DESTINATION in PORT => VERDICT`, `answer => VERDICT`, `again => VERDICT` or `wait 30s`".into()),
    };
    if port.is_none() && matches!(what, What::New(_)) {
        return Err("`in PORT` is missing before `=>`".into());
    }
    Ok(Step::Send {
        packet: what,
        port,
        expected: expectation(expected)?,
    })
}

fn expectation(text: &str) -> Result<Expected, String> {
    let mut words = text.split_whitespace();
    let verdict = words.next().ok_or("the verdict is missing behind `=>`")?;
    let verdict = Verdict::ALL
        .iter()
        .copied()
        .find(|known| known.name() == verdict)
        .ok_or_else(|| {
            let known: Vec<&str> = Verdict::ALL.iter().map(|known| known.name()).collect();
            format!(
                "`{verdict}` is no verdict; write one of {}",
                known.join(", ")
            )
        })?;
    let state = words.next().map(str::to_owned);
    if let Some(state) = state.as_deref().filter(|state| !STATES.contains(state)) {
        return Err(format!(
            "`{state}` is no state; write one of {}",
            STATES.join(", ")
        ));
    }
    match words.next() {
        Some(extra) => Err(format!("`{extra}` is one word too many")),
        None => Ok(Expected { verdict, state }),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| format!("`{text}` is no time; write such as 30s"))?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        _ => Err(format!("`{unit}` is no unit; write ms, s, m or h")),
    }
}

fn spec(protocol: &str, src: &str, dst: &str, rest: &[&str]) -> Result<Spec, String> {
    let (src, dst) = (end(src)?, end(dst)?);
    if src.address.is_ipv4() != dst.address.is_ipv4() {
        return Err("source and destination are of different families".into());
    }
    let ports = || match (src.port, dst.port) {
        (Some(sport), Some(dport)) => Ok((sport, dport)),
        _ => Err("both ends need a port: 10.0.0.1:80 or [fd00::1]:80".to_owned()),
    };
    let transport = match protocol {
        "tcp" => {
            let (sport, dport) = ports()?;
            let flags = rest
                .first()
                .map_or(Ok(tcp::flags::SYN), |word| tcp_flags(word))?;
            let ack = if flags & tcp::flags::ACK == 0 {
                0
            } else {
                FIRST_SEQ
            };
            Transport::Tcp {
                sport,
                dport,
                flags,
                seq: FIRST_SEQ,
                ack,
            }
        }
        "udp" => {
            let (sport, dport) = ports()?;
            Transport::Udp { sport, dport }
        }
        "icmp" | "icmpv6" => {
            let kind = icmp_type(protocol, rest.first().copied().unwrap_or("echo-request"))?;
            if src.address.is_ipv4() != (protocol == "icmp") {
                return Err(format!("{protocol} does not go with these addresses"));
            }
            Transport::Icmp {
                kind,
                code: 0,
                id: 1,
                seq: 1,
            }
        }
        number => Transport::Other(
            number_of(DataType::InetProto, number)
                .ok_or_else(|| format!("`{number}` is no protocol"))?,
        ),
    };
    if let Some(extra) = rest.get(1) {
        return Err(format!("`{extra}` is one word too many"));
    }
    let mut spec = Spec::new(src.address, dst.address, transport);
    // Neighbour discovery counts only when it comes from the same link (RFC 4861, section 7.1).
    if let Transport::Icmp {
        kind: 133..=137, ..
    } = transport
    {
        spec.hop_limit = 255;
    }
    Ok(spec)
}

struct End {
    address: IpAddr,
    port: Option<u16>,
}

fn end(text: &str) -> Result<End, String> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(End {
            address: address.into(),
            port: None,
        });
    }
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Ok(End {
            address: address.into(),
            port: None,
        });
    }
    let both: SocketAddr = text.parse().map_err(|_| {
        format!(
            "`{text}` is no address; write such as 10.0.0.1, 10.0.0.1:80, fd00::1 or [fd00::1]:80"
        )
    })?;
    Ok(End {
        address: both.ip(),
        port: Some(both.port()),
    })
}

fn tcp_flags(text: &str) -> Result<u8, String> {
    text.split(',').try_fold(0, |flags, word| {
        let flag = number_of(DataType::TcpFlag, word)
            .ok_or_else(|| format!("`{word}` is no TCP flag; write such as syn,ack"))?;
        Ok(flags | flag)
    })
}

fn icmp_type(protocol: &str, word: &str) -> Result<u8, String> {
    let datatype = if protocol == "icmp" {
        DataType::IcmpType
    } else {
        DataType::Icmpv6Type
    };
    number_of(datatype, word).ok_or_else(|| format!("`{word}` is no type of {protocol}"))
}

/// A symbol of a type of one byte, or a number.
fn number_of(datatype: DataType, word: &str) -> Option<u8> {
    let symbols = datatype::info(datatype).symbols;
    let symbol = symbols.iter().find(|symbol| symbol.name == word);
    symbol.map_or_else(
        || word.parse().ok(),
        |symbol| u8::try_from(symbol.value).ok(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind() {
        let text = "# a\n\ntcp 10.0.0.1:1 > 10.0.0.2:2 in lan0 => accept new # b\nanswer => drop\nwait 2m\nagain in wan0 => reject\nicmpv6 fd00::1 > fd00::2 nd-neighbor-solicit in x => local\n50 10.0.0.1 > 10.0.0.2 in x => other\n";
        let lines = lines(text).unwrap();
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[0].number, 3);
        assert_eq!(lines[2].step, Step::Wait(Duration::from_mins(2)));
        let Step::Send {
            packet: What::New(spec),
            ..
        } = &lines[4].step
        else {
            panic!("{:?}", lines[4])
        };
        assert_eq!(spec.hop_limit, 255);
    }

    #[test]
    fn every_faulty_line_is_named() {
        let cases = [
            (
                "tcp 10.0.0.1:1 > 10.0.0.2:2 in lan0",
                "1: `=> VERDICT` is missing",
            ),
            (
                "tcp 10.0.0.1:1 > 10.0.0.2:2 => accept",
                "1: `in PORT` is missing",
            ),
            (
                "tcp 10.0.0.1 > 10.0.0.2:2 in a => accept",
                "1: both ends need a port",
            ),
            (
                "tcp 10.0.0.1:1 > 10.0.0.2:2 sin in a => accept",
                "1: `sin` is no TCP flag",
            ),
            (
                "tcp 10.0.0.1:1 > [fd00::1]:2 in a => accept",
                "1: source and destination",
            ),
            (
                "icmp 10.0.0.1 > 10.0.0.2 nd-redirect in a => accept",
                "1: `nd-redirect` is no type of icmp",
            ),
            (
                "icmp fd00::1 > fd00::2 in a => accept",
                "1: icmp does not go",
            ),
            (
                "foo 10.0.0.1 > 10.0.0.2 in a => accept",
                "1: `foo` is no protocol",
            ),
            (
                "udp 10.0.0:1 > 10.0.0.2:1 in a => accept",
                "1: `10.0.0:1` is no address",
            ),
            ("answer => pass", "1: `pass` is no verdict"),
            ("answer => accept old", "1: `old` is no state"),
            ("answer => accept new x", "1: `x` is one word too many"),
            ("wait 3d", "1: `d` is no unit"),
            ("what", "1: `=> VERDICT` is missing"),
        ];
        for (text, want) in cases {
            let got = lines(text).unwrap_err();
            assert!(got[0].starts_with(want), "{text}: {got:?}");
        }
    }
}
