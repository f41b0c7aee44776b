//! One end of the sandbox: a process with a network namespace of its own, whose only network card is the TAP that the sandbox holds.
//!
//! It does what it is told over its standard input, which is a socket, and ends when that closes.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use redan_runtime::{Mac, Prefix};

use super::netlink::Netlink;
use super::protocol::{Answer, Order, Try, receive, send};
use super::tries::Recorder;
use super::{sys, tries};

/// The network card's name inside the namespace.
const CARD: &str = "eth0";

/// What the server answers to a request.
pub(super) const PAGE: &[u8] = b"HTTP/1.0 200 OK\r\n\r\nthrough\n";

/// How long a server waits for a client that has connected.
const CLIENT_PATIENCE: Duration = Duration::from_secs(2);

/// Settings of a namespace before it has a card: its kernel makes no link-local address and looks for no router, so that what it sends is
/// what it was told to try.
const QUIET: [&str; 2] = [
    "/proc/sys/net/ipv6/conf/default/addr_gen_mode=1",
    "/proc/sys/net/ipv6/conf/default/accept_ra=0",
];

/// Serves orders until the socket closes.
pub(crate) fn serve(user_namespace: bool) -> Result<()> {
    sys::die_with_parent()?;
    let socket: UnixStream = io::stdin().as_fd().try_clone_to_owned()?.into();
    let mut orders = BufReader::new(socket.try_clone()?);
    let mut host = Host {
        answers: Arc::new(Mutex::new(socket.try_clone()?)),
        socket,
        user_namespace,
        card: 0,
        recorder: Recorder::default(),
    };
    while let Some(order) = receive(&mut orders)? {
        let answer = host
            .obey(order)
            .unwrap_or_else(|error| Some(Answer::Failed(format!("{error:#}"))));
        if let Some(answer) = answer {
            say(&host.answers, &answer)?;
        }
    }
    Ok(())
}

/// Answers come from several threads.
fn say(answers: &Mutex<UnixStream>, answer: &Answer) -> io::Result<()> {
    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    send(&mut *answers, answer)
}

struct Host {
    socket: UnixStream,
    answers: Arc<Mutex<UnixStream>>,
    user_namespace: bool,
    card: u32,
    recorder: Recorder,
}

impl Host {
    fn obey(&mut self, order: Order) -> Result<Option<Answer>> {
        match order {
            Order::SetUp {
                mac,
                mtu,
                addresses,
                gateways,
            } => {
                enter_namespace(self.user_namespace)?;
                for (file, value) in QUIET.iter().filter_map(|line| line.split_once('=')) {
                    // A kernel without IPv6 has none of it.
                    _ = std::fs::write(file, value);
                }
                let tap = sys::open_tap(CARD).context(
                    "cannot make a TAP in the sandbox (is /dev/net/tun there and may it be opened?)",
                )?;
                self.card = configure(mac.parse()?, mtu, &addresses, &gateways)?;
                self.recorder =
                    Recorder::start(self.card).context("cannot open a packet socket")?;
                // Only a TAP that works is handed over: until then the other side waits for one answer or the other.
                say(&self.answers, &Answer::Ready)?;
                sys::send_file(&self.socket, &tap).context("cannot hand the TAP over")?;
                return Ok(Some(Answer::Ready));
            }
            Order::Serve { udp, tcp } => {
                for address in udp {
                    answer_questions(address)?;
                }
                for address in tcp {
                    answer_requests(address)?;
                }
            }
            Order::Poke { to } => tries::poke(to)?,
            Order::Try {
                id,
                before,
                what,
                patience_ms,
            } => {
                tries::send_all(&before, self.card)?;
                self.begin(id, what, Duration::from_millis(patience_ms));
                return Ok(None);
            }
            Order::Saw(sign) => return Ok(Some(Answer::Saw(self.recorder.saw(&sign)))),
        }
        Ok(Some(Answer::Ready))
    }

    /// Tries something in a thread of its own.
    fn begin(&self, id: usize, what: Try, patience: Duration) {
        let (answers, card) = (self.answers.clone(), self.card);
        thread::spawn(move || {
            let answer = match tries::run(&what, card, patience) {
                Ok(outcome) => Answer::Outcome { id, outcome },
                Err(error) => Answer::Failed(error.to_string()),
            };
            // The other side is gone: so is this process, soon.
            _ = say(&answers, &answer);
        });
    }
}

fn enter_namespace(user_namespace: bool) -> Result<()> {
    let (user, group) = sys::ids();
    sys::unshare(user_namespace).context(if user_namespace {
        "cannot make a user namespace; run as root, or allow them: sysctl kernel.unprivileged_userns_clone=1 (Debian), \
         kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)"
    } else {
        "cannot make a network namespace; this root lacks CAP_SYS_ADMIN"
    })?;
    if user_namespace {
        let map = |id: u32| format!("0 {id} 1\n");
        std::fs::write("/proc/self/setgroups", "deny")
            .context("cannot write /proc/self/setgroups")?;
        std::fs::write("/proc/self/uid_map", map(user))
            .context("cannot write /proc/self/uid_map")?;
        std::fs::write("/proc/self/gid_map", map(group))
            .context("cannot write /proc/self/gid_map")?;
    }
    Ok(())
}

/// Sets the card up; its number.
fn configure(mac: Mac, mtu: u32, addresses: &[String], gateways: &[IpAddr]) -> Result<u32> {
    let mut netlink = Netlink::open()?;
    netlink
        .set_up(sys::interface_index("lo")?, None)
        .context("cannot set lo up")?;
    let card = sys::interface_index(CARD)?;
    netlink
        .set_up(card, Some((mac, mtu)))
        .context("cannot set the sandbox's network card up")?;
    let mut families = [false; 2];
    for address in addresses {
        let prefix: Prefix = address.parse()?;
        netlink
            .add_address(card, prefix)
            .with_context(|| format!("cannot add the address {prefix}"))?;
        let [v4, v6] = &mut families;
        *(if prefix.address.is_ipv4() { v4 } else { v6 }) = true;
    }
    for gateway in gateways {
        netlink
            .add_default_route(card, *gateway, Some(*gateway))
            .with_context(|| format!("cannot add the route to {gateway}"))?;
    }
    let any = [
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    ];
    for (any, _) in any.into_iter().zip(families).filter(|(_, has)| *has) {
        if gateways.is_empty() {
            netlink
                .add_default_route(card, any, None)
                .context("cannot add a route to the link")?;
        }
    }
    Ok(card)
}

/// Answers UDP questions in a thread of its own, until the process ends.
fn answer_questions(address: SocketAddr) -> Result<()> {
    let questions =
        UdpSocket::bind(address).with_context(|| format!("cannot listen on {address}/udp"))?;
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = questions.recv_from(&mut question) {
            _ = questions.send_to(question.get(..length).unwrap_or(&[]), from);
        }
    });
    Ok(())
}

/// Answers TCP requests likewise.
fn answer_requests(address: SocketAddr) -> Result<()> {
    let connections =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}/tcp"))?;
    thread::spawn(move || {
        for connection in connections.incoming().flatten() {
            thread::spawn(move || answer(connection));
        }
    });
    Ok(())
}

fn answer(mut connection: std::net::TcpStream) -> io::Result<()> {
    connection.set_read_timeout(Some(CLIENT_PATIENCE))?;
    let mut request = [0; 512];
    if connection.read(&mut request)? > 0 {
        connection.write_all(PAGE)?;
    }
    Ok(())
}
