//! What hosts leave to their cards, and rules write into, has to be right where software checks it: behind the router stands a hop that
//! completes checksums itself, and a host that verifies each.

use crate::lab::{Lab, can_run, site};
use crate::roles::{act, said, transfer};
use crate::support::net::Namespace;
use crate::support::{Need, has, wait_until};

/// Rewrites of every kind, on the way to 10.3.0.2.
const RULES: &str = "table inet t {
  chain pre {
    type filter hook prerouting priority mangle;
    udp dport 5000 udp dport set 5001
    ip daddr 10.9.9.9 ip daddr set 10.3.0.2
  }
  chain through {
    type filter hook forward priority filter;
    tcp flags syn / syn,rst tcp option maxseg size set 1200
    ip dscp set cs1
  }
}
";

/// The lab with one more host behind the server, which passes packets on to it.
struct Verified {
    lab: Lab,
    far: Namespace,
}

impl Verified {
    /// With these rules and this MTU on the client's side.
    fn start(rules: &str, mtu: u32) -> Self {
        let lan = r#"name = "lan0""#;
        let lab = Lab::with(rules, &site().replace(lan, &format!("{lan}\nmtu = {mtu}")));
        lab.client.ip(&[&format!("link set lan0 mtu {mtu}")]);
        let far = Namespace::new();
        lab.server.ip(&[
            &format!("link add m0 type veth peer name f0 netns {}", far.pid()),
            "link set m0 up",
            "addr add 10.3.0.1/24 dev m0",
        ]);
        far.ip(&[
            "link set lo up",
            "link set f0 up",
            "addr add 10.3.0.2/24 dev f0",
            "route add default via 10.3.0.1",
        ]);
        for (host, arguments) in [
            (&lab.server, ["-K", "m0", "tx", "off"]),
            (&far, ["-K", "f0", "rx", "off"]),
        ] {
            assert!(host.run("ethtool", &arguments).status.success());
        }
        // Packets are passed on, and long datagrams may be cut on their way.
        for (host, setting) in [
            (&lab.server, "ip_forward"),
            (&lab.client, "ip_no_pmtu_disc"),
        ] {
            let set = format!("echo 1 > /proc/sys/net/ipv4/{setting}");
            assert!(host.run("sh", &["-c", &set]).status.success());
        }
        Self { lab, far }
    }

    /// Sends a datagram of so many bytes; what the far host, which listens on `port`, says of it.
    fn datagram(&self, len: usize, to: &str, port: u16) -> String {
        let listener = act(&self.far, "receive-datagram", &format!("10.3.0.2:{port}"))
            .spawn()
            .expect("the receiver starts");
        wait_until("the receiver to listen", || {
            let sockets = self.far.run("cat", &["/proc/net/udp"]);
            String::from_utf8_lossy(&sockets.stdout).contains(&format!(":{port:04X} "))
        });
        let sent = act(&self.lab.client, "send-datagram", &format!("{len}@{to}"))
            .output()
            .expect("the sender starts");
        assert_eq!(said(&sent.stdout), format!("{len} bytes"));
        said(
            &listener
                .wait_with_output()
                .expect("the receiver ends")
                .stdout,
        )
    }

    /// Checksums that the far host found wrong, by protocol.
    fn errors(&self) -> Vec<(String, u64)> {
        let text = self.far.run("cat", &["/proc/net/snmp"]).stdout;
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let mut errors = Vec::new();
        for (names, values) in lines.iter().zip(lines.iter().skip(1)) {
            let place = names.split(' ').position(|name| name == "InCsumErrors");
            let value = place.and_then(|place| values.split(' ').nth(place)?.parse().ok());
            if let Some(value) = value {
                let name = names.split(':').next().unwrap_or_default();
                errors.push((name.to_owned(), value));
            }
        }
        assert!(errors.len() >= 3, "{text}");
        errors
    }

    #[track_caller]
    fn check_nothing_was_wrong(&self) {
        let errors = self.errors();
        assert!(
            errors.iter().all(|(_, count)| *count == 0),
            "{errors:?}; log: {}",
            self.lab.log()
        );
    }
}

fn can_verify() -> bool {
    can_run() && has(&[Need::Program("ethtool")])
}

#[test]
fn segments_whose_size_is_clamped_arrive_whole() {
    if !can_verify() {
        return;
    }
    let lab = Verified::start(RULES, 1500);
    let (sent, received) = transfer(&lab.lab.client, &lab.far, "10.3.0.2:8080");
    assert_eq!(sent, received, "log: {}", lab.lab.log());
    assert!(sent.starts_with(char::is_numeric), "{sent}");
    let (sent, received) = transfer(&lab.far, &lab.lab.client, "10.1.0.2:8080");
    assert_eq!(sent, received, "log: {}", lab.lab.log());
    lab.check_nothing_was_wrong();
}

#[test]
fn rewritten_datagrams_arrive() {
    if !can_verify() {
        return;
    }
    let lab = Verified::start(RULES, 1500);
    for (to, port) in [
        ("10.3.0.2:4000", 4000),
        ("10.3.0.2:5000", 5001),
        ("10.9.9.9:4001", 4001),
        ("10.9.9.9:5000", 5001),
    ] {
        assert_eq!(lab.datagram(999, to, port), "999 bytes", "to {to}");
    }
    lab.check_nothing_was_wrong();
}

#[test]
fn datagrams_that_have_to_be_cut_arrive() {
    if !can_verify() {
        return;
    }
    let lab = Verified::start(RULES, 9000);
    for (to, port) in [("10.3.0.2:4000", 4000), ("10.9.9.9:5000", 5001)] {
        assert_eq!(lab.datagram(3000, to, port), "3000 bytes", "to {to}");
    }
    lab.check_nothing_was_wrong();
}
