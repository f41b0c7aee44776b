//! A set with the state of its elements.

use std::time::Duration;

use super::Stateful;
use crate::engine::Host;
use crate::ops::Step;
use crate::packet::Packet;
use crate::ruleset::{Set, SetData, StateSpec};
use crate::set::SetTable;
use crate::time::Instant;

/// Between two rounds through elements that count connections (`nf_tables.h: nft_set_gc_interval`).
const ROUND: Duration = Duration::from_secs(1);
/// Elements that one packet looks at in a round.
const LOOKED_AT: u32 = 256;

/// A set or map as it runs.
#[derive(Debug)]
pub struct SetState {
    /// Its elements.
    pub table: SetTable,
    /// What it maps to.
    pub data: SetData,
    /// What each element carries, when the statement that adds it does not say.
    exprs: Vec<StateSpec>,
    /// By element number; empty in sets whose elements carry nothing.
    elements: Vec<Vec<Stateful>>,
    collector: Collector,
}

/// Where the round through elements that count connections is.
#[derive(Clone, Copy, Debug, Default)]
struct Collector {
    /// Whether elements come and go, and any has ever counted connections.
    is_wanted: bool,
    /// When the next round begins, or the one under way has begun.
    begin: Instant,
    /// The next element to be looked at.
    hand: u32,
}

impl SetState {
    pub(super) fn new(set: &Set, now: Instant, seed: u64, lists: &mut u64) -> Self {
        let mut state = Self {
            table: SetTable::build(set, now, seed),
            data: set.data,
            exprs: set.exprs.clone(),
            elements: Vec::new(),
            collector: Collector {
                begin: now + ROUND,
                ..Collector::default()
            },
        };
        if !set.exprs.is_empty() {
            for element in 0..set.elements.len() {
                state.start(element, &set.exprs, lists);
            }
        }
        for (element, extra) in &set.elements.extras {
            if !extra.exprs.is_empty() {
                state.start(*element as usize, &extra.exprs, lists);
            }
        }
        state
    }

    fn start(&mut self, element: usize, exprs: &[StateSpec], lists: &mut u64) {
        if self.elements.len() <= element {
            self.elements.resize_with(element + 1, Vec::new);
        }
        if let Some(place) = self.elements.get_mut(element) {
            place.clear();
            place.extend(exprs.iter().map(|spec| Stateful::new(spec, lists)));
            self.collector.is_wanted |=
                self.table.is_dynamic() && place.iter().any(|own| own.list().is_some());
        }
    }

    /// Forgets what an element carried.
    pub fn end_element(&mut self, element: u32, host: &mut dyn Host) {
        if let Some(carried) = self.elements.get_mut(element as usize) {
            let lists = carried.drain(..).filter_map(|own| own.list());
            lists.for_each(|list| host.forget_connections(list));
        }
    }

    /// Removes some elements that count connections and have none left (`nft_set_hash.c: nft_rhash_expr_needs_gc_run`). Linux does so once
    /// a second; here packets that come to the set do it.
    #[inline]
    pub fn collect(&mut self, now: Instant, host: &mut dyn Host) {
        if self.collector.is_wanted && now >= self.collector.begin {
            self.collect_some(now, host);
        }
    }

    #[cold]
    fn collect_some(&mut self, now: Instant, host: &mut dyn Host) {
        for _ in 0..LOOKED_AT {
            let element = self.collector.hand;
            let Some(carried) = self.elements.get(element as usize) else {
                self.collector.hand = 0;
                self.collector.begin = now + ROUND;
                return;
            };
            self.collector.hand += 1;
            let mut lists = carried.iter().filter_map(Stateful::list);
            if lists.any(|list| !host.has_connections(list)) {
                self.table.remove_element(element);
                self.end_element(element, host);
            }
        }
    }

    /// Starts the state of an element that a packet has made: the statement's expressions, else the set's.
    pub fn start_element(
        &mut self,
        element: u32,
        exprs: &[StateSpec],
        lists: &mut u64,
        host: &mut dyn Host,
    ) {
        self.end_element(element, host);
        if !exprs.is_empty() {
            self.start(element as usize, exprs, lists);
        } else if !self.exprs.is_empty() {
            let exprs = std::mem::take(&mut self.exprs);
            self.start(element as usize, &exprs, lists);
            self.exprs = exprs;
        }
    }

    /// What all elements carry.
    pub(super) fn elements_mut(&mut self) -> impl Iterator<Item = &mut Stateful> {
        self.elements.iter_mut().flatten()
    }

    /// What an element carries.
    pub fn element(&self, element: u32) -> &[Stateful] {
        self.elements
            .get(element as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// Runs what an element carries, until one of them breaks.
    #[inline]
    pub fn run_element(
        &mut self,
        element: u32,
        packet: &Packet,
        now: Instant,
        host: &mut dyn Host,
    ) -> Step {
        let Some(exprs) = self.elements.get_mut(element as usize) else {
            return Step::Next;
        };
        for expr in exprs {
            match expr.run(packet, now, host) {
                Step::Next => {}
                step @ (Step::Break | Step::Verdict(_) | Step::Final(_)) => return step,
            }
        }
        Step::Next
    }
}
