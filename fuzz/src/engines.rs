//! Verified bytecode of every kind on hostile packets: interpreter and native code do the same to packets, state and host, and neither
//! panics.

use std::sync::Arc;

use redan_jit::Jit;
use redan_vm::ids::ChainId;
use redan_vm::packet::{Layout, LinkKind, dissect};
use redan_vm::{Engine, Env, Instant, Interpreter, Outcome, Packet, Ruleset, State};

use super::machine::{random, udp};
use super::recorder::Recorder;

/// The first half of the input makes a ruleset, the second half packets.
pub fn run(input: &[u8]) {
    let (rules, packets) = input.split_at(input.len() / 2);
    let ruleset = random::ruleset(rules);
    let packets: Vec<Packet> = packets.chunks(48).take(8).map(packet).collect();
    let interpreted = trail(&mut Interpreter::new(&ruleset), &ruleset, &packets);
    let native = match Jit::compile(Arc::new(ruleset.clone())) {
        Ok(mut jit) => trail(&mut jit, &ruleset, &packets),
        Err(error) => panic!("no native code: {error}"),
    };
    assert_eq!(native, interpreted);
}

/// What became of each packet in each base chain, then the state, then what the host was asked.
fn trail(
    engine: &mut dyn Engine,
    ruleset: &Ruleset,
    packets: &[Packet],
) -> (Vec<(Outcome, String)>, String, Recorder) {
    let mut state = State::new(ruleset);
    let mut host = Recorder::default();
    let mut outcomes = Vec::new();
    for (second, packet) in (1_700_000_000..).zip(packets) {
        let mut packet = packet.clone();
        for chain in [ChainId(0), ChainId(1)] {
            let mut env = Env {
                now: Instant::from_secs(second),
                state: &mut state,
                host: &mut host,
            };
            let outcome = engine.run(chain, &mut packet, &mut env);
            outcomes.push((outcome, format!("{packet:?}")));
        }
    }
    (outcomes, format!("{state:?}"), host)
}

/// The first byte says what the others are: changes of a sound packet, or a frame with a layout that may lie.
fn packet(bytes: &[u8]) -> Packet {
    let (kind, bytes) = bytes
        .split_first()
        .map_or((0, bytes), |(k, rest)| (*k, rest));
    if kind % 2 == 0 {
        return changed(bytes);
    }
    let (lies, frame) = bytes.split_at(bytes.len().min(8));
    let lie = |at: usize| lies.get(at).copied().unwrap_or(0);
    // One in four offsets is far outside.
    let offset = |at: usize| match lie(at) {
        near @ 0..192 => u32::from(near),
        far => u32::MAX - u32::from(far - 192),
    };
    Packet {
        layout: Layout {
            link: offset(0),
            network: offset(1),
            transport: offset(2),
            inner: offset(3),
            end: offset(4),
            l4proto: *[6, 17, 58, 132, 33, lie(5)]
                .get(usize::from(lie(5)) % 6)
                .unwrap_or(&6),
            flags: lie(6),
            more_fragments: lie(7) & 1,
            nfproto: if lie(7) & 2 == 0 { 2 } else { 10 },
            ..Layout::default()
        },
        frame: frame.to_vec(),
        ..Packet::default()
    }
}

/// A sound packet with some bytes changed: pairs of place and value.
fn changed(changes: &[u8]) -> Packet {
    let mut packet = udp();
    for pair in changes.chunks_exact(2) {
        let [at, byte] = pair else { continue };
        let at = usize::from(*at) % packet.frame.len();
        if let Some(place) = packet.frame.get_mut(at) {
            *place = *byte;
        }
    }
    if let Ok(layout) = dissect(&packet.frame, LinkKind::Ethernet) {
        packet.layout = layout;
    }
    packet
}
