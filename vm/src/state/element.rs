//! A set with the state of its elements.

use super::Stateful;
use crate::engine::Host;
use crate::ops::Step;
use crate::packet::Packet;
use crate::ruleset::{Set, SetData, StateSpec};
use crate::set::SetTable;
use crate::time::Instant;

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
}

impl SetState {
    pub(super) fn new(set: &Set, now: Instant, seed: u64, lists: &mut u64) -> Self {
        let mut state = Self {
            table: SetTable::build(set, now, seed),
            data: set.data,
            exprs: set.exprs.clone(),
            elements: Vec::new(),
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
        }
    }

    /// Starts the state of an element that a packet has made: the statement's expressions, else the set's.
    pub fn start_element(&mut self, element: u32, exprs: &[StateSpec], lists: &mut u64) {
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
