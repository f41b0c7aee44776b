//! Packets that meet a rule, or that a chain's policy decides about.
//!
//! What the rule and the jumps to it ask is read back from the bytecode ([`redan_vm::predicate`]), a packet is made of it, and the caller
//! says what becomes of that packet in a datapath. Where another rule decides first, a packet that this rule does not take is tried next,
//! and so on for some tries. Whatever is found has thus been seen to meet its goal; nothing is guessed.

mod draft;
mod limits;
mod paths;
mod unmet;
mod wants;

use std::collections::VecDeque;
use std::net::IpAddr;

use redan_runtime::Mac;
use redan_vm::Ruleset;
use redan_vm::ct::{CtKey, state};
use redan_vm::family::{Family, Hook};
use redan_vm::ids::RuleId;
use redan_vm::instr::Base;
use redan_vm::meta::MetaKey;
use redan_vm::packet::protocol;
use redan_vm::predicate::{Subject, Test};

pub(crate) use paths::{Goal, Map, Path};
pub(crate) use unmet::Unmet;
pub(crate) use wants::{Wants, sees};

use self::draft::{Part, Plan};
use crate::craft::Spec;

/// Packets tried for one goal.
const TRIES: usize = 48;

/// Packets tried after one that met the goal and came to nothing.
const MORE: usize = 12;

/// Elements of a set that are tried for one goal.
const ELEMENTS: usize = 3;

/// A way that a packet may take: where it comes from, and what rules see of that.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The hooks that it passes.
    pub(crate) hooks: Vec<Hook>,
    /// Families of tables whose chains it passes.
    pub(crate) families: Vec<Family>,
    /// The interface that it comes in by, as rules see it.
    pub(crate) iif: Option<String>,
    /// The interface that it leaves by, as rules see it.
    pub(crate) oif: Option<String>,
    /// The sender's usual addresses.
    pub(crate) src: Vec<IpAddr>,
    /// The receiver's.
    pub(crate) dst: Vec<IpAddr>,
    /// The way back.
    pub(crate) back: Option<usize>,
}

/// What a packet is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It opens a conversation that the other end takes up.
    Talk,
    /// It is a UDP datagram to a port where nobody listens, so that an ICMP error comes back.
    Closed,
    /// It belongs to nothing.
    Stray,
}

/// A packet to be sent, as a description and what the description has no word for.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The way that it goes, by number.
    pub(crate) way: usize,
    /// The packet.
    pub(crate) spec: Spec,
    /// What it is a part of.
    pub(crate) kind: Kind,
    /// Its sender shall not ask for a link address first, since rules stop that.
    is_raw: bool,
    /// How many packets like it are to go before it, to use limits up.
    pub(crate) crowd: u16,
    /// A VLAN tag.
    tag: Option<u16>,
    /// The link address that it goes to, when not the next hop's.
    to: Option<Mac>,
    /// Bytes to be overwritten.
    patches: Vec<(Base, u32, Vec<u8>)>,
}

/// What stopped a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A rule.
    Rule(RuleId),
    /// A policy.
    Policy,
}

/// What became of a draft.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trial {
    /// The goal has been met.
    pub(crate) met: bool,
    /// It has, but nothing comes of it: another packet may do better.
    pub(crate) is_cut_off: bool,
    /// The rules that decided about its packets, one after the other.
    pub(crate) decided: Vec<RuleId>,
    /// The search for a link address was stopped, by what stands here.
    pub(crate) search: Option<Stop>,
}

/// Looks for packets.
pub(crate) struct Seeker<'a> {
    ruleset: &'a Ruleset,
    map: Map,
    ways: &'a [Way],
}

impl<'a> Seeker<'a> {
    /// For a ruleset and the ways that there are.
    pub(crate) fn new(ruleset: &'a Ruleset, ways: &'a [Way]) -> Self {
        Self {
            ruleset,
            map: Map::new(ruleset),
            ways,
        }
    }

    /// A packet that meets the goal, as `attempt` has seen, or why there is none. `serial` keeps its ports apart from others'.
    pub(crate) fn seek(
        &self,
        goal: Goal,
        serial: u16,
        mut attempt: impl FnMut(&Draft) -> Trial,
    ) -> Result<Draft, Unmet> {
        let (mut open, mut why) = self.plans(goal);
        let mut left = TRIES;
        let mut met = None;
        while let Some(plan) = open.pop_front() {
            let Some(draft) = plan.draft(self.ways, serial) else {
                let way = self.ways.get(plan.way);
                let is_alone =
                    plan.part != Part::Opening && way.is_some_and(|way| way.back.is_none());
                why = why.or(Some(if is_alone {
                    Unmet::Alone
                } else {
                    Unmet::Contradiction
                }));
                continue;
            };
            let trial = attempt(&draft);
            if trial.met && !trial.is_cut_off {
                return Ok(draft);
            }
            left -= 1;
            if trial.met {
                left = left.min(MORE);
                met = met.or(Some(draft));
            }
            if left == 0 {
                break;
            }
            if trial.met {
                continue;
            }
            let beyond = plan.wants.beyond.first().cloned();
            let decided = if plan.part == Part::Opening {
                trial.decided.first()
            } else {
                trial.decided.last()
            };
            if let (Some(stop), true) = (trial.search, trial.decided.is_empty()) {
                why = Some(Unmet::Search(stop));
                if plan.part == Part::Opening && !plan.is_raw {
                    open.push_front(Plan {
                        is_raw: true,
                        ..plan
                    });
                }
                continue;
            }
            if plan.part == Part::Opening && plan.crowd == 0 {
                let limit = self.limit(goal, decided.copied());
                open.extend(limit.map(|crowd| Plan {
                    crowd,
                    ..plan.clone()
                }));
            }
            match decided.copied() {
                Some(rule) if Goal::Rule(rule) != goal => {
                    why = Some(beyond.map_or(Unmet::Before(rule), Unmet::Beyond));
                    for other in self.without(&plan, rule) {
                        open.push_front(other);
                    }
                }
                _ => why = why.or(Some(beyond.map_or(Unmet::NotFound, Unmet::Beyond))),
            }
        }
        if let Some(draft) = met {
            return Ok(draft);
        }
        Err(self.asks_beyond(goal).or(why).unwrap_or(Unmet::NotFound))
    }

    /// How many packets use up a limit: the goal's own, where it is met above one, or that of the rule that decides before it.
    fn limit(&self, goal: Goal, decided: Option<RuleId>) -> Option<u16> {
        let own = match goal {
            Goal::Rule(rule) => limits::above(self.ruleset, rule),
            Goal::Policy(_) => None,
        };
        own.or_else(|| limits::below(self.ruleset, decided?))
    }

    /// What the goal asks that no packet can be given.
    fn asks_beyond(&self, goal: Goal) -> Option<Unmet> {
        let Goal::Rule(rule) = goal else { return None };
        let predicate = self.map.predicate(rule)?;
        predicate
            .tests
            .iter()
            .find_map(|test| unmet::beyond(&test.subject))
            .map(Unmet::Beyond)
    }

    /// The same packet but for one thing that a rule in its way asks.
    fn without(&self, plan: &Plan, rule: RuleId) -> Vec<Plan> {
        let Some(predicate) = self.map.predicate(rule) else {
            return Vec::new();
        };
        // It was to keep out of it already, and did not.
        if plan.avoided.contains(&rule) {
            return Vec::new();
        }
        let other = |test: &&Test| {
            let mut plan = plan.clone();
            plan.avoided.push(rule);
            plan.wants.forbid(self.ruleset, test).ok()?;
            self.fits(&plan).then_some(plan)
        };
        let mut tests: Vec<&Test> = predicate
            .tests
            .iter()
            .filter(|test| unmet::beyond(&test.subject).is_none())
            .collect();
        // The last comes first: another port is the least change.
        tests.sort_by_key(|test| match test.subject {
            Subject::Payload { base, .. } => 1 + u8::from(base == Base::Transport),
            Subject::Meta(_) | Subject::Ct(..) | Subject::Concat(_) | Subject::Other(..) => 0,
        });
        tests.iter().filter_map(other).collect()
    }

    /// What can be tried at first, and why nothing can where that is so.
    fn plans(&self, goal: Goal) -> (VecDeque<Plan>, Option<Unmet>) {
        let paths = self.map.to(self.ruleset, goal);
        if paths.is_empty() {
            return (VecDeque::new(), Some(Unmet::NoJump));
        }
        let (mut plans, mut why) = (VecDeque::new(), None);
        for path in &paths {
            let elements = self.map.elements(self.ruleset, path, goal);
            for choice in 0..elements.min(ELEMENTS) {
                match self.map.wants(self.ruleset, path, goal, choice) {
                    Ok(wants) => match self.spread(path, &wants) {
                        Ok(found) => plans.extend(found),
                        Err(unmet) => why = why.or(Some(unmet)),
                    },
                    Err(unmet) => why = why.or(Some(unmet)),
                }
            }
        }
        (plans, why)
    }

    /// Every way, family, protocol and part of a conversation that fits.
    fn spread(&self, path: &Path, wants: &Wants) -> Result<Vec<Plan>, Unmet> {
        let base = self.ruleset.chains.get(path.base.index());
        let (Some(chain), Some(hung)) = (base, base.and_then(|chain| chain.base.as_ref())) else {
            return Err(Unmet::NoJump);
        };
        let family = self
            .ruleset
            .tables
            .get(chain.table.index())
            .map_or(Family::Inet, |table| table.family);
        let passes = |way: &&(usize, &Way)| {
            let device = if hung.hook == Hook::Egress {
                &way.1.oif
            } else {
                &way.1.iif
            };
            way.1.hooks.contains(&hung.hook)
                && way.1.families.contains(&family)
                && (hung.devices.is_empty()
                    || device
                        .as_ref()
                        .is_some_and(|name| hung.devices.contains(name)))
        };
        let ways: Vec<(usize, &Way)> = self.ways.iter().enumerate().collect();
        let ways: Vec<_> = ways.iter().filter(passes).collect();
        if ways.is_empty() {
            return Err(Unmet::NoWay(hung.hook));
        }
        if family == Family::Arp {
            return Err(Unmet::Arp);
        }
        let mut plans = Vec::new();
        let named = ways.iter().filter(|(_, way)| self.is_named(way, wants));
        for (number, way) in named {
            for is_v4 in [true, false] {
                if !has_family(way, is_v4) || !sees(family, is_v4) {
                    continue;
                }
                for l4 in protocols(wants, is_v4) {
                    for (kind, part) in parts(wants) {
                        let plan = Plan {
                            wants: wants.clone(),
                            way: *number,
                            is_v4,
                            l4,
                            kind,
                            part,
                            is_raw: false,
                            crowd: 0,
                            avoided: Vec::new(),
                        };
                        if self.fits(&plan) {
                            plans.push(plan);
                        }
                    }
                }
            }
        }
        if plans.is_empty() {
            return Err(self.why_no_way(wants));
        }
        Ok(plans)
    }

    fn why_no_way(&self, wants: &Wants) -> Unmet {
        let asked = |key| wants.asks(&Subject::Meta(key));
        let loopback = Way {
            iif: Some("lo".to_owned()),
            oif: Some("lo".to_owned()),
            hooks: Vec::new(),
            families: Vec::new(),
            src: Vec::new(),
            dst: Vec::new(),
            back: None,
        };
        let names = [
            MetaKey::Iif,
            MetaKey::Iifname,
            MetaKey::Oif,
            MetaKey::Oifname,
        ];
        if names.into_iter().any(asked) {
            let only_lo = self.is_named(&loopback, wants)
                && !self.ways.iter().any(|way| self.is_named(way, wants));
            return if only_lo {
                Unmet::Loopback
            } else {
                Unmet::Interface
            };
        }
        Unmet::Contradiction
    }

    /// Whether a way's interfaces are those that are asked for.
    fn is_named(&self, way: &Way, wants: &Wants) -> bool {
        wants.takes_devices(self.ruleset, way.iif.as_deref(), way.oif.as_deref())
    }

    /// Whether a plan agrees with itself in what is not chosen but given.
    fn fits(&self, plan: &Plan) -> bool {
        let way = self.ways.get(plan.way);
        plan.wants.takes_headers(plan.is_v4, plan.l4)
            && way.is_some_and(|way| self.is_named(way, &plan.wants))
    }
}

fn has_family(way: &Way, is_v4: bool) -> bool {
    let has = |list: &[IpAddr]| list.iter().any(|address| address.is_ipv4() == is_v4);
    has(&way.src) && has(&way.dst)
}

/// The layer 4 protocols to try.
fn protocols(wants: &Wants, is_v4: bool) -> Vec<u8> {
    let icmp = if is_v4 {
        protocol::ICMP
    } else {
        protocol::ICMPV6
    };
    let fits = |value: &u8| wants.takes_headers(is_v4, *value);
    let usual: Vec<u8> = [protocol::TCP, protocol::UDP, icmp]
        .into_iter()
        .filter(fits)
        .collect();
    if !usual.is_empty() {
        return usual;
    }
    // ESP, SCTP, GRE and what else is named alone.
    [50, 132, 47, 51, 2, 112]
        .into_iter()
        .chain(0..=u8::MAX)
        .find(fits)
        .into_iter()
        .collect()
}

/// What the wanted packet may be a part of, and which.
fn parts(wants: &Wants) -> Vec<(Kind, Part)> {
    let connection = |key| Subject::Ct(key, None);
    let is_reply = !wants.takes(&connection(CtKey::Direction), 0);
    if is_reply || wants.asks(&connection(CtKey::Status)) {
        return vec![(Kind::Talk, Part::Answer), (Kind::Talk, Part::Sequel)];
    }
    let takes = |bit: u32| wants.takes(&Subject::Ct(CtKey::State, None), bit.into());
    let mut parts = Vec::new();
    if takes(state::NEW) || takes(state::UNTRACKED) {
        parts.push((Kind::Talk, Part::Opening));
    } else if takes(state::ESTABLISHED) {
        parts.push((Kind::Talk, Part::Answer));
        parts.push((Kind::Talk, Part::Sequel));
    }
    if takes(state::RELATED) && !takes(state::NEW) {
        parts.push((Kind::Closed, Part::Answer));
    }
    if takes(state::INVALID) && !takes(state::NEW) {
        parts.push((Kind::Stray, Part::Opening));
    }
    parts
}
