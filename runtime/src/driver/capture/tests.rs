//! Files as they are, cut short, lying, and random.

use proptest::prelude::*;

use super::*;

fn read(bytes: Vec<u8>) -> (Vec<Captured>, Vec<Option<String>>, String) {
    let mut reader = match CaptureReader::new(Box::new(io::Cursor::new(bytes))) {
        Ok(reader) => reader,
        Err(error) => return (vec![], vec![], error.to_string()),
    };
    let mut frames = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, reader.interfaces().to_vec(), String::new()),
            Err(error) => return (frames, reader.interfaces().to_vec(), error.to_string()),
        }
    }
}

fn pcapng() -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), &["lan0".into(), "wan0".into()]).unwrap();
    for n in 0..3_u8 {
        writer
            .write(
                Instant::from_nanos(1_700_000_000_000_000_001 + u64::from(n)),
                u32::from(n % 2),
                &[n; 61],
            )
            .unwrap();
    }
    writer.finish().unwrap()
}

fn pcap(
    big_endian: bool,
    magic: u32,
    linktype: u32,
    records: &[(u32, u32, &[u8], u32)],
) -> Vec<u8> {
    let word = |n: u32| {
        if big_endian {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let mut file = Vec::new();
    file.extend(word(magic));
    file.extend(if big_endian {
        [0, 2, 0, 4]
    } else {
        [2, 0, 4, 0]
    });
    for n in [0, 0, 65535, linktype] {
        file.extend(word(n));
    }
    for &(secs, fraction, bytes, original) in records {
        for n in [
            secs,
            fraction,
            u32::try_from(bytes.len()).unwrap(),
            original,
        ] {
            file.extend(word(n));
        }
        file.extend(bytes);
    }
    file
}

#[test]
fn what_is_written_is_read() {
    let (frames, names, error) = read(pcapng());
    assert_eq!(error, "");
    assert_eq!(names, [Some("lan0".to_owned()), Some("wan0".to_owned())]);
    assert_eq!(frames.len(), 3);
    assert_eq!(
        frames[2].time,
        Instant::from_nanos(1_700_000_000_000_000_003)
    );
    assert_eq!(
        (frames[1].interface, &frames[1].frame.bytes),
        (1, &vec![1; 61])
    );
}

#[test]
fn pcap_in_both_orders_and_units() {
    for (big_endian, magic, ns) in [
        (false, 0xa1b2_c3d4, 5_000),
        (true, 0xa1b2_c3d4, 5_000),
        (false, 0xa1b2_3c4d, 5),
        (true, 0xa1b2_3c4d, 5),
    ] {
        let (frames, names, error) = read(pcap(big_endian, magic, 1, &[(7, 5, &[9; 60], 60)]));
        assert_eq!((error.as_str(), names.len(), frames.len()), ("", 1, 1));
        assert_eq!(frames[0].time, Instant::from_nanos(7_000_000_000 + ns));
        assert_eq!(frames[0].frame.bytes, [9; 60]);
    }
}

#[track_caller]
fn check_link(linktype: u32, record: &[u8], header: &str, made: bool) {
    let (frames, _, error) = read(pcap(false, 0xa1b2_c3d4, linktype, &[(1, 0, record, 0)]));
    assert_eq!(error, "");
    let shown = frames[0].frame.bytes[..14]
        .iter()
        .fold(String::new(), |shown, byte| shown + &format!("{byte:02x}"));
    assert_eq!((shown.as_str(), frames[0].frame.made_link), (header, made));
    assert_eq!(frames[0].frame.bytes[14..], record[record.len() - 20..]);
}

#[test]
fn link_types_become_ethernet() {
    let with = |header: &[u8], first: u8| {
        let mut record = header.to_vec();
        record.extend([first; 20]);
        record
    };
    check_link(101, &with(&[], 0x45), "0000000000000000000000000800", true);
    check_link(229, &with(&[], 0x60), "00000000000000000000000086dd", true);
    check_link(
        0,
        &with(&[2, 0, 0, 0], 0x45),
        "0000000000000000000000000800",
        true,
    );
    let sll = [0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 1, 2, 0, 0, 8, 0];
    check_link(113, &with(&sll, 0x45), "ffffffffffff0200000001020800", true);
    let sll2 = [
        0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 3, 6, 2, 0, 0, 0, 1, 2, 0, 0,
    ];
    check_link(
        276,
        &with(&sll2, 0x60),
        "02ffffffffff02000000010286dd",
        false,
    );
}

#[test]
fn cut_frames_keep_their_length() {
    let (frames, _, _) = read(pcap(false, 0xa1b2_c3d4, 1, &[(1, 0, &[9; 60], 1000)]));
    assert_eq!(frames[0].frame.bytes.len(), 1000);
    assert_eq!(frames[0].frame.offload, crate::frame::Offload::TRUSTED);
}

#[track_caller]
fn check_broken(bytes: Vec<u8>, frames: usize, message: &str) {
    let (read, _, error) = read(bytes);
    assert!(error.contains(message), "{error}");
    assert_eq!(read.len(), frames);
}

#[test]
fn broken_files_give_their_whole_records_and_say_what_is_wrong() {
    let whole = pcap(
        false,
        0xa1b2_c3d4,
        1,
        &[(1, 0, &[1; 60], 60), (2, 0, &[2; 60], 60)],
    );
    check_broken(whole[..whole.len() - 1].to_vec(), 1, "ends inside record 2");
    check_broken(
        whole[..whole.len() - 61].to_vec(),
        1,
        "ends inside record 2",
    );
    check_broken(whole[..10].to_vec(), 0, "ends inside its header");
    check_broken(whole[..3].to_vec(), 0, "ends inside its header");
    check_broken(vec![], 0, "it is empty");
    check_broken(b"hello world".to_vec(), 0, "no pcap and no pcapng");
    check_broken(pcap(false, 0xa1b2_c3d4, 147, &[]), 0, "link type 147");
    let mut lying = whole;
    lying[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    check_broken(lying, 0, "beyond that of any frame");
    let ng = pcapng();
    check_broken(ng[..ng.len() - 3].to_vec(), 2, "ends inside record 3");
    check_broken(ng[..9].to_vec(), 0, "ends inside its header");
    let mut lying = ng;
    let last = lying.len() - 4;
    lying[last] ^= 4;
    check_broken(
        lying,
        2,
        "contradicts itself (Block length fields don't match",
    );
}

proptest! {
    #[test]
    fn no_file_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..300), start in 0..4_usize) {
        let magic = [&[0xd4, 0xc3, 0xb2, 0xa1][..], &[0xa1, 0xb2, 0x3c, 0x4d], &[0x0a, 0x0d, 0x0d, 0x0a], &[]][start];
        bytes.splice(..magic.len().min(bytes.len()), magic.iter().copied());
        read(bytes);
    }

    #[test]
    fn no_changed_byte_panics(at in 0..500_usize, to in any::<u8>()) {
        let mut bytes = pcapng();
        let at = at % bytes.len();
        bytes[at] = to;
        read(bytes);
    }
}
