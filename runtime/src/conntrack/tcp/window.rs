//! Whether a segment lies in the window, after Guido van Rooij, "Real stateful TCP packet filtering in IP Filter"
//! (`nf_conntrack_proto_tcp.c: tcp_in_window`).

use redan_vm::ct::Direction;
use redan_vm::packet::tcp::flags;

use super::segment::{Segment, after, before};
use super::side::{Last, Side, side_flags};
use super::state::{Class, TcpState};
use crate::conntrack::reason::InvalidReason;

/// What the window says of a segment that is not INVALID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// In the window.
    In,
    /// Old, or a little too far: passes, but is no sign of life.
    Ignore,
}

/// How far an acknowledgement may lie back: a receiver may hold this much out of order (`MAXACKWINCONST`).
const MAX_ACK_WINDOW: u32 = 66_000;

/// A segment's numbers, adjusted to what the receiver has seen.
struct Numbers {
    seq: u32,
    end: u32,
    ack: u32,
    sack: u32,
}

/// One check of a segment: the sides from the segment's point of view, the memory of earlier segments, the state before this segment.
pub(super) struct Check<'a> {
    /// Who sent it.
    pub(super) sender: &'a mut Side,
    /// Whom it is for.
    pub(super) receiver: &'a mut Side,
    /// What came before it.
    pub(super) last: &'a mut Last,
    /// Retransmissions of the same acknowledgement.
    pub(super) retransmissions: &'a mut u8,
    /// The connection's state.
    pub(super) state: TcpState,
    /// Which way it goes.
    pub(super) direction: Direction,
    /// Whether segments outside the window pass.
    pub(super) is_liberal: bool,
}

impl Check<'_> {
    /// Checks a segment and learns from it.
    ///
    /// # Errors
    /// It lies outside the window.
    pub(super) fn run(&mut self, segment: &Segment<'_>) -> Result<Window, InvalidReason> {
        let sack = if self.receiver.has(side_flags::SACK_PERM) {
            segment.sack(segment.ack)
        } else {
            segment.ack
        };
        if self.learn_start(segment, sack) {
            return Ok(Window::In);
        }
        let mut numbers = Numbers {
            seq: segment.seq,
            end: segment.end,
            ack: segment.ack,
            sack,
        };
        if !segment.has(flags::ACK) || (segment.has(flags::RST) && segment.ack == 0) {
            // Broken stacks set ACK on a reset and leave the number 0.
            (numbers.ack, numbers.sack) = (self.receiver.end, self.receiver.end);
        }
        if segment.has(flags::RST) && segment.seq == 0 && self.state == TcpState::SynSent {
            // A reset that answers a SYN has nothing to number.
            (numbers.seq, numbers.end) = (self.sender.end, self.sender.end);
        }
        let outside = self.outside(&numbers);
        match outside {
            None => self.learn(segment, &numbers),
            Some(_) if self.is_liberal || self.sender.has(side_flags::LIBERAL) => {}
            Some(outside) => return outside,
        }
        Ok(Window::In)
    }

    /// Learns from a side's first segment, or from a SYN that starts over. True when that is all there is to check.
    fn learn_start(&mut self, segment: &Segment<'_>, sack: u32) -> bool {
        if self.sender.maxwin == 0 {
            if segment.has(flags::SYN) {
                self.start_sender(segment);
                return !segment.has(flags::ACK);
            }
            // The middle of a connection: believe the segment.
            self.sender.end = segment.end;
            self.sender.maxwin = scaled(segment.window, self.sender.scale).max(1);
            self.sender.maxend = segment.end.wrapping_add(self.sender.maxwin);
            if self.receiver.maxwin == 0 {
                (self.receiver.end, self.receiver.maxend) = (sack, sack);
            } else if sack == self.receiver.end.wrapping_add(1) {
                // Likely the answer to a keepalive.
                self.receiver.end = sack;
            }
        } else if segment.has(flags::SYN)
            && after(segment.end, self.sender.end)
            && matches!(self.state, TcpState::SynSent | TcpState::SynRecv)
        {
            // RFC 9293 3.4.3: a restarted host only has to use higher numbers.
            self.start_sender(segment);
            return self.direction == Direction::Reply && !segment.has(flags::ACK);
        }
        false
    }

    fn start_sender(&mut self, segment: &Segment<'_>) {
        self.sender.start(segment);
        // RFC 7323 2.2: scaling takes both sides' offer.
        if self.direction == Direction::Reply
            && !(self.sender.has(side_flags::WSCALE) && self.receiver.has(side_flags::WSCALE))
        {
            (self.sender.scale, self.receiver.scale) = (0, 0);
        }
    }

    /// The four bounds; `None` when the numbers lie within all of them.
    fn outside(&mut self, numbers: &Numbers) -> Option<Result<Window, InvalidReason>> {
        let (sender, receiver) = (&mut *self.sender, &*self.receiver);
        let in_receive_window = after(
            numbers.end,
            sender.end.wrapping_sub(receiver.maxwin).wrapping_sub(1),
        );
        let ack_window = sender.maxwin.max(MAX_ACK_WINDOW);
        let is_ack_recent = after(
            numbers.sack,
            receiver.end.wrapping_sub(ack_window).wrapping_sub(1),
        );
        let is_ack_of_sent = before(numbers.sack, receiver.end.wrapping_add(1));
        if !before(numbers.seq, sender.maxend.wrapping_add(1)) {
            let overshoot = numbers.end.wrapping_sub(sender.maxend).wrapping_add(1);
            if receiver.maxwin != 0
                && in_receive_window
                && is_ack_recent
                && is_ack_of_sent
                && overshoot <= receiver.maxwin
            {
                // Some stacks send a little more than they may. If it arrives, its acknowledgement must not look like one of unseen data.
                sender.end = numbers.end;
                sender.flags |= side_flags::UNACKED;
                return Some(Ok(Window::Ignore));
            }
            return Some(Err(InvalidReason::SeqOver));
        }
        if !is_ack_of_sent {
            return Some(Err(InvalidReason::AckOver));
        }
        if !((receiver.maxwin == 0 || in_receive_window) && is_ack_recent) {
            return Some(Ok(Window::Ignore));
        }
        None
    }

    /// Moves both sides' bounds.
    fn learn(&mut self, segment: &Segment<'_>, numbers: &Numbers) {
        let (sender, receiver) = (&mut *self.sender, &mut *self.receiver);
        let window = if segment.has(flags::SYN) {
            u32::from(segment.window)
        } else {
            scaled(segment.window, sender.scale)
        };
        let offered = window.wrapping_add(numbers.sack.wrapping_sub(numbers.ack));
        sender.maxwin = sender.maxwin.max(offered);
        if after(numbers.end, sender.end) {
            sender.end = numbers.end;
            sender.flags |= side_flags::UNACKED;
        }
        if segment.has(flags::ACK)
            && (!sender.has(side_flags::MAXACK_SET) || after(numbers.ack, sender.maxack))
        {
            sender.maxack = numbers.ack;
            sender.flags |= side_flags::MAXACK_SET;
        }
        if receiver.maxwin != 0 && after(numbers.end, sender.maxend) {
            receiver.maxwin = receiver
                .maxwin
                .wrapping_add(numbers.end.wrapping_sub(sender.maxend));
        }
        let right_edge = numbers.sack.wrapping_add(window);
        if after(right_edge, receiver.maxend.wrapping_sub(1)) {
            receiver.maxend = right_edge.wrapping_add(u32::from(window == 0));
        }
        if numbers.ack == receiver.end {
            receiver.flags &= !side_flags::UNACKED;
        }
        if segment.class == Class::Ack {
            self.count_retransmission(segment, numbers);
        }
    }

    fn count_retransmission(&mut self, segment: &Segment<'_>, numbers: &Numbers) {
        let last = &mut *self.last;
        let is_same = last.direction == self.direction
            && last.seq == numbers.seq
            && last.ack == numbers.ack
            && last.end == numbers.end
            && last.window == segment.window;
        if is_same {
            *self.retransmissions = self.retransmissions.saturating_add(1);
        } else {
            last.direction = self.direction;
            last.seq = numbers.seq;
            last.ack = numbers.ack;
            last.end = numbers.end;
            last.window = segment.window;
            *self.retransmissions = 0;
        }
    }
}

/// A window in bytes.
const fn scaled(window: u16, scale: u8) -> u32 {
    // At most 65535 << 14.
    (window as u32) << scale
}
