//! What a judge says of a case, and where two of them differ. What chance or the probe decides is taken out here, and nowhere else.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::kernel::PORTS;
use crate::lab::Lab;

/// What came out for one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `ct state` of a frame that got through.
    pub(crate) state: Option<&'static str>,
    /// Port and frame, normalised.
    pub(crate) out: Vec<(usize, Vec<u8>)>,
}

/// Everything that one judge said of a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) answers: Vec<Answer>,
    /// Packets and bytes of each rule's counter, in listing order.
    pub(crate) counters: Vec<(u64, u64)>,
    /// Lines of the connection table: (line without timeout and use, seconds left).
    pub(crate) table: Vec<(String, u64)>,
}

/// IPv6's next header for fragments.
const FRAGMENT: u8 = 44;

const STATES: [&str; 6] = ["", "new", "established", "related", "invalid", "untracked"];

/// Where the probe wrote the state: the DSCP field of an IP packet.
pub(crate) fn probed_state(frame: &[u8]) -> Option<&'static str> {
    let ip = frame.get(14..)?;
    let dscp = match ip.first()? >> 4 {
        4 => ip[1] >> 2,
        6 => (ip[0] << 2 & 0x3c) | ip[1] >> 6,
        _ => return None,
    };
    STATES
        .get(usize::from(dscp))
        .copied()
        .filter(|s| !s.is_empty())
}

/// A frame without what chance or the probe decides: DSCP where it was probed, and with it the IPv4 checksum; the IP id and the flow label
/// of an answer, which the machine made itself; the id of IPv6 fragments.
pub(crate) fn normal(frame: &[u8], input: &[u8], lab: Lab) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let is_probed = lab == Lab::Watched;
    match frame.get(14).map(|b| b >> 4) {
        Some(4) if frame.len() >= 34 => {
            if is_probed {
                frame[15] &= 3;
                frame[24..26].fill(0);
            }
            if frame.get(30..34) == input.get(26..30) || is_from_machine(&frame[26..30]) {
                frame[18..20].fill(0);
                frame[24..26].fill(0);
            }
        }
        Some(6) if frame.len() >= 54 => {
            if is_probed {
                frame[14] &= 0xf0;
                frame[15] &= 0x3f;
            }
            if frame.get(38..54) == input.get(22..38) || is_from_machine(&frame[22..38]) {
                frame[15] &= 0xf0;
                frame[16..18].fill(0);
            }
            // A packet that is cut again gets a new id.
            if frame[20] == FRAGMENT && frame.len() >= 62 && frame.get(58..62) != input.get(58..62)
            {
                frame[58..62].fill(0);
            }
        }
        _ => {}
    }
    frame
}

/// Whether an address is one of the machine's own.
fn is_from_machine(address: &[u8]) -> bool {
    let own = PORTS.iter().flat_map(|port| port.addresses);
    own.filter_map(|own| own.split('/').next()?.parse().ok())
        .any(|own: IpAddr| match own {
            IpAddr::V4(own) => own.octets() == address,
            IpAddr::V6(own) => own.octets() == address,
        })
}

/// One line of `/proc/net/nf_conntrack`, without what depends on when it is read.
pub(crate) fn table_line(line: &str) -> (String, u64) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let left = words.get(4).and_then(|w| w.parse().ok()).unwrap_or(0);
    let rest = words
        .iter()
        .enumerate()
        .filter(|(i, w)| *i != 4 && !w.starts_with("use=") && !w.starts_with("delta-time="))
        .map(|(_, w)| *w);
    (rest.collect::<Vec<_>>().join(" "), left)
}

/// The first difference, in words; `None` when both say the same.
pub(crate) fn difference(kernel: &Judgement, redan: &Judgement) -> Option<String> {
    for (n, (k, r)) in kernel.answers.iter().zip(&redan.answers).enumerate() {
        if k != r {
            return Some(format!(
                "frame {}: kernel {}\n          redan  {}",
                n + 1,
                show(k),
                show(r)
            ));
        }
    }
    for (n, (k, r)) in kernel.counters.iter().zip(&redan.counters).enumerate() {
        if k != r {
            return Some(format!("counter {}: kernel {k:?}, redan {r:?}", n + 1));
        }
    }
    if kernel.counters.len() != redan.counters.len() {
        return Some(format!(
            "counters: kernel {}, redan {}",
            kernel.counters.len(),
            redan.counters.len()
        ));
    }
    table_difference(&kernel.table, &redan.table)
}

fn table_difference(kernel: &[(String, u64)], redan: &[(String, u64)]) -> Option<String> {
    let (mut kernel, mut redan) = (kernel.to_vec(), redan.to_vec());
    kernel.sort();
    redan.sort();
    let only = |a: &[(String, u64)], b: &[(String, u64)]| {
        a.iter()
            .find(|(line, _)| !b.iter().any(|(other, _)| other == line))
            .map(|(line, _)| line.clone())
    };
    if let Some(line) = only(&kernel, &redan) {
        return Some(format!("only the kernel's table has {line}"));
    }
    if let Some(line) = only(&redan, &kernel) {
        return Some(format!("only redan's table has {line}"));
    }
    // The kernel's clock went on between the last frame and the listing.
    kernel
        .iter()
        .zip(&redan)
        .find(|((_, k), (_, r))| k.abs_diff(*r) > 2)
        .map(|((line, k), (_, r))| format!("timeout: kernel {k}, redan {r}: {line}"))
}

fn show(answer: &Answer) -> String {
    let mut text = answer.state.unwrap_or("-").to_string();
    for (port, frame) in &answer.out {
        let _ = write!(
            text,
            " {port}:{}",
            frame.iter().map(|b| format!("{b:02x}")).collect::<String>()
        );
    }
    text
}
