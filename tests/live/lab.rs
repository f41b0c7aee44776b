//! Two hosts and the router between them.

use std::process::{Command, Stdio};

use crate::support::net::Namespace;
use crate::support::{Need, folder, has, project, wait_until};

/// The two hosts and the router between them, with a folder for its output.
pub(crate) struct Lab {
    pub(crate) client: Namespace,
    pub(crate) server: Namespace,
    pub(crate) router: Namespace,
    pub(crate) folder: tempfile::TempDir,
}

impl Lab {
    /// With one of the sample rulesets.
    pub(crate) fn start(rules: &str) -> Self {
        let rules =
            std::fs::read_to_string(project().join("rules").join(rules)).expect("a sample ruleset");
        Self::with(&rules, &site())
    }

    /// With these rules on this site.
    pub(crate) fn with(rules: &str, site: &str) -> Self {
        let folder = folder(&[("r", rules.as_bytes()), ("s.toml", site.as_bytes())]);
        let log = std::fs::File::create(folder.path().join("log")).expect("a log file");
        let router = Namespace::of(
            Command::new("unshare")
                .args([
                    "-n",
                    env!("CARGO_BIN_EXE_redan"),
                    "run",
                    "r",
                    "--site",
                    "s.toml",
                    "--for",
                    "60",
                ])
                .current_dir(folder.path())
                .stderr(log)
                .stdout(Stdio::null()),
        );
        let lab = Self {
            client: Namespace::new(),
            server: Namespace::new(),
            router,
            folder,
        };
        wait_until("the router to run", || lab.log().contains("running on"));
        for (host, port, address, gateway) in [
            (&lab.client, "lan0", "10.1.0.2/16", "10.1.0.1"),
            (&lab.server, "wan0", "10.2.0.2/16", "10.2.0.1"),
        ] {
            lab.router
                .ip(&[&format!("link set {port} netns {}", host.pid())]);
            host.ip(&[
                "link set lo up",
                &format!("link set {port} up"),
                &format!("addr add {address} dev {port}"),
                &format!("route add default via {gateway}"),
            ]);
        }
        lab
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.router.pid().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .expect("kill starts")
                .success()
        );
    }
}

/// The site of all labs.
pub(crate) fn site() -> String {
    std::fs::read_to_string(project().join("rules/home-gateway.toml")).expect("a sample site")
}

/// Whether a lab can be built here.
pub(crate) fn can_run() -> bool {
    has(&[
        Need::Root,
        Need::Namespaces,
        Need::Tun,
        Need::Program("ip"),
        Need::Program("nsenter"),
    ])
}
