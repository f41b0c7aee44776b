//! Tests of connection tracking: scripts of packets with what each must become, over a clock that only the script moves.
//!
//! A line is `SECONDS FROM>TO PACKET => STATE [ENTRY]`. Hosts are `a` (10.0.1.2), `b` (10.0.2.2), `c` (10.0.3.2), with a 6 behind them the same
//! in IPv6; `a` opens from port 40000 to `b`'s port 80. PACKET is TCP's flags or another protocol's name, then `key=value` words; TCP's numbers count from
//! each side's initial sequence number. STATE is `new`, `est`, `rel`, `untracked`, `inv(REASON)` or `drop`. ENTRY is the connection that the packet
//! then has: state, seconds left, `unreplied`, `assured`, packets both ways as `p1/0`; or `-` when it has none.

mod connlimit_cases;
mod helper_cases;
mod kernel_cases;
mod packets;
mod prop;
mod sctp_cases;
mod table_cases;
mod tcp_cases;
mod text_cases;
mod translated_cases;

use std::time::Duration;

use redan_vm::ct::{Direction, state, status};
use redan_vm::{Instant, Packet};

use super::{Conntrack, EntryInfo, Track, TrackHook, Tunables};
use packets::Builder;

/// When scripts start.
const EPOCH_SECS: u64 = 1_700_000_000;

/// Runs a script and compares each line's outcome.
struct Script {
    conntrack: Conntrack,
    builder: Builder,
    now: Instant,
}

impl Script {
    fn new(isn: [u32; 2]) -> Self {
        let tunables = Tunables {
            acct: true,
            max: 1000,
            ..Tunables::default()
        };
        Self {
            conntrack: Conntrack::new(tunables, 7),
            builder: Builder::new(isn),
            now: Instant::from_secs(EPOCH_SECS),
        }
    }

    fn run(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            if !line.is_empty() && !line.starts_with('#') {
                self.line(line);
            }
        }
    }

    fn line(&mut self, line: &str) {
        if let Some(setting) = line.strip_prefix("set ") {
            let (name, value) = setting.split_once(' ').unwrap();
            self.conntrack
                .tunables_mut()
                .set(name, value.parse().unwrap())
                .unwrap();
            return;
        }
        if line == "flush" {
            self.conntrack.flush(self.now);
            return;
        }
        let (packet, expected) = line.split_once("=>").unwrap_or_else(|| panic!("{line}"));
        let mut words: Vec<&str> = packet.split_whitespace().collect();
        let seconds: f64 = words.remove(0).parse().unwrap();
        self.now = Instant::from_secs(EPOCH_SECS) + Duration::from_secs_f64(seconds);
        let is_dropped = take(&mut words, "dropped");
        let is_notrack = take(&mut words, "notrack");
        let is_output = take(&mut words, "output");
        let mut packet = self.builder.build(&words);
        if is_notrack {
            self.conntrack.notrack(&mut packet);
        }
        let hook = if is_output {
            TrackHook::Output
        } else {
            TrackHook::Prerouting
        };
        let track = self.conntrack.handle_packet(self.now, &mut packet, hook);
        let found = verdict(&packet, track);
        let entry = if is_dropped || matches!(track, Track::Drop(_)) {
            self.conntrack.release(&mut packet);
            "-".to_owned()
        } else {
            self.conntrack.confirm(self.now, &mut packet).unwrap();
            self.conntrack
                .entry_info(self.now, &packet)
                .map_or_else(|| "-".to_owned(), |entry| describe(&entry))
        };
        compare(line, expected, &found, &entry);
    }
}

/// Takes a word out of a line.
fn take(words: &mut Vec<&str>, word: &str) -> bool {
    let before = words.len();
    words.retain(|found| *found != word);
    words.len() != before
}

fn verdict(packet: &Packet, track: Track) -> String {
    let reply = if packet.ct.direction == Direction::Reply && packet.ct.state == state::RELATED {
        "-reply"
    } else {
        ""
    };
    match track {
        Track::Invalid(reason) => format!("inv({reason})"),
        Track::Drop(_) => "drop".to_owned(),
        Track::Untracked => "untracked".to_owned(),
        Track::Tracked => match packet.ct.state {
            state::NEW => "new".to_owned(),
            state::ESTABLISHED => "est".to_owned(),
            state::RELATED => format!("rel{reply}"),
            other => format!("{other}"),
        },
    }
}

fn describe(entry: &EntryInfo) -> String {
    let mut words = Vec::new();
    words.extend(entry.state.map(str::to_owned));
    words.push(entry.remaining.as_secs().to_string());
    if !entry.has_seen_reply() {
        words.push("unreplied".to_owned());
    }
    if entry.has(status::ASSURED) {
        words.push("assured".to_owned());
    }
    let [original, reply] = entry.traffic.unwrap_or_default();
    words.push(format!("p{}/{}", original.packets, reply.packets));
    words.join(" ")
}

/// Packet counts are compared only where the line has them, the entry only where the line says anything of it.
fn compare(line: &str, expected: &str, found: &str, entry: &str) {
    let mut expected = expected.split_whitespace();
    assert_eq!(expected.next(), Some(found), "{line}\nentry: {entry}");
    let wanted: Vec<&str> = expected.collect();
    if wanted.is_empty() {
        return;
    }
    let has_counts = wanted.last().is_some_and(|word| word.contains('/'));
    let entry: Vec<&str> = entry
        .split_whitespace()
        .filter(|word| has_counts || !word.contains('/'))
        .collect();
    assert_eq!(entry, wanted, "{line}");
}

/// Runs a script with sequence numbers in the middle, across 2^31 and across 2^32.
fn check(text: &str) {
    for isn in [
        [1000, 5000],
        [0xffff_ff00, 0xffff_ffff],
        [0x7fff_fffe, 0xffff_0000],
    ] {
        Script::new(isn).run(text);
    }
}
