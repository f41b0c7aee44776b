//! The sandbox's wiring: two child processes, their TAPs, and the datapath that carries frames between them while something is tried.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use redan_runtime::clock::Clock;
use redan_runtime::{Datapath, Frame, OutFrame, Report, Site};

use redan_vm::Packet;
use redan_vm::packet::{LinkKind, dissect};

use super::attempts::{Attempt, End, SERVICES};
use super::forecast::port_id;
use super::protocol::{Answer, Order, Outcome, Try, receive, send};
use super::{addresses, gateways, sys};

/// Longest frame that a TAP of MTU 1500 gives, with room to spare.
const FRAME_BYTES: usize = 2048;

/// Longest that a try may take, all told: three times what the hosts' own patience adds up to.
const LIMIT: Duration = Duration::from_secs(10);

/// How long frames are still carried after an answer, so that what follows it (a FIN, a reset) is not mistaken for the next try's.
const AFTERMATH: Duration = Duration::from_millis(60);

/// Greetings before a host is given up: three seconds' worth.
const GREETINGS: u32 = 50;

/// A frame that came in while something was tried, and what became of it.
pub(super) struct Seen {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// What became of it.
    pub(super) report: Report,
}

impl Seen {
    /// Whether it is an IP packet between two addresses, either way.
    pub(super) fn is_between(&self, one: IpAddr, other: IpAddr) -> bool {
        let Ok(layout) = dissect(&self.bytes, LinkKind::Ethernet) else {
            return false;
        };
        let packet = Packet::new(self.bytes.clone(), layout);
        let ends = (packet
            .ipv4()
            .map(|ip| (IpAddr::V4(ip.src()), IpAddr::V4(ip.dst()))))
        .or_else(|| {
            packet
                .ipv6()
                .map(|ip| (IpAddr::V6(ip.src()), IpAddr::V6(ip.dst())))
        });
        ends == Some((one, other)) || ends == Some((other, one))
    }
}

/// A host process and its network card.
struct Host {
    process: Child,
    orders: UnixStream,
    answers: BufReader<UnixStream>,
    tap: File,
}

/// Both hosts and the router between them.
pub(super) struct Link {
    hosts: [Host; 2],
    /// The router.
    pub(super) datapath: Datapath,
    /// The router's time.
    pub(super) clock: Clock,
    seen: Vec<Seen>,
}

impl Link {
    /// Starts both hosts and has them listen.
    pub(super) fn start(datapath: Datapath, clock: Clock, site: &Site) -> Result<Self> {
        let [client, server] = End::BOTH
            .map(|end| Host::start(end, site).with_context(|| format!("sandbox: {}", end.name())));
        let mut link = Self {
            hosts: [client?, server?],
            datapath,
            clock,
            seen: Vec::new(),
        };
        for (end, udp, tcp) in SERVICES {
            for own in addresses(site, end) {
                let order = Order::Serve {
                    udp: SocketAddr::new(own.address, udp),
                    tcp: SocketAddr::new(own.address, tcp),
                };
                link.host(end).ask(&order)?;
            }
        }
        Ok(link)
    }

    /// Carries frames until both hosts have found their gateways: a fresh namespace's first neighbour solicitations may get lost, and a
    /// second one comes only after a second. What is carried here goes through whatever datapath stands by, not through the rules.
    pub(super) fn warm_up(&mut self, site: &Site) -> Result<()> {
        for end in End::BOTH {
            for (host, gateway) in addresses(site, end).iter().zip(gateways(site, end)) {
                let (from, gateway) = (host.address, gateway.address);
                let mut found = false;
                for _ in 0..GREETINGS {
                    self.host(end).ask(&Order::Greet { to: gateway })?;
                    self.carry(AFTERMATH)?;
                    found = self
                        .take_seen()
                        .iter()
                        .any(|seen| seen.is_between(from, gateway));
                    if found {
                        break;
                    }
                }
                if !found {
                    bail!(
                        "sandbox: the {} does not find its gateway {gateway}",
                        end.name()
                    );
                }
            }
        }
        Ok(())
    }

    /// Has something tried, carrying frames meanwhile.
    pub(super) fn try_out(&mut self, attempt: &Attempt) -> Result<Outcome> {
        let (by, other) = (attempt.by, attempt.by.other());
        if let Try::Stray(segment) = attempt.what {
            self.host(other).ask(&Order::Watch(segment))?;
            self.host(by).ask_later(&Order::Try(attempt.what))?;
            self.carry_until(by)?;
            return self.carry_until(other);
        }
        self.host(by).ask_later(&Order::Try(attempt.what))?;
        let outcome = self.carry_until(by)?;
        self.carry(AFTERMATH)?;
        Ok(outcome)
    }

    /// What has been seen since the last call.
    pub(super) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    fn host(&mut self, end: End) -> &mut Host {
        let [client, server] = &mut self.hosts;
        match end {
            End::Client => client,
            End::Server => server,
        }
    }

    /// Carries frames until a host answers.
    fn carry_until(&mut self, end: End) -> Result<Outcome> {
        let start = self.clock.now();
        while self.clock.now().since(start) < LIMIT {
            if self.turn(Some(end), Duration::from_millis(100))? {
                return match self.host(end).answer()? {
                    Answer::Outcome(outcome) => Ok(outcome),
                    Answer::Failed(why) => bail!("{}: {why}", end.name()),
                    Answer::Ready => bail!("{}: an answer out of turn", end.name()),
                };
            }
        }
        bail!(
            "the {} has not answered in {} s",
            end.name(),
            LIMIT.as_secs()
        )
    }

    /// Carries frames for a while.
    fn carry(&mut self, time: Duration) -> Result<()> {
        let start = self.clock.now();
        while self.clock.now().since(start) < time {
            self.turn(None, Duration::from_millis(10))?;
        }
        Ok(())
    }

    /// Waits for frames and carries them; whether a host has something to say.
    fn turn(&mut self, listen_to: Option<End>, patience: Duration) -> Result<bool> {
        let [client, server] = &self.hosts;
        let mut files = vec![client.tap.as_fd(), server.tap.as_fd()];
        files.extend(listen_to.map(|end| match end {
            End::Client => client.orders.as_fd(),
            End::Server => server.orders.as_fd(),
        }));
        let readable = sys::wait_readable(&files, patience)?;
        for (end, readable) in End::BOTH.into_iter().zip(&readable) {
            if *readable {
                self.carry_from(end)?;
            }
        }
        let mut out = Vec::new();
        self.datapath.handle_timeout(self.clock.now(), &mut out);
        self.send(out)?;
        Ok(readable.get(2) == Some(&true))
    }

    /// Carries what one TAP has.
    fn carry_from(&mut self, end: End) -> Result<()> {
        let mut buffer = [0; FRAME_BYTES];
        loop {
            let length = match self.host(end).tap.read(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot read from the sandbox's TAP"),
            };
            let bytes = buffer.get(..length).unwrap_or(&[]).to_vec();
            let mut out = Vec::new();
            let now = self.clock.now();
            let report =
                self.datapath
                    .handle_frame(now, port_id(end), Frame::from(bytes.clone()), &mut out);
            self.seen.push(Seen { bytes, report });
            self.send(out)?;
        }
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

impl Host {
    /// Starts the process and has it make its network.
    fn start(end: End, site: &Site) -> Result<Self> {
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
        let port = site
            .ports
            .get(end.index())
            .context("the sandbox has two ports")?;
        let gateways = gateways(site, end).iter();
        let order = Order::SetUp {
            mac: end.mac().to_string(),
            mtu: port.mtu,
            addresses: addresses(site, end)
                .iter()
                .map(ToString::to_string)
                .collect(),
            gateways: gateways.map(|prefix| prefix.address).collect(),
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
        Answer::Outcome(_) => bail!("an answer out of turn"),
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
