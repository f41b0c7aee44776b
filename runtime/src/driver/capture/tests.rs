//! Files as they are, cut short, lying, and random.

use proptest::prelude::*;

use super::order::Ordered;
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
            Ok(None) => return (frames, names(&reader), String::new()),
            Err(error) => return (frames, names(&reader), error.to_string()),
        }
    }
}

fn names(reader: &CaptureReader) -> Vec<Option<String>> {
    let names = reader.interfaces().iter();
    names.map(|interface| interface.name.clone()).collect()
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
    check_broken(lying, 2, "contradicts itself: its two lengths differ");
}

/// A pcapng's blocks in a byte order, written as the draft draws them.
struct Blocks {
    big_endian: bool,
    file: Vec<u8>,
}

impl Blocks {
    fn half(&self, n: u16) -> [u8; 2] {
        if self.big_endian {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    }

    fn word(&self, n: u32) -> [u8; 4] {
        if self.big_endian {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    }

    fn block(&mut self, kind: u32, parts: &[&[u8]]) {
        let mut body = parts.concat();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = self.word(u32::try_from(body.len() + 12).unwrap());
        for part in [&self.word(kind)[..], &length, &body, &length] {
            self.file.extend_from_slice(part);
        }
    }

    fn section(&mut self, big_endian: bool) -> &mut Self {
        self.big_endian = big_endian;
        let (magic, major, minor) = (self.word(0x1a2b_3c4d), self.half(1), self.half(0));
        self.block(0x0a0d_0d0a, &[&magic, &major, &minor, &[0xff; 8]]);
        self
    }

    fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let length = self.half(u16::try_from(value.len()).unwrap());
        let mut option = [&self.half(code)[..], &length, value].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    fn interface(&mut self, linktype: u16, options: &[(u16, &[u8])]) -> &mut Self {
        let options: Vec<u8> = options
            .iter()
            .flat_map(|(code, value)| self.option(*code, value))
            .collect();
        let linktype = self.half(linktype);
        self.block(1, &[&linktype, &[0; 2], &[0; 4], &options]);
        self
    }

    fn packet(&mut self, interface: u32, ticks: u64, data: &[u8], flags: Option<u32>) -> &mut Self {
        let words = [ticks >> 32, ticks & 0xffff_ffff];
        let [high, low] = words.map(|word| self.word(u32::try_from(word).unwrap()));
        let length = self.word(u32::try_from(data.len()).unwrap());
        let mut padded = data.to_vec();
        padded.resize(data.len().next_multiple_of(4), 0);
        let options = flags.map_or(vec![], |flags| self.option(2, &self.word(flags)));
        let interface = self.word(interface);
        self.block(
            6,
            &[&interface, &high, &low, &length, &length, &padded, &options],
        );
        self
    }
}

fn blocks() -> Blocks {
    Blocks {
        big_endian: false,
        file: Vec::new(),
    }
}

#[test]
fn sections_have_their_own_order_interfaces_and_units() {
    let mut file = blocks();
    file.section(false)
        .interface(1, &[(2, b"lan0")])
        .packet(0, 1_500_000, &[1; 61], None)
        .section(true)
        // 2^-10 s, an hour on; 10^-9 s.
        .interface(1, &[(9, &[0x8a]), (14, &3600_i64.to_be_bytes())])
        .interface(1, &[(2, b"wan0"), (9, &[9])])
        .packet(0, 1536, &[2; 60], Some(1))
        .packet(1, 7, &[3; 60], Some(2));
    let mut reader = CaptureReader::new(Box::new(io::Cursor::new(file.file))).unwrap();
    let frames: Vec<Captured> =
        std::iter::from_fn(|| reader.next_frame().expect("all can be read")).collect();
    let seen: Vec<_> = frames
        .iter()
        .map(|frame| (frame.time.as_nanos(), frame.interface, frame.heading))
        .collect();
    assert_eq!(
        seen,
        [
            (1_500_000_000, 0, None),
            (3_601_500_000_000, 1, Some(Heading::In)),
            (7, 2, Some(Heading::Out)),
        ]
    );
    let ordinals: Vec<u32> = reader.interfaces().iter().map(|i| i.ordinal).collect();
    assert_eq!(ordinals, [0, 0, 1]);
}

#[test]
fn simple_and_obsolete_packets() {
    let mut file = blocks();
    file.section(true).interface(1, &[]);
    file.block(
        2,
        &[
            &[0, 0, 0, 0],
            &[0; 4],
            &5_u32.to_be_bytes(),
            &60_u32.to_be_bytes(),
            &60_u32.to_be_bytes(),
            &[7; 60],
        ],
    );
    file.block(3, &[&59_u32.to_be_bytes(), &[8; 59]]);
    let (frames, _, error) = read(file.file);
    assert_eq!(error, "");
    let seen: Vec<_> = frames
        .iter()
        .map(|frame| (frame.time.as_nanos(), frame.frame.bytes.clone()))
        .collect();
    assert_eq!(seen, [(5000, vec![7; 60]), (5000, vec![8; 59])]);
}

#[test]
fn what_cannot_be_read_costs_nothing_else() {
    let mut file = blocks();
    file.section(false)
        .interface(147, &[])
        .interface(1, &[])
        .packet(0, 1, &[1; 60], None)
        .packet(1, 2, &[2; 60], None)
        .packet(9, 3, &[3; 60], None)
        .packet(0, 4, &[4; 60], None);
    // Longer than its block.
    let body = [1_u32, 0, 5, 4000, 4000].map(u32::to_le_bytes).concat();
    file.block(6, &[&body]);
    file.packet(1, 6, &[6; 60], None);
    let mut reader = CaptureReader::new(Box::new(io::Cursor::new(file.file))).unwrap();
    let mut numbers = Vec::new();
    while reader.next_frame().unwrap().is_some() {
        numbers.push(reader.records());
    }
    assert_eq!(numbers, [2, 6]);
    let skipped: Vec<_> = reader
        .skipped()
        .iter()
        .map(|skipped| (skipped.first, skipped.count))
        .collect();
    assert_eq!(skipped, [(1, 2), (3, 1), (5, 1)]);
}

#[test]
fn the_any_device_names_interfaces_and_directions() {
    let record = |index: u8, kind: u8, hardware: [u8; 2]| {
        let mut record = vec![8, 0, 0, 0, 0, 0, 0, index];
        record.extend(hardware);
        record.extend([kind, 6, 2, 0, 0, 0, 1, 2, 0, 0]);
        record.extend([0x45; 20]);
        record
    };
    let records = [
        record(3, 0, [0, 1]),
        record(2, 4, [0, 1]),
        record(1, 0, [3, 4]),
        record(3, 0, [0, 1]),
    ];
    let records: Vec<_> = (1..)
        .zip(&records)
        .map(|(n, record)| (n, 0, record.as_slice(), 40))
        .collect();
    let file = pcap(false, 0xa1b2_c3d4, 276, &records);
    let mut reader = CaptureReader::new(Box::new(io::Cursor::new(file))).unwrap();
    let mut seen = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        let interface = &reader.interfaces()[frame.interface as usize];
        seen.push((interface.index, interface.name.clone(), frame.heading));
    }
    let (inward, lo) = (Some(Heading::In), Some("lo".to_owned()));
    assert_eq!(
        seen,
        [
            (Some(3), None, inward),
            (Some(2), None, Some(Heading::Out)),
            (Some(1), lo, inward),
            (Some(3), None, inward),
        ]
    );
}

#[test]
fn gzipped_captures_are_read_as_far_as_they_go() {
    use std::io::Write as _;
    let pack = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    };
    let records: Vec<(u32, u32, Vec<u8>)> = (0..2000_u32)
        .map(|n| (n, 0, n.to_le_bytes().map(|b| b ^ 0x5a).repeat(15)))
        .collect();
    let records: Vec<_> = records
        .iter()
        .map(|(secs, fraction, bytes)| (*secs, *fraction, bytes.as_slice(), 60))
        .collect();
    let whole = pack(&pcap(false, 0xa1b2_c3d4, 1, &records));
    let (frames, _, error) = read(whole.clone());
    assert_eq!((frames.len(), error.as_str()), (2000, ""));
    let (frames, _, error) = read(whole[..whole.len() / 2].to_vec());
    assert!((1..2000).contains(&frames.len()), "{}", frames.len());
    assert!(error.contains("ends inside record"), "{error}");
    check_broken(pack(b"hello world"), 0, "no pcap and no pcapng");
    check_broken(whole[..5].to_vec(), 0, "ends inside its header");
}

#[track_caller]
fn check_order(seconds: &[u32], order: &[u64], moved: u64, late: u64) {
    let records: Vec<_> = seconds
        .iter()
        .map(|tenths| (tenths / 10, tenths % 10 * 100_000, &[0_u8; 60][..], 60))
        .collect();
    let file = pcap(false, 0xa1b2_c3d4, 1, &records);
    let mut ordered = Ordered::new(CaptureReader::new(Box::new(io::Cursor::new(file))).unwrap());
    let mut numbers = Vec::new();
    while let Some(frame) = ordered.next_frame().unwrap() {
        numbers.push(frame.number);
    }
    assert_eq!(numbers, order);
    assert_eq!((ordered.moved(), ordered.late()), (moved, late));
}

#[test]
fn frames_are_ordered_within_a_window() {
    check_order(&[10, 10, 20], &[1, 2, 3], 0, 0);
    check_order(&[10, 15, 12, 11, 20], &[1, 4, 3, 2, 5], 2, 0);
    check_order(&[100, 110, 150, 10, 160], &[1, 2, 4, 3, 5], 0, 1);
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
