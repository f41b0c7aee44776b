//! Steps in words.

use std::fmt::Write as _;
use std::net::IpAddr;

use redan_runtime::conntrack::InvalidReason;
use redan_runtime::hook::Layer;
use redan_runtime::router::answer::Fault;
use redan_runtime::router::fib::Hop;
use redan_runtime::{CtReport, PortId, Report, Site};
use redan_vm::family::Hook;
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::instr::Reject;
use redan_vm::ruleset::Policy;
use redan_vm::{Final, Ruleset, Step, Verdict};

use crate::output::decision;

pub(super) fn hook(hook: Hook, layer: Option<Layer>) -> String {
    let word = hook.word();
    match layer {
        Some(Layer::Ip4 | Layer::Ip6) => word.to_owned(),
        Some(Layer::Arp) => format!("{word} (arp)"),
        Some(Layer::Bridge) => format!("{word} (bridge)"),
        None => format!("{word} (netdev)"),
    }
}

/// The layer's word in JSON.
pub(super) const fn layer(layer: Option<Layer>) -> &'static str {
    match layer {
        Some(Layer::Ip4) => "ip",
        Some(Layer::Ip6) => "ip6",
        Some(Layer::Arp) => "arp",
        Some(Layer::Bridge) => "bridge",
        None => "netdev",
    }
}

pub(super) fn tracked(ct: &CtReport) -> String {
    let mut text = format!("conntrack: {}", ct.state);
    if let Some(direction) = ct.direction {
        text.push_str(", ");
        text.push_str(redan_runtime::datapath::direction_name(direction));
        text.push_str(" direction");
    }
    if let Some(name) = ct.reason {
        let reason = InvalidReason::ALL
            .iter()
            .find(|reason| reason.name() == name);
        let doc = reason.map_or("", |reason| reason.doc());
        _ = write!(text, ": {name}: {doc}");
    }
    if ct.mark != 0 {
        _ = write!(text, ", mark 0x{:08x}", ct.mark);
    }
    text
}

pub(super) fn chain(ruleset: &Ruleset, id: ChainId) -> String {
    let names = decision::chain(ruleset, id).unwrap_or_default().join(" ");
    let base = (ruleset.chains.get(id.index())).and_then(|chain| chain.base.as_ref());
    base.map_or_else(
        || format!("chain {names}"),
        |base| {
            format!(
                "chain {names}, {} priority {}",
                base.chain_type.word(),
                base.priority
            )
        },
    )
}

pub(super) fn policy(ruleset: &Ruleset, id: ChainId) -> &'static str {
    let base = (ruleset.chains.get(id.index())).and_then(|chain| chain.base.as_ref());
    match base.map_or(Policy::Accept, |base| base.policy) {
        Policy::Accept => "policy accept",
        Policy::Drop => "policy drop",
    }
}

/// How a rule that held ended; `None` where the next one follows.
pub(super) fn ended(ruleset: &Ruleset, step: Step) -> Option<String> {
    let to = |chain: ChainId| {
        let chain = ruleset.chains.get(chain.index());
        chain.map_or("", |chain| chain.name.as_str())
    };
    match step {
        Step::Next | Step::Break => None,
        Step::Verdict(verdict) => Some(match verdict {
            Verdict::Accept => "accept".to_owned(),
            Verdict::Drop => "drop".to_owned(),
            Verdict::Continue => return None,
            Verdict::Return => "return".to_owned(),
            Verdict::Jump(chain) => format!("jump {}", to(chain)),
            Verdict::Goto(chain) => format!("goto {}", to(chain)),
        }),
        Step::Final(verdict) => Some(match verdict {
            Final::Accept => "accept".to_owned(),
            Final::Drop => "drop".to_owned(),
            Final::Reject(_) => "reject".to_owned(),
            Final::Queue { num, .. } => format!("queue {num}"),
            Final::Stolen => "taken away".to_owned(),
        }),
    }
}

/// The line of a rule; with the file where that is not the first of the ruleset.
pub(super) fn place(ruleset: &Ruleset, id: RuleId) -> String {
    let Some(rule) = ruleset.rules.get(id.index()) else {
        return String::new();
    };
    let line = rule.origin.line;
    if rule.origin.file.index() == 0 {
        line.to_string()
    } else {
        format!("{}:{line}", decision::file(ruleset, rule.origin.file))
    }
}

pub(super) fn port(site: &Site, port: PortId) -> &str {
    site.ports
        .get(port.index())
        .map_or("", |port| port.name.as_str())
}

pub(super) fn route(site: &Site, to: IpAddr, hop: Option<Hop>) -> String {
    match hop {
        Some(Hop::Local) => format!("route: {to} is the machine's own"),
        Some(Hop::Broadcast) => format!("route: {to} is everybody on a link of the machine's"),
        Some(Hop::Multicast) => format!("route: {to} is a group"),
        Some(Hop::Port {
            port: by,
            via: None,
        }) => {
            format!("route: {to} by {}, on its link", port(site, by))
        }
        Some(Hop::Port {
            port: by,
            via: Some(via),
        }) => format!("route: {to} by {} via {via}", port(site, by)),
        None => format!("route: there is none to {to}"),
    }
}

pub(super) fn forward(hops: u8, bytes: u32, mtu: u32) -> String {
    let hops = if hops <= 1 {
        format!("hop limit {hops}: used up")
    } else {
        format!("hop limit {hops} becomes {}", hops - 1)
    };
    let more = if bytes > mtu { "more than the" } else { "of" };
    format!("{hops}; {bytes} bytes {more} {mtu} that the link takes")
}

pub(super) const fn answer(fault: Fault) -> &'static str {
    match fault {
        Fault::Rejected(Reject::TcpReset) => "answers with a TCP reset",
        Fault::Rejected(_) => "answers with an ICMP error",
        Fault::TimeExceeded => "answers that the hop limit is used up",
        Fault::NoRoute => "answers that there is no route",
        Fault::NoNeighbour => "answers that the neighbour does not answer",
        Fault::BeyondScope => "answers that the source is not valid beyond its link",
        Fault::TooBig { .. } => "answers that the packet is too big",
        Fault::ReassemblyTime => "answers that reassembly took too long",
    }
}

/// The verdict, and who decided.
pub(super) fn verdict(ruleset: &Ruleset, report: &Report) -> String {
    let by = decision::describe(ruleset, report);
    let doc = report
        .reason
        .filter(|_| report.decision.is_none() && report.policy.is_none())
        .map(|reason| format!(": {}", reason.doc()));
    format!(
        "{} by {by}{}",
        report.verdict.name(),
        doc.unwrap_or_default()
    )
}
