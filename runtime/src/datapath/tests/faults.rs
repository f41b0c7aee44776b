//! An engine that panics at a chosen moment: nothing of the frame is left for the next one.

use std::sync::Mutex;

use super::*;

/// Asks for a copy of each packet, rejects, and panics when it has run so many chains.
struct Failing {
    hooks: Vec<Hook>,
    runs_left: Arc<Mutex<Option<u32>>>,
    reject: Hook,
}

impl Engine for Failing {
    fn run(&mut self, chain: ChainId, packet: &mut Packet, env: &mut Env<'_>) -> Outcome {
        env.host.dup(packet, None, Some(packet.meta.iif.max(1)));
        let left = self.runs_left.lock().unwrap().as_mut().map(|left| {
            *left = left.saturating_sub(1);
            *left
        });
        assert_ne!(left, Some(0), "a fault in the engine");
        let hook = self.hooks[chain.index()];
        let verdict = if hook == self.reject {
            Final::Reject(Reject::TcpReset)
        } else {
            Final::Accept
        };
        Outcome {
            verdict,
            rule: None,
        }
    }
}

/// What the frame after a panic becomes, and what is kept.
fn after(runs: Option<u32>, reject: Hook, frame: &[u8]) -> (bool, String) {
    let mut site = router();
    for address in ["fd02::2", "fd01::2", "10.1.0.2"] {
        site.neighbors.push(Neighbor {
            address: address.parse().unwrap(),
            mac: LAN_HOST,
        });
    }
    let mut datapath = datapath(site, none, true, true);
    let runs_left = Arc::new(Mutex::new(runs));
    datapath.set_engine(Box::new(Failing {
        hooks: HOOKS.to_vec(),
        runs_left: Arc::clone(&runs_left),
        reject,
    }));
    let mut out = Vec::new();
    if runs.is_some() {
        let report = datapath.handle_frame(NOW, PortId(0), frame.to_vec().into(), &mut out);
        if report.reason != Some(Reason::Internal) {
            return (false, String::new());
        }
        assert_eq!(out, []);
        // What is confirmed stays, as the rest of the frame's way has no say in it.
        let conntrack = datapath.conntrack().unwrap();
        assert_eq!(conntrack.entries(NOW).count(), conntrack.count());
        assert!(datapath.world.copies.is_empty() && datapath.world.route.is_none());
        assert_eq!(datapath.depth, 0);
    }
    *runs_left.lock().unwrap() = None;
    let mut report = datapath.handle_frame(NOW, PortId(0), frame.to_vec().into(), &mut out);
    // How often the entry's place has been used is all that may tell the two apart.
    if let Some(ct) = &mut report.ct {
        ct.view.entry_generation = 0;
    }
    let count = datapath.conntrack().unwrap().count();
    (true, format!("{report:?} {out:?} {count}"))
}

#[test]
fn after_a_panic_at_any_moment_the_next_frame_fares_as_the_first() {
    for reject in [Hook::Input, Hook::Forward, Hook::Egress] {
        for frame in [
            syn("10.1.0.2", "8.8.8.8"),
            udp("10.1.0.2", "10.1.0.1", 64),
            echo("fd01::2", "2001::1"),
        ] {
            let (_, fresh) = after(None, reject, &frame);
            let mut faults = 0;
            for runs in 1..100 {
                let (has_panicked, next) = after(Some(runs), reject, &frame);
                if !has_panicked {
                    break;
                }
                faults += 1;
                assert_eq!(next, fresh, "{reject:?} after {runs} chains");
            }
            assert!(faults > 1, "{faults}");
        }
    }
}
