//! redan as the other judge, with the same site as the laboratory.

use std::sync::Arc;

use redan_jit::Jit;
use redan_lang::compile::{self, Options};
use redan_lang::diag::Diagnostic;
use redan_lang::parse::{self, FileLoader};
use redan_lang::source::Sources;
use redan_runtime::{
    Datapath, Frame as RxFrame, Mode, Neighbor, Port, PortId, Route, Settings, Silent, Site,
};

use redan_runtime::frame::{SegmentKind, Segments, TransportSum};
use redan_vm::{Engine, Instant, Interpreter, Ruleset};

use crate::case::answer;
use crate::compare::{Judgement, table_line};
use crate::kernel::{NEIGHBORS, PORTS, ROUTES};
use crate::lab::Lab;
use crate::listing;
use crate::traffic::{Frame, Vnet};

#[derive(Clone, Copy, Debug)]
pub(crate) enum EngineKind {
    Interpreter,
    Jit,
}

impl EngineKind {
    pub(crate) const ALL: [Self; 2] = [Self::Interpreter, Self::Jit];

    fn make(self, ruleset: &Arc<Ruleset>) -> Box<dyn Engine + Send> {
        match self {
            Self::Interpreter => Box::new(Interpreter::new(ruleset)),
            Self::Jit => Box::new(
                Jit::compile(Arc::clone(ruleset))
                    .expect("every verified ruleset compiles to native code"),
            ),
        }
    }
}

/// What redan says of a case.
pub(crate) fn judge(
    rules: &str,
    frames: &[(Instant, Frame)],
    engine: EngineKind,
    lab: Lab,
) -> Judgement {
    let ruleset =
        Arc::new(compile(&format!("{rules}\n{}", lab.probe())).expect("nft accepted these rules"));
    let settings = Settings {
        site: site(lab),
        ..Settings::default()
    };
    let mut datapath = Datapath::new(
        Arc::clone(&ruleset),
        engine.make(&ruleset),
        Box::new(Silent),
        settings,
    )
    .expect("a right site");
    let mut judged = Judgement::default();
    let mut now = Instant::default();
    for (time, frame) in frames {
        now = *time;
        if datapath.poll_timeout().is_some_and(|due| due <= now) {
            datapath.handle_timeout(now, &mut Vec::new());
        }
        let mut out = Vec::new();
        let port = PortId(u16::try_from(frame.port).expect("two ports"));
        datapath.handle_frame(now, port, rx(frame), &mut out);
        let out = out.into_iter().map(|o| (o.port.index(), o.bytes)).collect();
        judged.answers.push(answer(&frame.bytes, out, lab));
    }
    judged.counters = listing::of_redan(&ruleset, &datapath, now);
    if let Some(conntrack) = datapath.conntrack() {
        let mut text = String::new();
        conntrack
            .write_proc(now, &mut text)
            .expect("a string takes text");
        judged.table = text.lines().map(table_line).collect();
    }
    judged
}

/// The printed bytecode, or the errors.
pub(crate) fn bytecode(rules: &str) -> Result<String, String> {
    let ruleset = compile(rules)?;
    let mut text = String::new();
    redan_vm::text::print_ruleset(&ruleset, &mut text).map_err(|e| e.to_string())?;
    Ok(text)
}

/// The compiled ruleset, or the errors.
fn compile(rules: &str) -> Result<Ruleset, String> {
    let mut sources = Sources::new();
    let (root, mut found) = parse::add_bytes(&mut sources, "case", rules.as_bytes().to_vec());
    let (file, parsed) = parse::parse(&mut sources, root, &FileLoader::default(), &[]);
    found.extend(parsed);
    let options = Options {
        interfaces: PORTS.iter().map(|p| p.name.to_string()).collect(),
        ..Options::default()
    };
    let (ruleset, errors) = compile::compile(file, &sources, &options);
    found.extend(errors);
    let text = |d: &Diagnostic| {
        format!(
            "{} {}: {}\n",
            d.code.info().code,
            sources.text(d.span()),
            d.message
        )
    };
    ruleset.ok_or_else(|| found.iter().filter(|d| d.is_error()).map(text).collect())
}

/// A frame as a driver hands it over.
fn rx(frame: &Frame) -> RxFrame {
    let mut made = RxFrame::from(frame.bytes.clone());
    if let Some((start, field)) = frame.vnet.partial() {
        made.offload.sum = TransportSum::Partial { start, field };
    }
    made.offload.segments = frame
        .vnet
        .segments()
        .map(|(kind, size, header_bytes, has_cwr)| Segments {
            kind: match kind {
                Vnet::TCP4 => SegmentKind::Tcp4,
                Vnet::TCP6 => SegmentKind::Tcp6,
                _ => SegmentKind::Udp,
            },
            size,
            has_cwr,
            header_bytes,
        });
    made
}

fn site(lab: Lab) -> Site {
    if lab == Lab::Bridge {
        let ports = PORTS.iter().enumerate();
        return Site {
            mode: Mode::Wire,
            ports: ports.map(|(i, port)| Port::new(port.name, i)).collect(),
            ..Site::default()
        };
    }
    let ports = PORTS.iter().enumerate().map(|(i, port)| {
        let mut made = Port::new(port.name, i);
        made.mac = redan_runtime::Mac(port.mac);
        made.addresses = port
            .addresses
            .iter()
            .map(|a| a.parse().expect("an address"))
            .collect();
        made
    });
    Site {
        mode: Mode::Router,
        ports: ports.collect(),
        routes: ROUTES.iter().map(|(to, via)| route(to, via)).collect(),
        neighbors: NEIGHBORS
            .iter()
            .map(|(address, mac, _)| Neighbor {
                address: address.parse().expect("an address"),
                mac: redan_runtime::Mac(*mac),
            })
            .collect(),
        conntrack: [("acct".to_string(), u64::from(lab == Lab::Watched))].into(),
        ..Site::default()
    }
}

fn route(to: &str, via: &str) -> Route {
    let to = match to {
        "default" if via.contains(':') => "::/0",
        "default" => "0.0.0.0/0",
        prefix => prefix,
    };
    Route {
        to: to.parse().expect("a prefix"),
        via: via.parse().expect("an address"),
    }
}
