//! FTP (`nf_conntrack_ftp.c`): PORT and EPRT of the client, the answers 227 and 229 of the server say where the data will go.

use std::net::Ipv6Addr;

use redan_vm::ct::Direction;
use redan_vm::family::nfproto;
use redan_vm::packet::{Tcp, protocol};

use super::hear::{Heard, Helper, Memory, Said};
use crate::conntrack::tuple::Tuple;

/// The helper.
pub(super) struct Ftp;

/// Where data will go, as a command says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    l3proto: u8,
    address: [u8; 16],
    port: u16,
}

/// What a piece of a stream is to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It is not this command.
    No,
    /// It begins as this command does, and cannot be read.
    Partial,
    /// This place.
    Yes(Place),
}

/// Reads the numbers behind a command; `None` when they do not end, or are none.
type Read = fn(&[u8], Place, u8) -> Option<Place>;

/// A command: its first letters, what its numbers begin behind, what they end with, and how they are read.
struct Command {
    word: &'static [u8],
    skip: Option<u8>,
    end: u8,
    read: Read,
}

/// Commands of each direction.
static COMMANDS: [[Command; 2]; 2] = [
    [
        Command {
            word: b"PORT",
            skip: Some(b' '),
            end: b'\r',
            read: read_port,
        },
        Command {
            word: b"EPRT",
            skip: Some(b' '),
            end: b'\r',
            read: read_eprt,
        },
    ],
    [
        Command {
            word: b"227 ",
            skip: None,
            end: 0,
            read: read_passive,
        },
        Command {
            word: b"229 ",
            skip: Some(b'('),
            end: b')',
            read: read_extended_passive,
        },
    ],
];

impl Helper for Ftp {
    fn name(&self) -> &'static str {
        "ftp"
    }

    fn l4proto(&self) -> u8 {
        protocol::TCP
    }

    fn hear(&self, memory: &mut Memory, heard: &Heard<'_>) -> Said {
        let Some((seq, data)) = payload(heard.bytes) else {
            return Said::Nothing;
        };
        if !heard.is_established || data.is_empty() {
            return Said::Nothing;
        }
        let direction = heard.direction;
        let mut said = Said::Nothing;
        if memory.is_start_of_line(direction, seq) {
            said = listen(data, direction, heard.tuples);
            if said == Said::Partial {
                return said;
            }
        }
        if data.last() == Some(&b'\n') {
            let len = u32::try_from(data.len()).unwrap_or(0);
            memory.end_line(direction, seq.wrapping_add(len));
        }
        said
    }
}

/// Sequence number and payload of a segment.
fn payload(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let tcp = Tcp::new_checked(bytes)?;
    Some((tcp.seq(), bytes.get(tcp.header_len()..)?))
}

impl Memory {
    /// Whether a line that was seen to end ended before this number (`find_nl_seq`).
    fn is_start_of_line(&self, direction: Direction, seq: u32) -> bool {
        let at = direction as usize;
        let known = self.known.get(at).copied().unwrap_or(0);
        self.lines
            .get(at)
            .is_some_and(|lines| lines.iter().take(known.into()).any(|line| *line == seq))
    }

    /// A line ends before this number; the two latest are kept (`update_nl_seq`).
    fn end_line(&mut self, direction: Direction, seq: u32) {
        if self.is_start_of_line(direction, seq) {
            return;
        }
        let at = direction as usize;
        let Some((lines, known)) = self.lines.get_mut(at).zip(self.known.get_mut(at)) else {
            return;
        };
        if let Some(line) = lines.get_mut(usize::from(*known)) {
            *line = seq;
            *known += 1;
            return;
        }
        let [first, second] = lines;
        let oldest = if is_before(*first, *second) {
            first
        } else {
            second
        };
        if is_before(*oldest, seq) {
            *oldest = seq;
        }
    }
}

/// Whether sequence number `a` comes before `b`.
const fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) > i32::MAX as u32
}

/// What the first line of a segment announces.
fn listen(data: &[u8], direction: Direction, tuples: &[Tuple; 2]) -> Said {
    let [original, reply] = tuples;
    let (own, other) = match direction {
        Direction::Original => (original, reply),
        Direction::Reply => (reply, original),
    };
    let sender = Place {
        l3proto: own.l3proto,
        address: own.src,
        port: 0,
    };
    let commands = COMMANDS.get(direction as usize).into_iter().flatten();
    let found = commands
        .map(|command| command.find(data, sender))
        .find(|found| *found != Found::No);
    match found {
        None | Some(Found::No) => Said::Nothing,
        Some(Found::Partial) => Said::Partial,
        // Who announces an address other than its own may open a way to somebody else.
        Some(Found::Yes(place)) if place.address != own.src => Said::Nothing,
        Some(Found::Yes(place)) => Said::Expect(Tuple {
            src: other.src,
            dst: other.dst,
            src_key: 0,
            dst_key: place.port,
            ..*own
        }),
    }
}

impl Command {
    /// `find_pattern`.
    fn find(&self, data: &[u8], sender: Place) -> Found {
        let len = self.word.len();
        if data.len() <= len {
            let is_begun = self
                .word
                .get(..data.len())
                .is_some_and(|begun| begun.eq_ignore_ascii_case(data));
            return if is_begun { Found::Partial } else { Found::No };
        }
        let Some((word, rest)) = data.split_at_checked(len) else {
            return Found::No;
        };
        if !word.eq_ignore_ascii_case(self.word) {
            return Found::No;
        }
        let numbers = match self.skip {
            None => Some(rest),
            Some(skip) => rest
                .iter()
                .position(|byte| *byte == skip)
                .and_then(|at| rest.get(at + 1..)),
        };
        numbers
            .and_then(|numbers| (self.read)(numbers, sender, self.end))
            .map_or(Found::Partial, Found::Yes)
    }
}

/// Numbers of up to so many bits between separators, and how many bytes they take; the last ends with `end`, or with any letter where that is 0
/// (`try_number`).
fn numbers<const N: usize>(data: &[u8], separator: u8, end: u8) -> Option<([u32; N], usize)> {
    let mut numbers = [0_u32; N];
    let mut at = 0;
    for (len, byte) in data.iter().enumerate() {
        let number = numbers.get_mut(at)?;
        if byte.is_ascii_digit() {
            *number = number.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
        } else if *byte == separator {
            at += 1;
        } else if (*byte == end || end == 0) && at == N - 1 {
            return (len > 0).then_some((numbers, len));
        } else {
            return None;
        }
    }
    None
}

/// An IPv4 address from its numbers, over what there was, as in Linux.
fn with_ipv4(mut place: Place, [a, b, c, d]: [u32; 4]) -> Place {
    let address = (a << 24) | (b << 16) | (c << 8) | d;
    if let Some(first) = place.address.first_chunk_mut::<4>() {
        *first = address.to_be_bytes();
    }
    place
}

/// `10,0,1,2,156,64` (RFC 959 4.1.2).
fn read_port(data: &[u8], sender: Place, end: u8) -> Option<Place> {
    let ([a, b, c, d, high, low], _) = numbers::<6>(data, b',', end)?;
    let [.., high, low] = (high << 8 | low).to_be_bytes();
    Some(Place {
        port: u16::from_be_bytes([high, low]),
        ..with_ipv4(sender, [a, b, c, d])
    })
}

/// The same behind any text without digits, with or without brackets (RFC 1123 4.1.2.6).
fn read_passive(data: &[u8], sender: Place, _: u8) -> Option<Place> {
    let start = data.iter().position(u8::is_ascii_digit)?;
    read_port(data.get(start..)?, sender, 0)
}

/// Whether a letter may stand between the fields of an extended command (RFC 2428 2).
const fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_graphic() && !byte.is_ascii_digit()
}

/// `|1|10.0.1.2|40000|`, `|2|fd00::2|40000|` (RFC 2428 2).
fn read_eprt(data: &[u8], sender: Place, _: u8) -> Option<Place> {
    let [delimiter, family, second, rest @ ..] = data else {
        return None;
    };
    if !is_delimiter(*delimiter) || second != delimiter {
        return None;
    }
    let (place, len) = match (family, sender.l3proto) {
        (b'1', nfproto::IPV4) => {
            let (address, len) = numbers::<4>(rest, b'.', *delimiter)?;
            (with_ipv4(sender, address), len)
        }
        (b'2', nfproto::IPV6) => {
            let len = rest.iter().position(|byte| byte == delimiter)?;
            let text = std::str::from_utf8(rest.get(..len)?).ok()?;
            let address = text.parse::<Ipv6Addr>().ok()?.octets();
            (Place { address, ..sender }, len)
        }
        _ => return None,
    };
    let port = port(rest.get(len + 1..)?, *delimiter)?;
    Some(Place { port, ..place })
}

/// `|||40000|` (RFC 2428 3): the address is the server's.
fn read_extended_passive(data: &[u8], sender: Place, _: u8) -> Option<Place> {
    let [delimiter, second, third, rest @ ..] = data else {
        return None;
    };
    if !is_delimiter(*delimiter) || second != delimiter || third != delimiter {
        return None;
    }
    let port = port(rest, *delimiter)?;
    Some(Place { port, ..sender })
}

/// A port up to a delimiter; 0 is none (`get_port`).
fn port(data: &[u8], delimiter: u8) -> Option<u16> {
    let mut port = 0_u16;
    for byte in data {
        if *byte == delimiter {
            return (port != 0).then_some(port);
        }
        if !byte.is_ascii_digit() {
            return None;
        }
        port = port.wrapping_mul(10).wrapping_add(u16::from(byte - b'0'));
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tuples(l3proto: u8) -> [Tuple; 2] {
        let address = |last: u8| {
            let mut bytes = [0; 16];
            if l3proto == nfproto::IPV4 {
                bytes[..4].copy_from_slice(&[10, 0, last, 2]);
            } else {
                bytes = Ipv6Addr::new(0xfd00, last.into(), 0, 0, 0, 0, 0, 2).octets();
            }
            bytes
        };
        let original = Tuple {
            src: address(1),
            dst: address(2),
            src_key: 40000,
            dst_key: 21,
            l3proto,
            l4proto: protocol::TCP,
        };
        [original, original.inverse().unwrap()]
    }

    /// What a line says: `-` nothing, `partial`, or the port that is expected.
    fn say(l3proto: u8, direction: Direction, line: &[u8]) -> String {
        let tuples = tuples(l3proto);
        match listen(line, direction, &tuples) {
            Said::Nothing => "-".to_owned(),
            Said::Partial => "partial".to_owned(),
            Said::Expect(tuple) => {
                let other = tuples[1 - direction as usize];
                assert_eq!((tuple.src, tuple.dst), (other.src, other.dst));
                tuple.dst_key.to_string()
            }
        }
    }

    #[test]
    fn commands_of_both_sides() {
        let (v4, v6) = (nfproto::IPV4, nfproto::IPV6);
        let (client, server) = (Direction::Original, Direction::Reply);
        for (l3proto, direction, line, said) in [
            (v4, client, "PORT 10,0,1,2,156,64\r\n", "40000"),
            (v4, client, "port 10,0,1,2,0,0\r\n", "0"),
            (v4, client, "PORT 10,0,9,9,156,64\r\n", "-"),
            (v4, client, "PORT 10,0,1,2,156,64", "partial"),
            (v4, client, "PORT 10,0,1,2,156\r\n", "partial"),
            (v4, client, "PORT", "partial"),
            (v4, client, "PO", "partial"),
            (v4, client, "POST 10,0,1,2,156,64\r\n", "-"),
            (v4, client, "227 Entering (10,0,1,2,156,64)\r\n", "-"),
            (v4, client, "EPRT |1|10.0.1.2|40000|\r\n", "40000"),
            (v4, client, "EPRT !1!10.0.1.2!40000!\r\n", "40000"),
            (v4, client, "EPRT |1|10.0.1.2|0|\r\n", "partial"),
            (v4, client, "EPRT |2|fd00:1::2|40000|\r\n", "partial"),
            (v6, client, "EPRT |2|fd00:1::2|40000|\r\n", "40000"),
            (v6, client, "EPRT |2|fd00:9::2|40000|\r\n", "-"),
            (v6, client, "PORT 10,0,1,2,156,64\r\n", "-"),
            (
                v4,
                server,
                "227 Entering Passive Mode (10,0,2,2,156,64).\r\n",
                "40000",
            ),
            (v4, server, "227 =10,0,2,2,156,64\r\n", "40000"),
            (
                v4,
                server,
                "227 Entering Passive Mode (10,0,1,2,156,64).\r\n",
                "-",
            ),
            (
                v4,
                server,
                "227 Entering Passive Mode (10,0,2,2,156",
                "partial",
            ),
            (v4, server, "229 Extended (|||40000|)\r\n", "40000"),
            (v6, server, "229 Extended (|||40000|)\r\n", "40000"),
            (v6, server, "229 Extended (|||70000|)\r\n", "4464"),
            (v4, server, "229 Extended\r\n", "partial"),
            (v4, server, "PORT 10,0,2,2,156,64\r\n", "-"),
            (v4, server, "230 Welcome\r\n", "-"),
        ] {
            assert_eq!(say(l3proto, direction, line.as_bytes()), said, "{line}");
        }
    }

    #[test]
    fn two_latest_ends_of_lines_are_known() {
        let mut memory = Memory::default();
        let direction = Direction::Original;
        for seq in [0xffff_fff0, 5, 5, 20] {
            memory.end_line(direction, seq);
        }
        let known = [0xffff_fff0, 5, 20].map(|seq| memory.is_start_of_line(direction, seq));
        assert_eq!(known, [false, true, true]);
        assert!(!memory.is_start_of_line(Direction::Reply, 5));
    }

    proptest! {
        #[test]
        fn no_text_opens_more_than_a_way_between_the_two(
            start in prop::sample::select(vec!["PORT ", "EPRT ", "227 ", "229 (", ""]),
            text in "[0-9,.|:!()\\r\\n a-f]{0,40}",
            bytes in prop::collection::vec(any::<u8>(), 0..8),
            is_reply: bool,
            is_v6: bool,
        ) {
            let mut line = format!("{start}{text}").into_bytes();
            line.extend(bytes);
            let l3proto = if is_v6 { nfproto::IPV6 } else { nfproto::IPV4 };
            let direction = if is_reply { Direction::Reply } else { Direction::Original };
            say(l3proto, direction, &line);
        }
    }
}
