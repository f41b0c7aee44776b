//! The sandbox's wiring: a child process and its TAP for each port, and the datapath that carries frames between them while something is
//! tried.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use redan_runtime::clock::Clock;
use redan_runtime::{Datapath, Frame, OutFrame, PortId, Prefix, Verdict};
use redan_vm::Packet;
use redan_vm::packet::icmpv6::icmpv6_type;
use redan_vm::packet::{LinkKind, dissect};

use super::attempt::{Attempt, MARK};
use super::plan::{Plan, Planned};
use super::protocol::{Answer, Order, Outcome, Sign, Try, receive, send};
use super::scene::{Host as Role, Scene};
use super::stage::{Seen, Talk, Visits};
use super::sys;

/// Longest frame that a TAP of MTU 1500 gives, with room to spare.
const FRAME_BYTES: usize = 2048;

/// How long a try may take that should come to something.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long one may take that should come to nothing. Nothing here is farther away than a few system calls.
const SHORT: Duration = Duration::from_millis(120);

/// Longest that the hosts' answers are waited for behind their patience.
const GRACE: Duration = Duration::from_secs(5);

/// Without a frame for so long, what a try has set off is over.
const QUIET: Duration = Duration::from_millis(4);

/// Longest wait for that.
const AFTERMATH: Duration = Duration::from_millis(60);

/// Between two looks at what hosts have heard.
const LOOK: Duration = Duration::from_millis(2);

/// Pokes before a host's card is given up: three seconds' worth.
const POKES: u8 = 100;

/// A host process and its network card.
struct Host {
    process: Child,
    orders: UnixStream,
    answers: BufReader<UnixStream>,
    tap: File,
}

/// The hosts and redan between them.
pub(super) struct Link {
    hosts: Vec<Host>,
    /// What carries the frames.
    pub(super) datapath: Datapath,
    /// The same rules in the interpreter, which gets the same frames and tells what they meet.
    shadow: (Datapath, Visits),
    /// The time.
    pub(super) clock: Clock,
    seen: Vec<Seen>,
    /// Outcomes that hosts have told.
    told: BTreeMap<usize, Outcome>,
}

impl Link {
    /// Starts the hosts, has them listen, and waits until their cards work.
    pub(super) fn start(
        scene: &Scene,
        plan: &Plan,
        datapath: Datapath,
        shadow: (Datapath, Visits),
        clock: Clock,
    ) -> Result<Self> {
        let mut link = Self {
            hosts: Vec::new(),
            datapath,
            shadow,
            clock,
            seen: Vec::new(),
            told: BTreeMap::new(),
        };
        for (port, role) in (0..).map(PortId).zip(&scene.hosts) {
            let mtu = scene.site.ports.get(port.index()).map_or(1500, |p| p.mtu);
            let more = plan.addresses.get(&port);
            let mut host = Host::start(role, mtu, more)
                .with_context(|| format!("sandbox: the host at {}", role.name))?;
            let (mut udp, mut tcp) = (BTreeSet::new(), BTreeSet::new());
            for planned in &plan.attempts {
                match (&planned.attempt.what, planned.attempt.service()) {
                    (Try::Udp { .. }, Some(at)) if planned.attempt.to == Some(port) => {
                        udp.insert(at);
                    }
                    (Try::Tcp { .. }, Some(at)) if planned.attempt.to == Some(port) => {
                        tcp.insert(at);
                    }
                    _ => {}
                }
            }
            let list = |set: BTreeSet<SocketAddr>| set.into_iter().collect();
            host.ask(&Order::Serve {
                udp: list(udp),
                tcp: list(tcp),
            })?;
            link.hosts.push(host);
        }
        for (port, role) in (0..).map(PortId).zip(&scene.hosts) {
            link.warm_up(port, role)?;
        }
        Ok(link)
    }

    /// Has a host speak to somebody who is not there until its card sends: the first questions of a fresh namespace may get lost, and a
    /// second one for the same address comes only after a second. Redan does not get to see any of it.
    fn warm_up(&mut self, port: PortId, role: &Role) -> Result<()> {
        for own in &role.addresses {
            let mut found = false;
            for number in 0..POKES {
                let to = nobody(own.address, number);
                self.host(port)?.ask(&Order::Poke { to })?;
                found = self.speaks(port, to)?;
                if found {
                    break;
                }
            }
            if !found {
                bail!("sandbox: nothing comes from the host at {}", role.name);
            }
        }
        Ok(())
    }

    /// Whether a host asks for an address within a moment.
    fn speaks(&mut self, port: PortId, wanted: IpAddr) -> Result<bool> {
        let start = self.clock.now();
        while self.clock.now().since(start) < Duration::from_millis(30) {
            let host = self.host(port)?;
            sys::wait_readable(&[host.tap.as_fd()], LOOK)?;
            while let Some(bytes) = host.frame()? {
                if let Talk::Question { target, .. } = Talk::of(&bytes)
                    && target == wanted
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Has attempts made, one begun when the one before has been seen, and waits for all of them together. What became of each, and
    /// the frames that belong to it.
    pub(super) fn try_out(&mut self, batch: &[Planned]) -> Result<Vec<(Outcome, Vec<Seen>)>> {
        self.seen.clear();
        self.told.clear();
        let mut longest = SHORT;
        for (id, planned) in batch.iter().enumerate() {
            let patience =
                if planned.forecast == Outcome::Nothing || planned.forecast == Outcome::Taken {
                    SHORT
                } else {
                    PATIENCE
                };
            longest = longest.max(patience);
            let from = planned.attempt.from;
            self.host(from)?.ask_later(&Order::Try {
                id,
                before: planned.attempt.before.clone(),
                what: planned.attempt.what.clone(),
                patience_ms: u64::try_from(patience.as_millis()).unwrap_or(0),
            })?;
            self.carry(SHORT, |link| {
                let has_begun = |seen: &Seen| {
                    seen.from == from
                        && !planned.attempt.before.contains(&seen.bytes)
                        && belongs(&planned.attempt, seen)
                };
                link.told.contains_key(&id) || link.seen.iter().any(has_begun)
            })?;
        }
        let all = batch.len();
        self.carry(longest + GRACE, |link| link.told.len() == all)?;
        if self.told.len() < all {
            bail!("the sandbox's hosts have not answered in {longest:?}");
        }
        for (id, planned) in batch.iter().enumerate() {
            if let Try::Raw { .. } = planned.attempt.what {
                let outcome = self.look(&planned.attempt, planned.forecast)?;
                self.told.insert(id, outcome);
            }
        }
        self.settle()?;
        let results = batch.iter().enumerate().map(|(id, planned)| {
            let told = self.told.get(&id).copied().unwrap_or(Outcome::Nothing);
            let seen = self.seen.iter();
            let seen: Vec<Seen> = seen
                .filter(|seen| belongs(&planned.attempt, seen))
                .cloned()
                .collect();
            (judged(&planned.attempt, told, &seen), seen)
        });
        Ok(results.collect())
    }

    /// Asks the hosts what has become of a frame.
    fn look(&mut self, attempt: &Attempt, forecast: Outcome) -> Result<Outcome> {
        let Try::Raw { mark, .. } = &attempt.what else {
            return Ok(Outcome::Nothing);
        };
        let start = self.clock.now();
        let patience = match forecast {
            Outcome::Nothing | Outcome::Taken => QUIET,
            Outcome::Arrived | Outcome::Refused | Outcome::Through => PATIENCE,
        };
        loop {
            // Whoever gets the frame may answer it with an error: that it arrived comes first.
            let ports = (0..self.hosts.len()).filter_map(|at| u16::try_from(at).ok());
            let (own, others): (Vec<PortId>, Vec<PortId>) =
                ports.map(PortId).partition(|port| *port == attempt.from);
            for port in others.into_iter().chain(own) {
                let is_own = port == attempt.from;
                let sign = Sign {
                    mark: mark.clone(),
                    reset: attempt.reset().filter(|_| is_own),
                };
                if self.saw(port, sign)? {
                    return Ok(if is_own {
                        Outcome::Refused
                    } else {
                        Outcome::Arrived
                    });
                }
            }
            if self.clock.now().since(start) > patience {
                return Ok(Outcome::Nothing);
            }
            self.carry(LOOK, |_| false)?;
        }
    }

    fn saw(&mut self, port: PortId, sign: Sign) -> Result<bool> {
        self.host(port)?.ask_later(&Order::Saw(sign))?;
        match self.host(port)?.answer()? {
            Answer::Saw(saw) => Ok(saw),
            Answer::Failed(why) => bail!("{why}"),
            Answer::Ready | Answer::Outcome { .. } => bail!("an answer out of turn"),
        }
    }

    /// Carries frames until there have been none for a moment, so that what follows a try (a FIN, a reset) is not mistaken for the next
    /// one's.
    fn settle(&mut self) -> Result<()> {
        let start = self.clock.now();
        let mut before = usize::MAX;
        while before != self.seen.len() && self.clock.now().since(start) < AFTERMATH {
            before = self.seen.len();
            self.carry(QUIET, |_| false)?;
        }
        Ok(())
    }

    fn host(&mut self, port: PortId) -> Result<&mut Host> {
        self.hosts
            .get_mut(port.index())
            .context("the sandbox has no such host")
    }

    /// Carries frames until something holds, for a while at most.
    fn carry(&mut self, time: Duration, done: impl Fn(&Self) -> bool) -> Result<()> {
        let start = self.clock.now();
        loop {
            let left = time.saturating_sub(self.clock.now().since(start));
            if done(self) || left.is_zero() {
                return Ok(());
            }
            self.turn(left.min(Duration::from_millis(50)))?;
        }
    }

    /// Waits for frames and answers, and takes them.
    fn turn(&mut self, patience: Duration) -> Result<()> {
        let taps = self.hosts.iter().map(|host| host.tap.as_fd());
        let sockets = self.hosts.iter().map(|host| host.orders.as_fd());
        let files: Vec<_> = taps.chain(sockets).collect();
        let readable = sys::wait_readable(&files, patience)?;
        let count = self.hosts.len();
        for (at, _) in readable.iter().enumerate().filter(|(_, ready)| **ready) {
            if at < count {
                self.carry_from(PortId(u16::try_from(at)?))?;
                continue;
            }
            let port = PortId(u16::try_from(at - count)?);
            // One reading may bring several answers.
            loop {
                match self.host(port)?.answer()? {
                    Answer::Outcome { id, outcome } => drop(self.told.insert(id, outcome)),
                    Answer::Failed(why) => bail!("{why}"),
                    Answer::Ready | Answer::Saw(_) => bail!("an answer out of turn"),
                }
                if !self.host(port)?.answers.buffer().contains(&b'\n') {
                    break;
                }
            }
        }
        let mut out = Vec::new();
        let now = self.clock.now();
        self.datapath.handle_timeout(now, &mut out);
        self.shadow.0.handle_timeout(now, &mut Vec::new());
        self.send(out)
    }

    /// Carries what one TAP has.
    fn carry_from(&mut self, from: PortId) -> Result<()> {
        while let Some(bytes) = self.host(from)?.frame()? {
            if is_chatter(&bytes) {
                continue;
            }
            let mut out = Vec::new();
            let now = self.clock.now();
            let frame = Frame::from(bytes.clone());
            let report = self
                .datapath
                .handle_frame(now, from, frame.clone(), &mut out);
            let (shadow, visits) = &mut self.shadow;
            visits.take();
            shadow.handle_frame(now, from, frame, &mut Vec::new());
            let others = out
                .iter()
                .filter(|frame| Talk::of(&frame.bytes) == Talk::Else);
            self.seen.push(Seen {
                from,
                bytes,
                report,
                met: visits.take(),
                out: others.map(|frame| frame.port).collect(),
            });
            self.send(out)?;
        }
        Ok(())
    }

    fn send(&mut self, frames: Vec<OutFrame>) -> Result<()> {
        for frame in frames {
            if let Some(host) = self.hosts.get_mut(frame.port.index()) {
                host.tap
                    .write_all(&frame.bytes)
                    .context("cannot write to the sandbox's TAP")?;
            }
        }
        Ok(())
    }
}

/// What an attempt came to, by what its host says and what redan has seen: that a kernel has given a neighbour up is no refusal, and what
/// redan takes itself is not answered.
fn judged(attempt: &Attempt, told: Outcome, seen: &[Seen]) -> Outcome {
    let taken = seen.iter().any(|seen| {
        seen.from == attempt.from
            && !attempt.before.contains(&seen.bytes)
            && seen.report.verdict == Verdict::Local
            && Talk::of(&seen.bytes) == Talk::Else
    });
    let came_back = seen.iter().any(|seen| seen.out.contains(&attempt.from));
    match told {
        Outcome::Nothing if taken => Outcome::Taken,
        Outcome::Refused if taken && matches!(attempt.what, Try::Raw { .. }) => Outcome::Through,
        Outcome::Refused if !came_back => Outcome::Nothing,
        Outcome::Through
        | Outcome::Arrived
        | Outcome::Taken
        | Outcome::Refused
        | Outcome::Nothing => told,
    }
}

/// Whether a frame belongs to an attempt: its mark, its ends either way, or the search for the link addresses of its ends.
fn belongs(attempt: &Attempt, seen: &Seen) -> bool {
    if attempt.before.contains(&seen.bytes) {
        return true;
    }
    if let Try::Raw { mark, .. } = &attempt.what
        && seen
            .bytes
            .windows(mark.len())
            .any(|part| part == mark.as_slice())
    {
        return true;
    }
    let spec = &attempt.draft.spec;
    match Talk::of(&seen.bytes) {
        Talk::Question { source, target, .. } => {
            return (seen.from == attempt.from && source == spec.src)
                || (Some(seen.from) == attempt.to && (source == spec.dst || target == spec.src));
        }
        Talk::Answer { address, .. } => return address == spec.src || address == spec.dst,
        Talk::Else => {}
    }
    let Ok(layout) = dissect(&seen.bytes, LinkKind::Ethernet) else {
        return false;
    };
    let packet = Packet::new(seen.bytes.clone(), layout);
    let addresses = match (packet.ipv4(), packet.ipv6()) {
        (Some(ip), _) => (IpAddr::V4(ip.src()), IpAddr::V4(ip.dst())),
        (None, Some(ip)) => (IpAddr::V6(ip.src()), IpAddr::V6(ip.dst())),
        (None, None) => return false,
    };
    let ports = (packet.tcp())
        .map(|header| (header.src_port(), header.dst_port()))
        .or_else(|| {
            packet
                .udp()
                .map(|header| (header.src_port(), header.dst_port()))
        });
    let is_between = |one, other| addresses == (one, other) || addresses == (other, one);
    match &attempt.what {
        Try::Tcp { from, to } | Try::Udp { from, to } => {
            let own = (from.port(), to.port());
            is_between(from.ip(), to.ip())
                && ports.is_none_or(|ports| ports == own || ports == (own.1, own.0))
        }
        Try::Ping { from, to, .. } => is_between(*from, *to) && ports.is_none(),
        Try::Raw { .. } => false,
    }
}

/// What a host's kernel says of its own accord: group membership, router solicitations, the check whether its own address is taken.
fn is_chatter(bytes: &[u8]) -> bool {
    if bytes.windows(MARK.len()).any(|part| part == MARK) {
        return false;
    }
    let Ok(layout) = dissect(bytes, LinkKind::Ethernet) else {
        return false;
    };
    let packet = Packet::new(bytes.to_vec(), layout);
    let kind = packet.icmpv6().map(|message| message.icmpv6_type());
    let unspecified = packet.ipv6().is_some_and(|ip| ip.src().is_unspecified());
    match kind {
        Some(icmpv6_type::NEIGHBOUR_SOLICIT) => unspecified,
        // RFC 2710, RFC 3810: multicast listeners; RFC 4861 4.1: router solicitation.
        Some(131 | 132 | 133 | 143) => true,
        _ => layout.l4proto == 2,
    }
}

/// An address beside a host's that nobody has.
const fn nobody(beside: IpAddr, number: u8) -> IpAddr {
    match beside {
        IpAddr::V4(own) => {
            let [a, b, c, _] = own.octets();
            let last = if number >= 250 { 250 } else { 254 - number };
            IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, last))
        }
        IpAddr::V6(own) => {
            let [a, b, c, d, ..] = own.segments();
            let last = 0xff00 + number as u16;
            IpAddr::V6(std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0xffff, last))
        }
    }
}

impl Host {
    /// Starts the process and has it make its network.
    fn start(role: &Role, mtu: u32, more: Option<&BTreeSet<IpAddr>>) -> Result<Self> {
        let (orders, theirs) = UnixStream::pair()?;
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command.arg("sandbox-host");
        if !sys::is_root() {
            command.arg("--user-namespace");
        }
        let process = command
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start this program again")?;
        // From here on the process ends with this value.
        let guard = Guard(Some(process));
        let own = role.addresses.iter().copied();
        let more = more.into_iter().flatten().map(|address| Prefix {
            address: *address,
            bits: if address.is_ipv4() { 32 } else { 128 },
        });
        let known = |prefix: &Prefix| role.addresses.iter().any(|p| p.address == prefix.address);
        let order = Order::SetUp {
            mac: role.mac.to_string(),
            mtu,
            addresses: own
                .chain(more.filter(|prefix| !known(prefix)))
                .map(|prefix| prefix.to_string())
                .collect(),
            gateways: role.gateways.clone(),
        };
        send(&mut &orders, &order)?;
        accepted(read_answer(&orders)?)?;
        let tap = sys::receive_file(&orders).context("the TAP did not come over")?;
        let answers = BufReader::new(orders.try_clone()?);
        let mut host = Self {
            process: guard.keep()?,
            orders,
            answers,
            tap,
        };
        accepted(host.answer()?)?;
        Ok(host)
    }

    /// A frame that its card has sent, if there is one.
    fn frame(&mut self) -> Result<Option<Vec<u8>>> {
        let mut buffer = [0; FRAME_BYTES];
        match self.tap.read(&mut buffer) {
            Ok(length) => Ok(buffer.get(..length).map(<[u8]>::to_vec)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error).context("cannot read from the sandbox's TAP"),
        }
    }

    /// Gives an order and waits until it is done.
    fn ask(&mut self, order: &Order) -> Result<()> {
        self.ask_later(order)?;
        accepted(self.answer()?)
    }

    /// Gives an order whose answer is fetched later.
    fn ask_later(&mut self, order: &Order) -> Result<()> {
        send(&mut self.orders, order).context("the sandbox's host is gone")
    }

    fn answer(&mut self) -> Result<Answer> {
        receive(&mut self.answers)?.context("the sandbox's host is gone")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Ends a process that is not yet a [`Host`].
struct Guard(Option<Child>);

impl Guard {
    fn keep(mut self) -> Result<Child> {
        self.0.take().context("the process has been started")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(process) = &mut self.0 {
            end(process);
        }
    }
}

/// Ends a process and waits until it, its namespace and its TAP are gone.
fn end(process: &mut Child) {
    _ = process.kill();
    _ = process.wait();
}

fn accepted(answer: Answer) -> Result<()> {
    match answer {
        Answer::Ready => Ok(()),
        Answer::Failed(why) => bail!("{why}"),
        Answer::Outcome { .. } | Answer::Saw(_) => bail!("an answer out of turn"),
    }
}

/// Reads the first answer byte by byte: behind it comes a file, which a buffered reader would lose.
fn read_answer(mut from: &UnixStream) -> Result<Answer> {
    let mut line = Vec::new();
    let mut byte = [0];
    while byte != *b"\n" {
        match from.read(&mut byte)? {
            0 => {
                return Err(io::Error::from(ErrorKind::UnexpectedEof))
                    .context("the sandbox's host ended at once");
            }
            _ => line.extend(byte),
        }
    }
    Ok(serde_json::from_slice(&line)?)
}
