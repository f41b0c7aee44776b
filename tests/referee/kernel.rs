//! The Linux kernel as referee: a network namespace with two TAPs, nft and conntrack in it.

#![expect(
    unsafe_code,
    reason = "unshare, TUNSETIFF and pipes of frames have no safe form in std"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

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

/// Writes `ct state` into the DSCP field behind the ruleset, and keeps the kernel's own services quiet.
pub(crate) const PROBE: &str = "table inet zz_probe {
  chain mine { type filter hook input priority 2147483645; policy drop; }
  chain quiet { type filter hook output priority -2147483648; policy accept;
    icmpv6 type { mld-listener-report, mld2-listener-report, nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } drop
    ip protocol igmp drop
  }
  chain seen { type filter hook postrouting priority 400; policy accept;
    ct state new ip dscp set 1; ct state new ip6 dscp set 1
    ct state established ip dscp set 2; ct state established ip6 dscp set 2
    ct state related ip dscp set 3; ct state related ip6 dscp set 3
    ct state invalid ip dscp set 4; ct state invalid ip6 dscp set 4
    ct state untracked ip dscp set 5; ct state untracked ip6 dscp set 5
  }
}
";

/// A namespace of its own on a thread of its own: everything here must be called from the thread that made it.
pub(crate) struct Kernel {
    taps: Vec<File>,
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

    /// A new namespace with the laboratory's ports, addresses, routes and neighbours.
    pub(crate) fn new() -> Result<Self, String> {
        // SAFETY: takes flags only; the new namespace is this thread's alone.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return Err(format!("unshare: {}", std::io::Error::last_os_error()));
        }
        let taps = PORTS
            .iter()
            .map(|port| tap(port.name))
            .collect::<Result<Vec<_>, _>>()?;
        configure()?;
        let kernel = Self { taps };
        kernel.drain();
        Ok(kernel)
    }

    /// Loads a ruleset and the probe behind it.
    pub(crate) fn load(&self, rules: &str) -> Result<(), String> {
        run("nft", &["-f", "-"], &format!("{rules}\n{PROBE}"))?;
        fs::write("/proc/sys/net/netfilter/nf_conntrack_acct", "1").map_err(|e| e.to_string())?;
        self.drain();
        Ok(())
    }

    /// Whether nft accepts a ruleset here, where the ports exist, and what it prints: bytecode or errors.
    pub(crate) fn compile(rules: &str) -> Result<String, String> {
        run("nft", &["--debug=netlink", "-c", "-f", "-"], rules)
    }

    /// Puts a frame on a port's wire and gives what comes out: port and frame.
    pub(crate) fn send(&self, port: usize, frame: &[u8]) -> Vec<(usize, Vec<u8>)> {
        (&self.taps[port])
            .write_all(frame)
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
                let frame = &buffer[..n];
                if is_ours(frame) {
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
    const IFF_TAP_NO_PI: i16 = 0x1002;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")
        .map_err(|e| format!("/dev/net/tun: {e}"))?;
    let mut request = [0_u8; 40];
    request[..name.len()].copy_from_slice(name.as_bytes());
    request[16..18].copy_from_slice(&IFF_TAP_NO_PI.to_ne_bytes());
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
