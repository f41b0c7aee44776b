//! Reading lines of packets.

use redan_runtime::Verdict;
use redan_vm::datatype::DataType;
use redan_vm::packet::{protocol, tcp};

use super::words::{self, Word, Words, Wrong};
use super::{Expected, Line, Step, Way, What};
use crate::craft::{Spec, Transport};

/// Names of `ct state`, as reports give them.
const STATES: &[&str] = &["new", "established", "related", "invalid", "untracked"];

/// Sequence number of a connection's first segment.
const FIRST_SEQ: u32 = 1000;

/// What a line may be.
const FORMS: &str = "write `PROTOCOL SOURCE > DESTINATION in PORT`, `answer`, `again`, `error TYPE`, `local ADDRESS`, `host ADDRESS PORT` or `wait 30s`";

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column of the faulty word, from 1, in characters.
    pub(crate) column: usize,
    /// How many characters it has.
    pub(crate) len: usize,
    /// What is wrong, and what to write.
    pub(crate) message: String,
}

impl Fault {
    fn new(number: usize, line: &str, (range, message): Wrong) -> Self {
        let chars = |range| line.get(range).map_or(1, |text: &str| text.chars().count());
        Self {
            line: number,
            column: chars(0..range.start.min(line.len())) + 1,
            len: chars(range).max(1),
            message,
        }
    }
}

pub(super) fn lines(text: &str) -> Result<Vec<Line>, Vec<Fault>> {
    let mut lines = Vec::new();
    let mut faults = Vec::new();
    // Some editors put a byte order mark at the start.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let said = line.split('#').next().unwrap_or("");
        if said.trim().is_empty() {
            continue;
        }
        match step(said).and_then(|step| expecting(said, step)) {
            Ok(step) => lines.push(Line {
                number: index + 1,
                text: said.trim().to_owned(),
                step,
            }),
            Err(wrong) => faults.push(Fault::new(index + 1, said, wrong)),
        }
    }
    if faults.is_empty() {
        Ok(lines)
    } else {
        Err(faults)
    }
}

/// Reads one step, such as an argument of `redan why`: it need not say what it expects.
pub(crate) fn one(text: &str) -> Result<Step, Fault> {
    step(text).map_err(|wrong| Fault::new(1, text, wrong))
}

/// In a file, every packet says what it expects.
fn expecting(line: &str, step: Step) -> Result<Step, Wrong> {
    if let Step::Send { expected: None, .. } = step {
        let end = line.trim_end().len();
        let message = "`=> VERDICT` is missing; write such as `=> accept new`";
        return Err((end..end + 1, message.to_owned()));
    }
    Ok(step)
}

fn step(line: &str) -> Result<Step, Wrong> {
    let mut words = Words::new(line);
    let first = words.need(FORMS)?;
    let packet = match first.text {
        "wait" => {
            let time = words::duration(words.need("how long? write such as `wait 30s`")?)?;
            words.end()?;
            return Ok(Step::Wait(time));
        }
        "local" => {
            let address = words::address(words.need("write `local ADDRESS`")?)?;
            words.end()?;
            return Ok(Step::Local(address));
        }
        "host" => {
            let address = words::address(words.need("write `host ADDRESS PORT`")?)?;
            let port = words.need("behind which port? write `host ADDRESS PORT`")?;
            words.end()?;
            return Ok(Step::Host(address, port.text.to_owned()));
        }
        "answer" => What::Answer,
        "again" => What::Again,
        "error" => error(&mut words)?,
        _ => What::New(Box::new(spec(first, &mut words)?)),
    };
    let way = way(&mut words)?;
    if way.is_none() && matches!(packet, What::New(_)) {
        let next = words.peek().filter(|next| next.text != "=>");
        let message = "`in PORT` is missing, or `out PORT` for what the machine itself sends";
        return Err(next.map_or_else(
            || {
                let end = line.find("=>").unwrap_or(line.len());
                let end = line.get(..end).unwrap_or(line).trim_end().len();
                (end..end + 1, message.to_owned())
            },
            |next| next.wrong(format!("`{}` means nothing here; {message}", next.text)),
        ));
    }
    let expected = words
        .take("=>")
        .then(|| expectation(&mut words))
        .transpose()?;
    words.end()?;
    Ok(Step::Send {
        packet,
        way,
        expected,
    })
}

/// `error TYPE [code N]`.
fn error(words: &mut Words<'_>) -> Result<What, Wrong> {
    let kind = words.need("which error? write such as `error destination-unreachable`")?;
    if words::icmp_type(true, kind.text)
        .or_else(|| words::icmp_type(false, kind.text))
        .is_none()
    {
        return Err(kind.wrong(format!("`{}` is no type of icmp or icmpv6", kind.text)));
    }
    let code = if words.take("code") {
        words::number(words.need("which code?")?, "255")?
    } else {
        0
    };
    Ok(What::Error(kind.text.to_owned(), code))
}

fn way(words: &mut Words<'_>) -> Result<Option<Way>, Wrong> {
    let port = |words: &mut Words<'_>| {
        let port = words.need("which port? write its name")?;
        if port.text == "=>" {
            return Err(port.wrong("which port? write its name before `=>`"));
        }
        Ok(port.text.to_owned())
    };
    if words.take("in") {
        return port(words).map(Way::In).map(Some);
    }
    if words.take("out") {
        return port(words).map(Way::Out).map(Some);
    }
    Ok(None)
}

fn expectation(words: &mut Words<'_>) -> Result<Expected, Wrong> {
    let word = words.need("the verdict is missing behind `=>`")?;
    let verdict = Verdict::ALL
        .iter()
        .copied()
        .find(|known| known.name() == word.text)
        .ok_or_else(|| {
            let known: Vec<&str> = Verdict::ALL.iter().map(|known| known.name()).collect();
            word.wrong(format!(
                "`{}` is no verdict; write one of {}",
                word.text,
                known.join(", ")
            ))
        })?;
    let state = words.next();
    if let Some(state) = state.filter(|state| !STATES.contains(&state.text)) {
        return Err(state.wrong(format!(
            "`{}` is no state; write one of {}",
            state.text,
            STATES.join(", ")
        )));
    }
    Ok(Expected {
        verdict,
        state: state.map(|state| state.text.to_owned()),
    })
}

fn spec(first: Word<'_>, words: &mut Words<'_>) -> Result<Spec, Wrong> {
    let number = words::symbol(DataType::InetProto, first.text)
        .ok_or_else(|| first.wrong(format!("`{}` is no protocol; {FORMS}", first.text)))?;
    let source = words.need("the source is missing")?;
    let src = words::end(source)?;
    let arrow = words.need("`> DESTINATION` is missing")?;
    if arrow.text != ">" {
        return Err(
            arrow.wrong("`>` belongs between source and destination, with spaces around it")
        );
    }
    let target = words.need("the destination is missing")?;
    let dst = words::end(target)?;
    if src.address.is_ipv4() != dst.address.is_ipv4() {
        return Err(target.wrong("source and destination are of different families"));
    }
    let ports = || match (src.port, dst.port) {
        (Some(sport), Some(dport)) => Ok((sport, dport)),
        (None, _) => Err(source.wrong("this end needs a port: 10.0.0.1:80 or [fd00::1]:80")),
        (_, None) => Err(target.wrong("this end needs a port: 10.0.0.1:80 or [fd00::1]:80")),
    };
    // A port that no header carries would be left out without a word.
    if !matches!(number, protocol::TCP | protocol::UDP) {
        let with_port = [(source, &src), (target, &dst)];
        if let Some((word, _)) = with_port.iter().find(|(_, end)| end.port.is_some()) {
            return Err(word.wrong(format!(
                "packets of {} are made without ports: write the address alone",
                first.text
            )));
        }
    }
    let is_v4 = src.address.is_ipv4();
    let transport = match number {
        protocol::TCP => {
            let (sport, dport) = ports()?;
            Transport::Tcp {
                sport,
                dport,
                flags: tcp::flags::SYN,
                seq: FIRST_SEQ,
                ack: 0,
            }
        }
        protocol::UDP => {
            let (sport, dport) = ports()?;
            Transport::Udp { sport, dport }
        }
        protocol::ICMP | protocol::ICMPV6 => {
            if is_v4 != (number == protocol::ICMP) {
                return Err(first.wrong(format!("{} does not go with these addresses", first.text)));
            }
            Transport::Icmp {
                kind: words::icmp_type(is_v4, "echo-request").unwrap_or_default(),
                code: 0,
                id: 1,
                seq: 1,
            }
        }
        number => Transport::Other(number),
    };
    let mut spec = Spec::new(src.address, dst.address, transport);
    details(&mut spec, words)?;
    Ok(spec)
}

/// What else a line says of a packet, up to its port.
fn details(spec: &mut Spec, words: &mut Words<'_>) -> Result<(), Wrong> {
    let mut hop_limit = None;
    while let Some(word) = words
        .peek()
        .filter(|word| !matches!(word.text, "in" | "out" | "=>"))
    {
        words.next();
        let mut value = || words.need("a value is missing here");
        match (word.text, &mut spec.transport) {
            ("ttl", _) => hop_limit = Some(words::number(value()?, "255")?),
            ("bytes", _) => {
                let value = value()?;
                let bytes: u16 = words::number(value, "65000")?;
                if bytes > 65000 {
                    return Err(value.wrong("at most 65000 bytes of payload"));
                }
                spec.payload = vec![0; usize::from(bytes)];
            }
            ("vlan", _) => {
                let value = value()?;
                let id = words::number(value, "4094")?;
                if id > 4094 {
                    return Err(value.wrong("a VLAN has a number from 0 to 4094"));
                }
                spec.vlan = Some(id);
            }
            ("mac", _) => {
                let value = value()?;
                let mac = value.text.parse();
                spec.mac = Some(mac.map_err(|error| value.wrong(format!("{error}")))?);
            }
            ("dscp", _) => {
                let value = value()?;
                spec.dscp = words::symbol(DataType::Dscp, value.text)
                    .filter(|dscp| *dscp < 64)
                    .ok_or_else(|| value.wrong(format!("`{}` is no DSCP", value.text)))?;
            }
            ("id", Transport::Icmp { id, .. }) => *id = words::number(value()?, "65535")?,
            ("code", Transport::Icmp { code, .. }) => *code = words::number(value()?, "255")?,
            (_, Transport::Tcp { flags, ack, .. }) => {
                *flags = tcp_flags(word)?;
                *ack = if *flags & tcp::flags::ACK == 0 {
                    0
                } else {
                    FIRST_SEQ
                };
            }
            (_, Transport::Icmp { kind, .. }) => {
                let is_v4 = spec.src.is_ipv4();
                let name = if is_v4 { "icmp" } else { "icmpv6" };
                *kind = words::icmp_type(is_v4, word.text)
                    .ok_or_else(|| word.wrong(format!("`{}` is no type of {name}", word.text)))?;
            }
            (_, Transport::Udp { .. } | Transport::Other(_)) => {
                return Err(word.wrong(format!(
                    "`{}` means nothing here; write ttl, bytes, dscp, vlan, mac, or `in PORT`",
                    word.text
                )));
            }
        }
    }
    let is_discovery = words::is_discovery(spec.src.is_ipv6(), spec.transport);
    spec.hop_limit = hop_limit.unwrap_or(if is_discovery { 255 } else { spec.hop_limit });
    Ok(())
}

fn tcp_flags(word: Word<'_>) -> Result<u8, Wrong> {
    if word.text == "none" {
        return Ok(0);
    }
    word.text.split(',').try_fold(0, |flags, name| {
        let flag = words::symbol(DataType::TcpFlag, name)
            .ok_or_else(|| word.wrong(format!("`{name}` is no TCP flag; write such as syn,ack")))?;
        Ok(flags | flag)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lines_of_every_kind() {
        let text = "# a\n\ntcp 10.0.0.1:1 > 10.0.0.2:2 in lan0 => accept new # b\nanswer => drop\nwait 2m\nagain in wan0 => reject\nicmpv6 fd00::1 > fd00::2 nd-neighbor-solicit in x => local\n50 10.0.0.1 > 10.0.0.2 in x => other\nerror time-exceeded code 1 => drop related\nlocal 10.0.0.1\nudp 10.0.0.1:1 > 10.0.0.2:2 ttl 3 bytes 100 dscp ef vlan 7 mac 02:00:00:00:00:09 out x => accept\n";
        let lines = lines(text).unwrap();
        assert_eq!(lines.len(), 9);
        assert_eq!(lines[0].number, 3);
        assert_eq!(lines[2].step, Step::Wait(Duration::from_mins(2)));
        let spec = |at: usize| {
            let Step::Send {
                packet: What::New(spec),
                ..
            } = &lines[at].step
            else {
                panic!("{:?}", lines[at])
            };
            (**spec).clone()
        };
        assert_eq!(spec(4).hop_limit, 255);
        let last = spec(8);
        assert_eq!((last.hop_limit, last.dscp, last.vlan), (3, 46, Some(7)));
        assert_eq!(last.payload.len(), 100);
    }

    /// A faulty line, the column that is at fault, and how what is said of it begins.
    const FAULTY: &[(&str, usize, &str)] = &[
        (
            "tcp 10.0.0.1:1 > 10.0.0.2:2 in lan0",
            36,
            "`=> VERDICT` is missing",
        ),
        (
            "tcp 10.0.0.1:1 > 10.0.0.2:2 => accept",
            28,
            "`in PORT` is missing",
        ),
        (
            "tcp 10.0.0.1 > 10.0.0.2:2 in a => accept",
            5,
            "this end needs a port",
        ),
        (
            "sctp 10.0.0.1 > 10.0.0.2:2 in a => accept",
            17,
            "packets of sctp are made without ports",
        ),
        (
            "tcp 10.0.0.1:1 > 10.0.0.2:2 sin in a => accept",
            29,
            "`sin` is no TCP flag",
        ),
        (
            "tcp 10.0.0.1:1 > [fd00::1]:2 in a => accept",
            18,
            "source and destination",
        ),
        (
            "icmp 10.0.0.1 > 10.0.0.2 nd-redirect in a => accept",
            26,
            "`nd-redirect` is no type of icmp",
        ),
        (
            "icmp fd00::1 > fd00::2 in a => accept",
            1,
            "icmp does not go",
        ),
        (
            "foo 10.0.0.1 > 10.0.0.2 in a => accept",
            1,
            "`foo` is no protocol",
        ),
        (
            "udp 10.0.0:1 > 10.0.0.2:1 in a => accept",
            5,
            "`10.0.0:1` is no address",
        ),
        (
            "udp 10.0.0.1:1 > 10.0.0.2:1 ttl 300 in a => accept",
            33,
            "`300` is no number from 0 to 255",
        ),
        (
            "udp 10.0.0.1:1 > 10.0.0.2:1 syn in a => accept",
            29,
            "`syn` means nothing here",
        ),
        (
            "udp 10.0.0.1:1 10.0.0.2:1 in a => accept",
            16,
            "`>` belongs",
        ),
        ("answer => pass", 11, "`pass` is no verdict"),
        ("answer => accept old", 18, "`old` is no state"),
        ("answer => accept new x", 22, "`x` is one word too many"),
        ("answer in => accept", 11, "which port?"),
        ("error what => accept", 7, "`what` is no type"),
        ("local here", 7, "`here` is no address"),
        ("host 10.0.0.1", 14, "behind which port?"),
        ("wait 3w", 6, "`w` is no unit"),
        ("what", 1, "`what` is no protocol"),
    ];

    #[test]
    fn faulty_lines_are_named_at_their_word() {
        for (text, column, want) in FAULTY {
            let got = &lines(text).unwrap_err()[0];
            assert!(got.message.starts_with(want), "{text}: {got:?}");
            assert_eq!(got.column, *column, "{text}: {got:?}");
        }
    }
}
