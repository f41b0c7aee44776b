//! From a ruleset to attempts: for each rule and each policy a packet that meets it, as played beforehand, and what the rules say of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Result;
use redan_runtime::{Mode, PortId, Prefix, Route, Site, Verdict};
use redan_vm::family::Family;
use redan_vm::ids::{ChainId, RuleId};
use redan_vm::packet::tcp;
use redan_vm::{Instant, Ruleset};

use super::attempt::Attempt;
use super::protocol::{Outcome, Try};
use super::scene::Scene;
use super::stage::{Seen, Stage, Talk};
use crate::craft::{Spec, Transport};
use crate::meet::{Draft, Goal, Kind, Seeker, Stop, Trial, Unmet};

/// Most attempts of a scene. Rules beyond are named as not tried.
const ATTEMPTS: usize = 300;

/// The port of a fetch that is tried where no rule asks for anything.
const WEB: u16 = 80;

/// An attempt and what the rules say of it.
pub(super) struct Planned {
    /// What is tried.
    pub(super) attempt: Attempt,
    /// What should become of it.
    pub(super) forecast: Outcome,
    /// The frames of the forecast.
    pub(super) seen: Vec<Seen>,
}

/// All that is tried in a scene.
pub(super) struct Plan {
    /// The attempts, in order.
    pub(super) attempts: Vec<Planned>,
    /// The scene's site with the routes that they need.
    pub(super) site: Site,
    /// Each host's addresses, beside its own.
    pub(super) addresses: BTreeMap<PortId, BTreeSet<IpAddr>>,
}

/// What has been met so far, and why the rest has not.
#[derive(Default)]
pub(super) struct Progress {
    /// Goals that a played attempt has met.
    pub(super) met: BTreeSet<Goal>,
    /// Why others have not been, as the last scene that had a say has it.
    pub(super) unmet: BTreeMap<Goal, Unmet>,
}

/// All rules and policies, in the order in which they stand.
pub(super) fn goals(ruleset: &Ruleset) -> Vec<Goal> {
    let lives = |chain: ChainId| {
        ruleset.chains.get(chain.index()).is_some_and(|chain| {
            let table = ruleset.tables.get(chain.table.index());
            !chain.deleted && table.is_some_and(|table| !table.dormant)
        })
    };
    let rules = (0..).map(RuleId).zip(&ruleset.rules);
    let rules = rules
        .filter(|(id, rule)| {
            lives(rule.chain)
                && (ruleset.chains.get(rule.chain.index()))
                    .is_some_and(|chain| chain.rules.contains(id))
        })
        .map(|(id, _)| Goal::Rule(id));
    let policies = (0..).map(ChainId).zip(&ruleset.chains);
    let policies = policies
        .filter(|(id, chain)| lives(*id) && chain.base.is_some())
        .map(|(id, _)| Goal::Policy(id));
    rules.chain(policies).collect()
}

/// Plans a scene.
pub(super) fn plan(
    ruleset: &Arc<Ruleset>,
    scene: &Scene,
    now: Instant,
    progress: &mut Progress,
) -> Result<Plan> {
    let mut planner = Planner {
        ruleset,
        scene,
        now,
        routes: BTreeMap::new(),
        attempts: Vec::new(),
    };
    let seeker = Seeker::new(ruleset, &scene.ways);
    for goal in goals(ruleset) {
        if progress.met.contains(&goal) {
            continue;
        }
        if planner.attempts.len() >= ATTEMPTS {
            break;
        }
        match planner.seek(&seeker, goal, progress)? {
            Ok(()) => drop(progress.unmet.remove(&goal)),
            Err(why) => note(progress, goal, why),
        }
    }
    planner.fill(progress)?;
    planner.finish()
}

/// Keeps the more telling reason.
fn note(progress: &mut Progress, goal: Goal, why: Unmet) {
    let weight = |why: &Unmet| match why {
        Unmet::NoWay(_) => 0,
        Unmet::Interface => 1,
        Unmet::NotFound => 2,
        Unmet::Contradiction | Unmet::NoJump | Unmet::Alone => 3,
        Unmet::Loopback
        | Unmet::Arp
        | Unmet::Empty(_)
        | Unmet::Beyond(_)
        | Unmet::Before(_)
        | Unmet::Search(_) => 4,
    };
    let known = progress.unmet.get(&goal).map_or(-1, weight);
    if weight(&why) > known {
        progress.unmet.insert(goal, why);
    }
}

struct Planner<'a> {
    ruleset: &'a Arc<Ruleset>,
    scene: &'a Scene,
    now: Instant,
    /// Addresses that are routed to a port's host beside the site's own networks.
    routes: BTreeMap<IpAddr, PortId>,
    attempts: Vec<Attempt>,
}

impl Planner<'_> {
    /// Looks for an attempt that meets a goal and keeps it.
    fn seek(
        &mut self,
        seeker: &Seeker<'_>,
        goal: Goal,
        progress: &mut Progress,
    ) -> Result<Result<(), Unmet>> {
        let (mut found, mut failed): (Option<Planned>, _) = (None, None);
        let serial = u16::try_from(self.attempts.len()).unwrap_or(0);
        let sought = seeker.seek(goal, serial, |draft| match self.play(draft.clone()) {
            Ok(Some(played)) => {
                let trial = judge(self.ruleset, goal, &played);
                let does_better = |found: &Planned| found.forecast == Outcome::Nothing;
                if trial.met && found.as_ref().is_none_or(does_better) {
                    found = Some(played);
                }
                trial
            }
            Ok(None) => Trial::default(),
            Err(error) => {
                failed = Some(error);
                Trial::default()
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if let (Ok(_), Some(played)) = (&sought, found) {
            progress
                .met
                .extend(played.seen.iter().flat_map(|seen| seen.met.iter().copied()));
            self.keep(played.attempt);
        }
        Ok(sought.map(drop))
    }

    fn keep(&mut self, attempt: Attempt) {
        let routes = self.needed(&attempt.draft).unwrap_or_default();
        self.routes.extend(routes);
        self.attempts.push(attempt);
    }

    /// Tries what no rule has asked for: a fetch on each way and in each family that nothing goes yet.
    fn fill(&mut self, progress: &mut Progress) -> Result<()> {
        for (number, way) in self.scene.ways.iter().enumerate() {
            for is_v4 in [true, false] {
                let is_tried = |attempt: &Attempt| {
                    attempt.draft.way == number && attempt.draft.spec.src.is_ipv4() == is_v4
                };
                let pick = |list: &[IpAddr]| list.iter().find(|a| a.is_ipv4() == is_v4).copied();
                let (Some(src), Some(dst)) = (pick(&way.src), pick(&way.dst)) else {
                    continue;
                };
                if way.back.is_none()
                    || self.attempts.len() >= ATTEMPTS
                    || !speaks(self.ruleset, is_v4)
                    || self.attempts.iter().any(is_tried)
                {
                    continue;
                }
                let transport = Transport::Tcp {
                    sport: 40000 + u16::try_from(self.attempts.len()).unwrap_or(0),
                    dport: WEB,
                    flags: tcp::flags::SYN,
                    seq: 1000,
                    ack: 0,
                };
                let draft = Draft::plain(number, Spec::new(src, dst, transport), Kind::Talk);
                if let Some(played) = self.play(draft)? {
                    progress
                        .met
                        .extend(played.seen.iter().flat_map(|seen| seen.met.iter().copied()));
                    self.keep(played.attempt);
                }
            }
        }
        Ok(())
    }

    /// Plays a draft among hosts that have not heard of anything yet. `None` where the scene has no room for its addresses.
    fn play(&self, draft: Draft) -> Result<Option<Planned>> {
        let Some(more) = self.needed(&draft) else {
            return Ok(None);
        };
        let Some(attempt) = Attempt::new(self.scene, draft, self.attempts.len()) else {
            return Ok(None);
        };
        let mut routes = self.routes.clone();
        routes.extend(more);
        let site = self.site(&routes);
        let mut stage = Stage::new(self.ruleset, self.scene, &site, self.now)?;
        let (forecast, seen) = stage.play(&attempt);
        Ok(Some(Planned {
            attempt,
            forecast,
            seen,
        }))
    }

    /// The routes that a draft's addresses need; `None` where they cannot be had.
    fn needed(&self, draft: &Draft) -> Option<BTreeMap<IpAddr, PortId>> {
        let (from, to) = *self.scene.ends.get(draft.way)?;
        let (src, dst) = (draft.spec.src, draft.spec.dst);
        let mut routes = BTreeMap::new();
        let sides = [(src, Some(from)), (dst, to)];
        for (address, port) in sides {
            let others = |(at, host): (PortId, &super::scene::Host)| {
                Some(at) != port && host.addresses.iter().any(|own| own.address == address)
            };
            let mut hosts = (0..).map(PortId).zip(&self.scene.hosts);
            if hosts.any(others) {
                return None;
            }
            if self.scene.site.mode != Mode::Router || is_unrouted(address) {
                continue;
            }
            let local = self
                .scene
                .site
                .ports
                .iter()
                .flat_map(|port| &port.addresses);
            let is_local = local.clone().any(|own| own.address == address);
            match (is_local, port) {
                (true, None) => {}
                (true, Some(_)) | (false, None) => return None,
                (false, Some(port)) if self.towards(address) == Some(port) => {}
                (false, Some(_)) if self.scene.is_given && address == src => {}
                (false, Some(_)) if self.scene.is_given || self.routes.contains_key(&address) => {
                    return None;
                }
                (false, Some(port)) => drop(routes.insert(address, port)),
            }
        }
        Some(routes)
    }

    /// The port that an address is routed to.
    fn towards(&self, address: IpAddr) -> Option<PortId> {
        if let Some(port) = self.routes.get(&address) {
            return Some(*port);
        }
        let site = &self.scene.site;
        let ports = || (0..).map(PortId).zip(&site.ports);
        let on_link = |of: IpAddr| {
            ports().find(|(_, port)| port.addresses.iter().any(|own| own.contains(of)))
        };
        let direct =
            ports().flat_map(|(id, port)| port.addresses.iter().map(move |own| (*own, id)));
        let routed = site
            .routes
            .iter()
            .filter_map(|route| Some((route.to, on_link(route.via)?.0)));
        direct
            .chain(routed)
            .filter(|(prefix, _)| prefix.contains(address))
            .max_by_key(|(prefix, _)| prefix.bits)
            .map(|(_, port)| port)
    }

    fn site(&self, routes: &BTreeMap<IpAddr, PortId>) -> Site {
        let mut site = self.scene.site.clone();
        for (address, port) in routes {
            let host = self.scene.hosts.get(port.index());
            let via = host.and_then(|host| {
                let same = |own: &&Prefix| own.address.is_ipv4() == address.is_ipv4();
                host.addresses.iter().find(same)
            });
            if let Some(via) = via {
                site.routes.push(Route {
                    to: Prefix {
                        address: *address,
                        bits: if address.is_ipv4() { 32 } else { 128 },
                    },
                    via: via.address,
                });
            }
        }
        site
    }

    /// Plays all attempts one after the other, as they will be tried.
    fn finish(self) -> Result<Plan> {
        let mut plan = Plan {
            attempts: Vec::new(),
            site: self.site(&self.routes),
            addresses: BTreeMap::new(),
        };
        for attempt in &self.attempts {
            let (src, dst) = (attempt.draft.spec.src, attempt.draft.spec.dst);
            // A frame needs no host at its source.
            let is_raw = matches!(attempt.what, Try::Raw { .. });
            let ends = [
                (Some(attempt.from).filter(|_| !is_raw), src),
                (attempt.to, dst),
            ];
            for (port, address) in ends {
                if let Some(port) = port.filter(|_| !is_unrouted(address)) {
                    plan.addresses.entry(port).or_default().insert(address);
                }
            }
        }
        let mut stage = plan.stage(self.ruleset, self.scene, self.now)?;
        for attempt in self.attempts {
            let (forecast, seen) = stage.play(&attempt);
            plan.attempts.push(Planned {
                attempt,
                forecast,
                seen,
            });
        }
        Ok(plan)
    }
}

impl Plan {
    /// A stage with everybody on it.
    pub(super) fn stage<'a>(
        &self,
        ruleset: &Arc<Ruleset>,
        scene: &'a Scene,
        now: Instant,
    ) -> Result<Stage<'a>> {
        let mut stage = Stage::new(ruleset, scene, &self.site, now)?;
        for (port, addresses) in &self.addresses {
            for address in addresses {
                stage.own(*port, *address);
            }
        }
        Ok(stage)
    }
}

/// What a played attempt means for a goal.
fn judge(ruleset: &Ruleset, goal: Goal, played: &Planned) -> Trial {
    let frames = || played.seen.iter();
    let search = frames().find(|seen| seen.stops_search());
    Trial {
        met: frames().any(|seen| seen.met.contains(&goal)),
        is_cut_off: played.forecast == Outcome::Nothing && accepts(ruleset, goal),
        decided: frames().filter_map(decided).collect(),
        search: search.map(|seen| match seen.report.decision {
            Some(decision) => Stop::Rule(decision.rule),
            None => Stop::Policy,
        }),
    }
}

/// Whether a goal is a rule that lets packets pass, so that one that comes to nothing is not all that can be tried.
fn accepts(ruleset: &Ruleset, goal: Goal) -> bool {
    let Goal::Rule(rule) = goal else { return false };
    redan_vm::predicate::read(ruleset, rule).verdict == Some(redan_vm::instr::Verdict::Accept)
}

/// The rule that ended a frame's way, or let it on.
fn decided(seen: &Seen) -> Option<RuleId> {
    let ends = matches!(
        seen.report.verdict,
        Verdict::Drop | Verdict::Reject | Verdict::Accept | Verdict::Local | Verdict::Queue
    );
    let is_search = Talk::of(&seen.bytes) != Talk::Else;
    seen.report
        .decision
        .filter(|_| ends && !is_search)
        .map(|decision| decision.rule)
}

/// Whether no route leads to an address: groups, the link's own, and what is no address.
const fn is_unrouted(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            a.is_multicast() || a.is_broadcast() || a.is_unspecified() || a.is_loopback()
        }
        IpAddr::V6(a) => {
            a.is_multicast() || a.is_unspecified() || a.is_loopback() || a.is_unicast_link_local()
        }
    }
}

/// Whether the ruleset speaks of a family. One without tables lets everything pass.
fn speaks(ruleset: &Ruleset, v4: bool) -> bool {
    let other = if v4 { Family::Ip6 } else { Family::Ip };
    ruleset.tables.is_empty() || ruleset.tables.iter().any(|table| table.family != other)
}
