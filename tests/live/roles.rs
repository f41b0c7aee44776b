//! What hosts do in their namespaces.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::net::Namespace;
use crate::support::wait_until;

/// Bytes of the bulk transfer.
pub(crate) const BULK: usize = 64 << 20;

/// This program again, inside a namespace, in one of [`role`]'s roles.
pub(crate) fn act(host: &Namespace, role: &str, address: &str) -> Command {
    let own = std::env::current_exe().expect("the test's own file");
    let mut command = host.command(own, &["--exact", "roles::role", "--ignored", "--nocapture"]);
    command
        .env("REDAN_TEST_ROLE", role)
        .env("REDAN_TEST_ADDRESS", address)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// What a role printed behind its mark.
pub(crate) fn said(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    text.lines()
        .find_map(|line| line.split_once("role says "))
        .map(|(_, said)| said.to_owned())
        .unwrap_or_default()
}

#[test]
#[ignore = "a part of the tests below, run inside a namespace"]
fn role() {
    let address = std::env::var("REDAN_TEST_ADDRESS").expect("an address");
    let role = std::env::var("REDAN_TEST_ROLE").expect("a role");
    let result = match role.as_str() {
        "receive" => receive(&address),
        "receive-datagram" => receive_datagram(&address),
        "send-datagram" => send_datagram(&address),
        _ => send(&address),
    };
    println!(
        "\nrole says {}",
        result.unwrap_or_else(|error| error.kind().to_string())
    );
}

fn receive(address: &str) -> std::io::Result<String> {
    let (mut connection, _) = TcpListener::bind(address)?.accept()?;
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes)?;
    Ok(format!(
        "{} {:08x}",
        bytes.len(),
        redan_vm::packet::checksum::crc32c(&bytes)
    ))
}

fn receive_datagram(address: &str) -> std::io::Result<String> {
    let socket = UdpSocket::bind(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut bytes = vec![0; 65536];
    let len = socket.recv(&mut bytes)?;
    Ok(format!("{len} bytes"))
}

/// A datagram of so many bytes: `LENGTH@ADDRESS:PORT`.
fn send_datagram(what: &str) -> std::io::Result<String> {
    let (len, address) = what.split_once('@').expect("a length and an address");
    let bytes = vec![7; len.parse().expect("a length")];
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    Ok(format!("{} bytes", socket.send_to(&bytes, address)?))
}

fn send(address: &str) -> std::io::Result<String> {
    let address = address.parse().expect("an address and port");
    let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    // A linear congruential generator's bytes (Numerical Recipes), so that no two blocks are alike.
    let mut state = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(BULK)
    .collect();
    connection.write_all(&bytes)?;
    Ok(format!(
        "{} {:08x}",
        bytes.len(),
        redan_vm::packet::checksum::crc32c(&bytes)
    ))
}

/// Sends the bulk from one host to the other; what each says of it.
pub(crate) fn transfer(from: &Namespace, to: &Namespace, address: &str) -> (String, String) {
    let mut receiver = act(to, "receive", address)
        .spawn()
        .expect("the receiver starts");
    let port = address.rsplit(':').next().expect("a port");
    wait_until("the receiver to listen", || {
        let sockets = to.run("cat", &["/proc/net/tcp"]);
        let wanted = format!(
            ":{:04X} 00000000:0000 0A",
            port.parse::<u16>().expect("a port")
        );
        String::from_utf8_lossy(&sockets.stdout).contains(&wanted)
    });
    let sent = said(
        &act(from, "send", address)
            .output()
            .expect("the sender starts")
            .stdout,
    );
    if sent.contains(' ') && !sent.starts_with(char::is_numeric) {
        // Nobody came: the receiver would wait for ever.
        _ = receiver.kill();
    }
    let received = said(
        &receiver
            .wait_with_output()
            .expect("the receiver ends")
            .stdout,
    );
    (sent, received)
}
