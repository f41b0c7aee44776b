//! Hostile bytes: no panic, no entry that outlives its time, no count that leaks.

use proptest::prelude::*;
use redan_vm::{Instant, Packet};

use super::packets::{Builder, into_packet};
use super::{Conntrack, EPOCH_SECS, Track, TrackHook, Tunables};

/// Sound packets of all kinds, to be damaged.
const SEEDS: &[&str] = &[
    "a>b S ws=7 sackok",
    "b>a SA ws=7 sackok",
    "a>b A",
    "a>b PA len=20",
    "b>a A ack=21 sack=30:40",
    "a>b FA seq=21",
    "b>a FA ack=22",
    "b>a R",
    "a>b udp",
    "b>a udp",
    "a6>b6 udp ext=0,60",
    "a>b udplite udplen=0",
    "a>b icmp",
    "b>a icmp type=3 code=3 quote=9",
    "b6>a6 icmp6 type=1 quote=11",
    "cll>a6 icmp6 type=137 hl=255 skip=32 option=4 quote=11",
    "a>b sctp kinds=1 init=5",
    "b>a sctp kinds=2 tag=5 init=6",
    "a>b sctp kinds=4,0 tag=6",
    "a>b gre version=1",
    "a>b ip proto=50",
];

fn seeds() -> Vec<Packet> {
    let mut builder = Builder::new([0, 0]);
    SEEDS
        .iter()
        .map(|text| builder.build(&text.split_whitespace().collect::<Vec<_>>()))
        .collect()
}

/// Sends packets through, dropping some, then lets time pass.
fn survive(frames: Vec<(Packet, bool, u16)>) -> Result<(), TestCaseError> {
    let tunables = Tunables {
        max: 16,
        checksum: false,
        acct: true,
        ..Tunables::default()
    };
    let mut conntrack = Conntrack::new(tunables, 1);
    let mut now = Instant::from_secs(EPOCH_SECS);
    for (mut packet, is_dropped, wait) in frames {
        now = now + std::time::Duration::from_millis(u64::from(wait));
        conntrack.handle_timeout(now);
        let track = conntrack.handle_packet(now, &mut packet, TrackHook::Prerouting);
        if is_dropped
            || matches!(track, Track::Drop(_))
            || conntrack.confirm(now, &mut packet).is_err()
        {
            conntrack.release(&mut packet);
        }
        prop_assert!(conntrack.count() <= 16);
        let mut text = String::new();
        prop_assert!(conntrack.write_proc(now, &mut text).is_ok());
    }
    for _ in 0..1000 {
        match conntrack.poll_timeout() {
            Some(due) => now = now.max(due),
            None => break,
        }
        conntrack.handle_timeout(now);
    }
    prop_assert_eq!(conntrack.count(), 0);
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        frames in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..120), any::<bool>(), any::<u16>()),
            0..30,
        )
    ) {
        survive(frames.into_iter().map(|(bytes, dropped, wait)| (into_packet(bytes), dropped, wait)).collect())?;
    }

    #[test]
    fn damaged_packets_are_survived(
        frames in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<Option<u8>>(), any::<u8>(), any::<bool>(), any::<u16>()),
            0..80,
        )
    ) {
        let seeds = seeds();
        let frames = frames.into_iter().map(|(which, at, byte, cut, dropped, wait)| {
            let mut bytes = which.get(&seeds).frame.clone();
            if let Some(byte) = byte {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut < 64 {
                bytes.truncate(bytes.len().saturating_sub(usize::from(cut)));
            }
            (into_packet(bytes), dropped, wait)
        });
        survive(frames.collect())?;
    }
}
