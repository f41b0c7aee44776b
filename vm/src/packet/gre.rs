//! GRE (RFC 2784, RFC 2890).

/// Bytes of a GRE header of version 0 without routing.
pub fn header_len(header: &[u8]) -> Option<usize> {
    const CHECKSUM: u8 = 0x80;
    const ROUTING: u8 = 0x40;
    const KEY: u8 = 0x20;
    const SEQUENCE: u8 = 0x10;
    const VERSION: u8 = 0x07;
    let &[flags, version, _, _, ..] = header else {
        return None;
    };
    if flags & ROUTING != 0 || version & VERSION != 0 {
        return None;
    }
    let optional = [CHECKSUM, KEY, SEQUENCE];
    let present = optional.iter().filter(|flag| flags & **flag != 0).count();
    Some(4 + 4 * present)
}
