//! One end of the sandbox: a process with a network namespace of its own, whose only network card is the TAP that the sandbox holds.
//!
//! It does what it is told over its standard input, which is a socket, and ends when that closes.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use redan_runtime::{Mac, Prefix};

use super::netlink::Netlink;
use super::protocol::{Answer, Order, receive, send};
use super::{sys, tries};

/// The network card's name inside the namespace.
const CARD: &str = "eth0";

/// What the server answers to a request.
pub(super) const PAGE: &[u8] = b"HTTP/1.0 200 OK\r\n\r\nthrough\n";

/// How long a server waits for a client that has connected.
const CLIENT_PATIENCE: Duration = Duration::from_secs(2);

/// Serves orders until the socket closes.
pub(crate) fn serve(user_namespace: bool) -> Result<()> {
    sys::die_with_parent()?;
    let socket: UnixStream = io::stdin().as_fd().try_clone_to_owned()?.into();
    let mut orders = BufReader::new(socket.try_clone()?);
    let mut answers = socket.try_clone()?;
    while let Some(order) = receive(&mut orders)? {
        let answer = obey(&order, user_namespace, &socket)
            .unwrap_or_else(|error| Answer::Failed(format!("{error:#}")));
        send(&mut answers, &answer)?;
    }
    Ok(())
}

fn obey(order: &Order, user_namespace: bool, socket: &UnixStream) -> Result<Answer> {
    match order {
        Order::SetUp {
            mac,
            mtu,
            addresses,
            gateways,
        } => {
            enter_namespace(user_namespace)?;
            let tap = sys::open_tap(CARD).context(
                "cannot make a TAP in the sandbox (is /dev/net/tun there and may it be opened?)",
            )?;
            configure(mac.parse()?, *mtu, addresses, gateways)?;
            // Only a TAP that works is handed over: until then the other side waits for one answer or the other.
            send(&mut &*socket, &Answer::Ready)?;
            sys::send_file(socket, &tap).context("cannot hand the TAP over")?;
        }
        Order::Serve { udp, tcp } => listen(*udp, *tcp)?,
        Order::Greet { to } => tries::greet(*to)?,
        Order::Try(attempt) => return Ok(Answer::Outcome(tries::run(*attempt)?)),
        Order::Watch(segment) => {
            let watch = tries::Watch::start(*segment)?;
            send(&mut &*socket, &Answer::Ready)?;
            return Ok(Answer::Outcome(watch.finish()?));
        }
    }
    Ok(Answer::Ready)
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

fn configure(mac: Mac, mtu: u32, addresses: &[String], gateways: &[IpAddr]) -> Result<()> {
    let mut netlink = Netlink::open()?;
    netlink
        .set_up(sys::interface_index("lo")?, None)
        .context("cannot set lo up")?;
    let card = sys::interface_index(CARD)?;
    netlink
        .set_up(card, Some((mac, mtu)))
        .context("cannot set the sandbox's network card up")?;
    for address in addresses {
        let prefix: Prefix = address.parse()?;
        netlink
            .add_address(card, prefix)
            .with_context(|| format!("cannot add the address {prefix}"))?;
    }
    for gateway in gateways {
        netlink
            .add_default_route(card, *gateway)
            .with_context(|| format!("cannot add the route to {gateway}"))?;
    }
    Ok(())
}

/// Answers in threads of their own, until the process ends.
fn listen(udp: SocketAddr, tcp: SocketAddr) -> Result<()> {
    let questions = UdpSocket::bind(udp).with_context(|| format!("cannot listen on {udp}/udp"))?;
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = questions.recv_from(&mut question) {
            _ = questions.send_to(question.get(..length).unwrap_or(&[]), from);
        }
    });
    let connections =
        TcpListener::bind(tcp).with_context(|| format!("cannot listen on {tcp}/tcp"))?;
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
