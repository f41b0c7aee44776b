//! The Linux kernel as referee: a network namespace with two TAPs, nft and conntrack in it, a router or a bridge between them.

#![expect(
    unsafe_code,
    reason = "unshare, TUNSETIFF and pipes of frames have no safe form in std"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use crate::lab::Lab;
use crate::traffic::{Frame, Vnet};

/// A port of the laboratory.
pub(crate) struct Port {
    pub(crate) name: &'static str,
    pub(crate) mac: [u8; 6],
    pub(crate) addresses: [&'static str; 2],
}

/// The laboratory's ports, as a site file would have them.
pub(crate) const PORTS: [Port; 2] = [
    Port {
        name: "lan0",
        mac: [2, 0, 0, 0, 1, 1],
        addresses: ["10.1.0.1/16", "fd01::1/64"],
    },
    Port {
        name: "wan0",
        mac: [2, 0, 0, 0, 2, 1],
        addresses: ["10.2.0.1/16", "fd02::1/64"],
    },
];

/// (destination, gateway) of each route.
pub(crate) const ROUTES: [(&str, &str); 4] = [
    ("192.168.0.0/16", "10.1.0.2"),
    ("fd10::/16", "fd01::2"),
    ("default", "10.2.0.2"),
    ("default", "fd02::2"),
];

/// (address, MAC, port) of each neighbour.
pub(crate) const NEIGHBORS: [(&str, [u8; 6], usize); 4] = [
    ("10.1.0.2", [2, 0, 0, 0, 1, 2], 0),
    ("fd01::2", [2, 0, 0, 0, 1, 2], 0),
    ("10.2.0.2", [2, 0, 0, 0, 2, 2], 1),
    ("fd02::2", [2, 0, 0, 0, 2, 2], 1),
];

/// Hosts that only rewriting makes destinations; the MACs are those that a replay makes up for whom nobody told of.
const REWRITTEN: [(&str, [u8; 6]); 2] = [
    ("198.51.100.99", [2, 0, 198, 51, 100, 99]),
    ("2001:db8::99", [2, 0, 0, 0, 0, 0x99]),
];

/// A namespace of its own on a thread of its own: everything here must be called from the thread that made it.
pub(crate) struct Kernel {
    taps: Vec<File>,
    lab: Lab,
}

impl Kernel {
    /// Why the kernel cannot be asked here, if it cannot.
    pub(crate) fn missing() -> Option<String> {
        // SAFETY: geteuid has no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            return Some("not root".into());
        }
        if !std::path::Path::new("/dev/net/tun").exists() {
            return Some("no /dev/net/tun".into());
        }
        ["nft", "ip"].into_iter().find_map(|tool| {
            let found = Command::new(tool)
                .arg("-V")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            found.is_err().then(|| format!("no {tool}"))
        })
    }

    /// A new namespace with the laboratory's ports; on a router also its addresses, routes and neighbours.
    pub(crate) fn new(lab: Lab) -> Result<Self, String> {
        // SAFETY: takes flags only; the new namespace is this thread's alone.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return Err(format!("unshare: {}", std::io::Error::last_os_error()));
        }
        let taps = PORTS
            .iter()
            .map(|port| tap(port.name))
            .collect::<Result<Vec<_>, _>>()?;
        match lab {
            Lab::Watched | Lab::Router => configure()?,
            Lab::Bridge => configure_bridge()?,
        }
        let kernel = Self { taps, lab };
        kernel.drain();
        Ok(kernel)
    }

    /// Loads a ruleset and the probe behind it.
    pub(crate) fn load(&self, rules: &str) -> Result<(), String> {
        run(
            "nft",
            &["-f", "-"],
            &format!("{rules}\n{}", self.lab.probe()),
        )?;
        if self.lab == Lab::Watched {
            fs::write("/proc/sys/net/netfilter/nf_conntrack_acct", "1")
                .map_err(|e| e.to_string())?;
        }
        self.drain();
        Ok(())
    }

    /// Whether nft accepts a ruleset here, where the ports exist, and what it prints: bytecode or errors.
    pub(crate) fn compile(rules: &str) -> Result<String, String> {
        run("nft", &["--debug=netlink", "-c", "-f", "-"], rules)
    }

    /// Puts a frame on a port's wire and gives what comes out: port and frame.
    pub(crate) fn send(&self, frame: &Frame) -> Vec<(usize, Vec<u8>)> {
        let bytes = [frame.vnet.0.as_slice(), &frame.bytes].concat();
        (&self.taps[frame.port])
            .write_all(&bytes)
            .expect("a TAP takes a frame");
        self.drain()
    }

    /// The connection table.
    pub(crate) fn conntrack() -> String {
        fs::read_to_string("/proc/thread-self/net/nf_conntrack").unwrap_or_default()
    }

    /// The ruleset with its counters, as nft lists it.
    pub(crate) fn list() -> String {
        run("nft", &["list", "ruleset"], "").unwrap_or_default()
    }

    /// What the kernel has put on the wires, its own neighbour and router chatter left out.
    fn drain(&self) -> Vec<(usize, Vec<u8>)> {
        let mut out = Vec::new();
        let mut buffer = vec![0; 65_600];
        for (port, tap) in self.taps.iter().enumerate() {
            while let Ok(n) = { tap }.read(&mut buffer) {
                // What the device does not take is done, so that the header says nothing.
                let frame = &buffer[Vnet::LEN.min(n)..n];
                if self.lab == Lab::Bridge || is_ours(frame) {
                    out.push((port, frame.to_vec()));
                }
            }
        }
        out
    }
}

fn is_ours(frame: &[u8]) -> bool {
    match frame.get(12..14) {
        Some([8, 0]) => true,
        Some([0x86, 0xdd]) => {
            let is_neighbors = frame[20] == 58 && (133..=137).contains(&frame[54]);
            // Multicast listeners' reports stand behind a router alert.
            let is_listeners =
                frame[20] == 0 && frame[54] == 58 && matches!(frame.get(62), Some(130..=132 | 143));
            !is_neighbors && !is_listeners
        }
        _ => false,
    }
}

fn tap(name: &str) -> Result<File, String> {
    const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
    const IFF_TAP_NO_PI_VNET_HDR: i16 = 0x5002;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")
        .map_err(|e| format!("/dev/net/tun: {e}"))?;
    let mut request = [0_u8; 40];
    request[..name.len()].copy_from_slice(name.as_bytes());
    request[16..18].copy_from_slice(&IFF_TAP_NO_PI_VNET_HDR.to_ne_bytes());
    // SAFETY: the request is a `struct ifreq` of 40 bytes that lives through the call.
    if unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF, request.as_mut_ptr()) } != 0 {
        return Err(format!(
            "TUNSETIFF {name}: {}",
            std::io::Error::last_os_error()
        ));
    }
    Ok(file)
}

fn configure() -> Result<(), String> {
    // ICMP errors are limited per host and over all namespaces, but for types outside the masks.
    for (key, value) in [
        ("ipv4/ip_forward", "1"),
        ("ipv6/conf/all/forwarding", "1"),
        ("ipv4/icmp_ratelimit", "0"),
        ("ipv4/icmp_ratemask", "0"),
        // What the kernel hashes with a secret, rules would see.
        ("ipv6/auto_flowlabels", "0"),
        ("ipv6/icmp/ratelimit", "0"),
        ("ipv6/icmp/ratemask", "255"),
    ] {
        fs::write(format!("/proc/sys/net/{key}"), value).map_err(|e| format!("{key}: {e}"))?;
    }
    for name in ["all", "default"]
        .into_iter()
        .chain(PORTS.iter().map(|p| p.name))
    {
        for (key, value) in [
            (format!("ipv6/conf/{name}/accept_dad"), "0"),
            (format!("ipv6/conf/{name}/autoconf"), "0"),
            (format!("ipv6/conf/{name}/accept_ra"), "0"),
            (format!("ipv6/conf/{name}/router_solicitations"), "0"),
            (format!("ipv6/conf/{name}/addr_gen_mode"), "1"),
            (format!("ipv4/conf/{name}/rp_filter"), "0"),
            (format!("ipv4/conf/{name}/send_redirects"), "0"),
        ] {
            fs::write(format!("/proc/sys/net/{key}"), value).map_err(|e| format!("{key}: {e}"))?;
        }
    }
    let mut batch = String::new();
    for port in &PORTS {
        batch += &format!("link set {} address {} up\n", port.name, text(port.mac));
        for address in port.addresses {
            batch += &format!(
                "addr add {address} dev {}{}\n",
                port.name,
                if address.contains(':') { " nodad" } else { "" }
            );
        }
    }
    for (address, mac, port) in NEIGHBORS {
        batch += &format!(
            "neigh replace {address} lladdr {} nud permanent dev {}\n",
            text(mac),
            PORTS[port].name
        );
    }
    for (address, mac) in REWRITTEN {
        for port in &PORTS {
            let mac = text(mac);
            batch += &format!(
                "neigh replace {address} lladdr {mac} nud permanent dev {}\n",
                port.name
            );
        }
    }
    for (to, via) in ROUTES.into_iter().filter(|(_, via)| !via.contains(':')) {
        batch += &format!("route replace {to} via {via}\n");
    }
    run("ip", &["-batch", "-"], &batch)?;
    for (to, via) in ROUTES.into_iter().filter(|(_, via)| via.contains(':')) {
        run("ip", &["-6", "route", "replace", to, "via", via], "")?;
    }
    Ok(())
}

/// Two ports of a bridge that has nothing to say itself.
fn configure_bridge() -> Result<(), String> {
    let mut batch = "link add br0 type bridge mcast_snooping 0 stp_state 0\n".to_string();
    // Where br_netfilter is there, packets of a bridge pass the hooks of IP, too.
    for name in ["ip", "ip6", "arp"] {
        let key = format!("/proc/sys/net/bridge/bridge-nf-call-{name}tables");
        if std::path::Path::new(&key).exists() {
            fs::write(&key, "0").map_err(|e| format!("{key}: {e}"))?;
        }
    }
    for name in ["all", "default"] {
        let key = format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6");
        fs::write(&key, "1").map_err(|e| format!("{key}: {e}"))?;
    }
    for port in &PORTS {
        batch += &format!(
            "link set {0} address {1} master br0 up\n",
            port.name,
            text(port.mac)
        );
    }
    batch += "link set br0 up\n";
    run("ip", &["-batch", "-"], &batch).map(drop)
}

fn text(mac: [u8; 6]) -> String {
    mac.map(|b| format!("{b:02x}")).join(":")
}

fn run(tool: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{tool}: {e}"))?;
    child
        .stdin
        .take()
        .expect("stdin is piped")
        .write_all(input.as_bytes())
        .map_err(|e| format!("{tool}: {e}"))?;
    let done = child
        .wait_with_output()
        .map_err(|e| format!("{tool}: {e}"))?;
    if !done.status.success() {
        return Err(format!("{tool}: {}", String::from_utf8_lossy(&done.stderr)));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
