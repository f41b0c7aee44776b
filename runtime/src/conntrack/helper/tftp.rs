//! TFTP (`nf_conntrack_tftp.c`): the answer to a request comes from another port than the request went to.

use redan_vm::packet::protocol;

use super::hear::{Heard, Helper, Memory, Said};

/// The helper.
pub(super) struct Tftp;

/// Bytes of a UDP header.
const HEADER: usize = 8;
/// RFC 1350 5: requests to read and to write.
const REQUESTS: [[u8; 2]; 2] = [[0, 1], [0, 2]];

impl Helper for Tftp {
    fn name(&self) -> &'static str {
        "tftp"
    }

    fn l4proto(&self) -> u8 {
        protocol::UDP
    }

    fn hear(&self, _: &mut Memory, heard: &Heard<'_>) -> Said {
        let opcode = heard.bytes.get(HEADER..).and_then(<[u8]>::first_chunk::<2>);
        let [_, reply] = heard.tuples;
        match opcode {
            Some(opcode) if REQUESTS.contains(opcode) => Said::Expect(*reply),
            _ => Said::Nothing,
        }
    }
}
