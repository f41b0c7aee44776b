//! The capture reader: it ends, holds no more than the file gave it reason to, and what it reads can be written and read again.

use std::io::Cursor;

use redan_runtime::driver::capture::{CaptureReader, CaptureWriter, Captured};
use redan_vm::Instant;

/// Longest frame that a record may become, in bytes: the longest record that is believed, and a link header that is made up.
const LONGEST: usize = 1 << 20;

/// Reads the input as a capture.
pub fn run(input: &[u8]) {
    let Ok(mut reader) = CaptureReader::new(Box::new(Cursor::new(input.to_vec()))) else {
        return;
    };
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = reader.next_frame() {
        assert!(frame.frame.bytes.len() <= LONGEST);
        assert!((frame.interface as usize) < reader.interfaces().len());
        frames.push(frame);
        // No record is shorter than its header; what is gzipped may be.
        assert!(frames.len() <= input.len() / 12 + 1 || input.starts_with(&[0x1f, 0x8b]));
    }
    assert!(
        matches!(reader.next_frame(), Ok(None)),
        "something behind the end"
    );
    let names: Vec<String> = (0..reader.interfaces().len())
        .map(|number| format!("p{number}"))
        .collect();
    again(&names, &frames);
}

/// Writes frames and reads them back.
fn again(names: &[String], frames: &[Captured]) {
    let Ok(mut writer) = CaptureWriter::new(Vec::new(), names) else {
        panic!("writing to memory fails");
    };
    for frame in frames {
        let written = writer.write(frame.time, frame.interface, &frame.frame.bytes);
        assert!(written.is_ok(), "{written:?}");
    }
    let Ok(bytes) = writer.finish() else {
        panic!("writing to memory fails");
    };
    let Ok(mut reader) = CaptureReader::new(Box::new(Cursor::new(bytes))) else {
        panic!("what was written has no header");
    };
    for frame in frames {
        let Ok(Some(read)) = reader.next_frame() else {
            panic!("a written frame is not read");
        };
        let parts = |captured: &Captured| -> (Instant, u32, Vec<u8>) {
            let bytes = captured.frame.bytes.clone();
            (captured.time, captured.interface, bytes)
        };
        assert_eq!(parts(&read), parts(frame));
    }
    assert!(matches!(reader.next_frame(), Ok(None)));
}
