//! TCP (`nf_conntrack_proto_tcp.c`): what a segment does to its connection.

mod segment;
mod side;
mod state;
mod window;

use std::time::Duration;

use redan_vm::ct::{Direction, status};
use redan_vm::packet::tcp::flags;

use self::segment::{Segment, before};
use self::side::{Last, Side, side_flags};
use self::state::{Class, Next, next};
use self::window::{Check, Window};
use super::change;
use super::life::Life;
use super::reason::InvalidReason;
use super::tracker::{Seen, Tracked};
use super::tunables::Tunables;

pub use self::state::TcpState;

/// A TCP connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tcp {
    sides: [Side; 2],
    last: Last,
    state: TcpState,
    retransmissions: u8,
}

impl Default for Tcp {
    fn default() -> Self {
        Self {
            sides: [Side::default(); 2],
            last: Last {
                class: None,
                direction: Direction::Original,
                seq: 0,
                ack: 0,
                end: 0,
                window: 0,
                scale: 0,
                flags: 0,
            },
            state: TcpState::None,
            retransmissions: 0,
        }
    }
}

/// What the rules before the window check make of a segment.
enum Before {
    /// On to the window check, toward this state.
    Check(TcpState),
    /// In the window without a check, to this state.
    In(TcpState),
    /// All is said.
    Done(Tracked),
}

/// A TCP segment.
pub(super) fn track(tcp: &mut Tcp, life: &mut Life, seen: &Seen<'_>) -> Tracked {
    let segment = match Segment::read(seen) {
        Ok(segment) => segment,
        Err(reason) => return Tracked::Invalid(reason),
    };
    if !life.is_confirmed()
        && let Err(reason) = tcp.start(&segment, seen.tunables)
    {
        return Tracked::Invalid(reason);
    }
    let old = tcp.state;
    let new = match tcp.before_window(&segment, life, seen) {
        Before::Done(tracked) => return tracked,
        Before::In(new) => new,
        Before::Check(new) => match tcp.check(&segment, seen) {
            Ok(Window::In) => new,
            Ok(Window::Ignore) => return Tracked::Ignore,
            Err(reason) => {
                tcp.shorten(&segment, life, seen);
                return Tracked::Invalid(reason);
            }
        },
    };
    tcp.advance(&segment, old, new, life, seen)
}

impl Tcp {
    /// The connection's state.
    pub(super) const fn state(&self) -> TcpState {
        self.state
    }

    /// Sender and receiver of a segment that goes this way.
    const fn sides(&mut self, direction: Direction) -> (&mut Side, &mut Side) {
        let [original, reply] = &mut self.sides;
        match direction {
            Direction::Original => (original, reply),
            Direction::Reply => (reply, original),
        }
    }

    /// A connection's first segment (`tcp_new`).
    fn start(&mut self, segment: &Segment<'_>, tunables: &Tunables) -> Result<(), InvalidReason> {
        *self = Self::default();
        let (sender, receiver) = self.sides(Direction::Original);
        match next(Direction::Original, segment.class, TcpState::None) {
            Next::To(TcpState::SynSent) => sender.start(segment),
            Next::To(_) if tunables.tcp_loose => {
                // The middle of a connection: no window is known, so none is enforced.
                sender.end = segment.end;
                sender.maxwin = u32::from(segment.window).max(1);
                sender.maxend = segment.end.wrapping_add(sender.maxwin);
                sender.flags = side_flags::SACK_PERM | side_flags::LIBERAL;
                receiver.flags = side_flags::SACK_PERM | side_flags::LIBERAL;
            }
            Next::To(_) => return Err(InvalidReason::NotLoose),
            Next::Ignore | Next::Invalid => return Err(InvalidReason::NoEntry),
        }
        Ok(())
    }

    /// The state table and the special rules that come before the window check.
    fn before_window(&mut self, segment: &Segment<'_>, life: &Life, seen: &Seen<'_>) -> Before {
        let direction = seen.direction;
        match next(direction, segment.class, self.state) {
            Next::Invalid => Before::Done(Tracked::Invalid(InvalidReason::BadState)),
            Next::Ignore => self.ignore(segment, direction),
            Next::To(TcpState::SynSent) if self.state.is_over() => {
                let has_closed = self
                    .sides
                    .iter()
                    .any(|side| side.has(side_flags::CLOSE_INIT));
                if has_closed || self.last.is(Class::Rst, direction) {
                    return Before::Done(Tracked::Restart);
                }
                self.ignore(segment, direction)
            }
            Next::To(TcpState::TimeWait)
                if self.state == TcpState::LastAck
                    && segment.class == Class::Ack
                    && self.last.is(Class::Syn, direction.opposite())
                    && self.last.flags & side_flags::EXPECT_CHALLENGE != 0 =>
            {
                self.last.flags &= !side_flags::EXPECT_CHALLENGE;
                Before::Done(Tracked::Ignore)
            }
            Next::To(TcpState::SynSent2) => {
                self.last.flags |= side_flags::SIMULTANEOUS;
                Before::Check(TcpState::SynSent2)
            }
            Next::To(TcpState::SynRecv)
                if direction == Direction::Reply
                    && segment.class == Class::Ack
                    && self.last.flags & side_flags::SIMULTANEOUS != 0 =>
            {
                Before::Check(TcpState::Established)
            }
            Next::To(TcpState::Close) if segment.class == Class::Rst => {
                self.reset(segment, life, seen)
            }
            Next::To(new) => Before::Check(new),
        }
    }

    /// A segment that our view of the connection has no place for, though the peers' may.
    fn ignore(&mut self, segment: &Segment<'_>, direction: Direction) -> Before {
        let other = direction.opposite();
        if segment.class == Class::SynAck
            && self.last.is(Class::Syn, other)
            && segment.ack == self.last.end
        {
            // It answers a SYN that we let through: the peers have started over, and so do we.
            self.resync(direction);
            return Before::Check(TcpState::SynRecv);
        }
        self.last.class = Some(segment.class);
        self.last.direction = direction;
        self.last.seq = segment.seq;
        self.last.end = segment.end;
        self.last.window = segment.window;
        if segment.class == Class::Syn && direction == Direction::Original {
            let mut offer = Side::default();
            offer.read_options(segment);
            self.last.scale = offer.scale;
            self.last.flags = offer.flags;
            if self.state == TcpState::LastAck {
                self.last.flags |= side_flags::EXPECT_CHALLENGE;
            }
        }
        if self.state == TcpState::SynSent
            && segment.class == Class::Ack
            && direction == Direction::Reply
        {
            self.last.ack = segment.ack;
        }
        Before::Done(Tracked::Ignore)
    }

    /// Puts both sides back to where the ignored SYN from the other direction left them.
    fn resync(&mut self, direction: Direction) {
        let last = &mut self.last;
        last.flags &= !side_flags::EXPECT_CHALLENGE;
        let last = *last;
        let (sender, receiver) = self.sides(direction);
        receiver.end = last.end;
        receiver.maxend = last.end;
        receiver.maxwin = u32::from(last.window).max(1);
        receiver.scale = last.scale;
        receiver.flags = last.flags;
        *sender = Side {
            flags: sender.flags & side_flags::LIBERAL,
            ..Side::default()
        };
    }

    /// A reset: RFC 5961 3.2 from between the peers.
    fn reset(&mut self, segment: &Segment<'_>, life: &Life, seen: &Seen<'_>) -> Before {
        let direction = seen.direction;
        let state = self.state;
        if state.is_closing() {
            return Before::In(TcpState::Close);
        }
        let last = self.last;
        let (_, receiver) = self.sides(direction);
        let mut new = TcpState::Close;
        if receiver.has(side_flags::MAXACK_SET) && last.class != Some(Class::Syn) {
            let is_established = state == TcpState::Established && life.has(status::ASSURED);
            if segment.seq == 0 && !is_established {
                // Most likely answers a SYN that we let through.
                return Before::Check(TcpState::Close);
            }
            if before(segment.seq, receiver.maxack) && !seen.tunables.tcp_ignore_invalid_rst {
                return Before::Done(Tracked::Invalid(InvalidReason::RstUnder));
            }
            let is_exact = segment.seq == receiver.maxack
                || (last.is(Class::Ack, direction) && segment.seq == last.end);
            if !is_established || is_exact {
                return Before::Check(TcpState::Close);
            }
            // In the window but not at its edge: the receiver may answer with a challenge ACK and go on.
            new = state;
        }
        let answers_ignored = (life.has(status::SEEN_REPLY)
            && last.is(Class::Syn, direction.opposite()))
            || (!life.has(status::ASSURED) && last.class == Some(Class::Ack));
        if answers_ignored && segment.ack == last.end {
            return Before::In(new);
        }
        if state == TcpState::SynSent
            && last.is(Class::Ack, Direction::Reply)
            && segment.seq == last.ack
        {
            // Answers a challenge ACK that we let through.
            return Before::In(new);
        }
        Before::Check(new)
    }

    fn check(&mut self, segment: &Segment<'_>, seen: &Seen<'_>) -> Result<Window, InvalidReason> {
        let Self {
            sides: [original, reply],
            last,
            state,
            retransmissions,
        } = self;
        let (sender, receiver) = match seen.direction {
            Direction::Original => (original, reply),
            Direction::Reply => (reply, original),
        };
        Check {
            sender,
            receiver,
            last,
            retransmissions,
            state: *state,
            direction: seen.direction,
            is_liberal: seen.tunables.tcp_be_liberal,
        }
        .run(segment)
    }

    /// A FIN or reset outside the window may have ended the connection for the peers: the second one from the other side shortens its life
    /// (`nf_tcp_handle_invalid`).
    fn shorten(&mut self, segment: &Segment<'_>, life: &mut Life, seen: &Seen<'_>) {
        /// A life shorter than this is left alone.
        const ENOUGH: Duration = Duration::from_mins(2);
        if !life.has(status::ASSURED) || life.has(status::FIXED_TIMEOUT) {
            return;
        }
        if !matches!(segment.class, Class::Fin | Class::Rst) {
            return;
        }
        let other = seen.direction.opposite();
        if self.last.is(Class::Fin, other) || self.last.is(Class::Rst, other) {
            let remaining = life.remaining(seen.now);
            let timeout = seen.tunables.tcp_timeout_unacknowledged;
            if remaining >= ENOUGH && remaining > timeout {
                life.set_timeout(seen.now, timeout);
            }
        } else {
            self.last.class = Some(segment.class);
            self.last.direction = seen.direction;
        }
    }

    /// The machine ends the connection; gives the state that it had.
    pub(super) const fn close(&mut self) -> TcpState {
        std::mem::replace(&mut self.state, TcpState::Close)
    }

    /// The segment is accepted: the state moves on.
    fn advance(
        &mut self,
        segment: &Segment<'_>,
        old: TcpState,
        new: TcpState,
        life: &mut Life,
        seen: &Seen<'_>,
    ) -> Tracked {
        self.last.class = Some(segment.class);
        self.last.direction = seen.direction;
        self.state = new;
        if new != old {
            life.changes |= change::PROTOINFO;
            if new == TcpState::FinWait {
                let (sender, _) = self.sides(seen.direction);
                sender.flags |= side_flags::CLOSE_INIT;
            }
        }
        let mut timeout = self.timeout(segment, seen.tunables);
        if !life.has(status::SEEN_REPLY) {
            if segment.has(flags::RST) {
                return Tracked::Kill;
            }
            if segment.class == Class::Syn && old == TcpState::SynSent {
                // Or a client that keeps trying would keep the entry alive for ever.
                return Tracked::Ignore;
            }
            if new == TcpState::Established {
                timeout = timeout.min(seen.tunables.tcp_timeout_unacknowledged);
            }
        } else if new == TcpState::Established
            && matches!(old, TcpState::SynRecv | TcpState::Established)
        {
            life.set(status::ASSURED, change::ASSURED);
        }
        Tracked::Refresh(timeout)
    }

    fn timeout(&self, segment: &Segment<'_>, tunables: &Tunables) -> Duration {
        let timeout = self.state.timeout(tunables);
        let max_retrans = tunables.tcp_timeout_max_retrans;
        let unacknowledged = tunables.tcp_timeout_unacknowledged;
        let is_unacked = self.sides.iter().any(|side| side.has(side_flags::UNACKED));
        if u32::from(self.retransmissions) >= tunables.tcp_max_retrans && timeout > max_retrans {
            max_retrans
        } else if segment.class == Class::Rst {
            tunables.tcp_timeout_close
        } else if is_unacked && timeout > unacknowledged {
            unacknowledged
        } else if self.last.window == 0 && timeout > max_retrans {
            max_retrans
        } else {
            timeout
        }
    }
}
