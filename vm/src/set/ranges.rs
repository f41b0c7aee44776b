//! Concatenations with ranges: boxes in as many dimensions as the key has parts, of which the first that holds the key matches.
//!
//! The boxes are cut along the part that separates them best: its values fall into classes between the boxes' ends, and each class knows the boxes that
//! cover it, cut further along the other parts where they are many. A box that covers many classes (a wide prefix above narrow ones) would
//! be copied into all of them, so it goes to a further tree, cut anew. Boxes that no part separates are found through bit vectors ([`Bits`]).
//! Whatever the index proposes is compared with the key in full.

use super::bits::Bits;
use super::sorted::Sorted;
use super::word::Word;

/// Most boxes that are compared one by one.
const LIST_MAX: usize = 8;
/// Most classes that a box may cover without going to a further tree.
const SPAN_MAX: usize = 8;
/// How often boxes are cut within a class.
const DEPTH_MAX: usize = 6;
/// The whole index may name each box so often on average; beyond it nothing is cut any more.
const COPIES_MAX: usize = 24;
/// Most parts that a key has (16 registers of 4 bytes).
pub(super) const PARTS_MAX: usize = 16;

/// A key's parts as numbers.
pub(super) type Point<K> = [K; PARTS_MAX];

/// The boxes and the index over them.
#[derive(Debug)]
pub(super) struct Ranges<K, const B: usize> {
    /// Offset and length of each part in a key.
    parts: Vec<(usize, usize)>,
    boxes: Boxes<K>,
    root: Child,
    nodes: Vec<Node<K, B>>,
    bits: Vec<Bits<K, B>>,
    /// Children of nodes that need more than one tree.
    many: Vec<Child>,
    /// Boxes of the lists, ascending.
    lists: Vec<u32>,
    /// How many more entries the lists may take.
    budget: usize,
}

/// Lowest and highest value of each part of each box.
#[derive(Debug)]
pub(super) struct Boxes<K> {
    bounds: Vec<[K; 2]>,
    /// Element numbers by box.
    elements: Vec<u32>,
    parts: usize,
}

/// One cut: classes of a part, and what covers each.
#[derive(Debug)]
struct Node<K, const B: usize> {
    part: usize,
    /// The least value of each class.
    classes: Sorted<K, B>,
    children: Vec<Child>,
}

/// Where the boxes of a class are.
#[derive(Clone, Copy, Debug)]
enum Child {
    /// In the lists.
    List { start: u32, len: u32 },
    /// Under a further cut.
    Node(u32),
    /// In bit vectors.
    Bits(u32),
    /// In several trees.
    Many { start: u32, len: u32 },
}

impl<K: Word> Boxes<K> {
    /// A box's range in one part.
    pub(super) fn range(&self, index: u32, part: usize) -> [K; 2] {
        self.bounds
            .get(index as usize * self.parts + part)
            .copied()
            .unwrap_or([K::MAX, K::default()])
    }

    /// How many parts a box has.
    pub(super) const fn parts(&self) -> usize {
        self.parts
    }

    /// Whether the box holds the point.
    #[inline]
    pub(super) fn holds(&self, index: u32, point: &Point<K>) -> bool {
        let start = index as usize * self.parts;
        let bounds = self.bounds.get(start..start + self.parts).unwrap_or(&[]);
        bounds
            .iter()
            .zip(point)
            .all(|([low, high], value)| low <= value && value <= high)
    }

    /// The least value of each class that the boxes' ends cut a part into.
    pub(super) fn class_starts(&self, items: &[u32], part: usize) -> Vec<K> {
        let mut starts: Vec<K> = items
            .iter()
            .flat_map(|item| {
                let [low, high] = self.range(*item, part);
                [Some(low), high.next()]
            })
            .flatten()
            .collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    }

    /// First and last class that a box covers.
    pub(super) fn classes_of(&self, item: u32, part: usize, starts: &[K]) -> (usize, usize) {
        let [low, high] = self.range(item, part);
        let last = |value: K| {
            starts
                .partition_point(|start| *start <= value)
                .saturating_sub(1)
        };
        (last(low), last(high))
    }
}

/// A part to cut along.
struct Cut {
    part: usize,
    /// Boxes that cover few classes.
    narrow: Vec<u32>,
    /// The others.
    wide: Vec<u32>,
    cost: f64,
}

impl<K: Word, const B: usize> Ranges<K, B> {
    /// Takes lower and upper keys back to back, and the numbers of the elements that count, in the order of precedence.
    pub(super) fn new(
        keys: &[u8],
        key_ends: &[u8],
        key_len: usize,
        parts: Vec<(usize, usize)>,
        elements: Vec<u32>,
    ) -> Self {
        let bound = |keys: &[u8], element: u32, (at, len): (usize, usize)| {
            let start = element as usize * key_len + at;
            K::load(keys.get(start..start + len).unwrap_or(&[]))
        };
        let ends = if key_ends.is_empty() { keys } else { key_ends };
        let bounds = elements
            .iter()
            .flat_map(|element| {
                parts
                    .iter()
                    .map(|part| [bound(keys, *element, *part), bound(ends, *element, *part)])
            })
            .collect();
        let count = elements.len();
        let mut ranges = Self {
            boxes: Boxes {
                bounds,
                elements,
                parts: parts.len(),
            },
            parts,
            root: Child::List { start: 0, len: 0 },
            nodes: Vec::new(),
            bits: Vec::new(),
            many: Vec::new(),
            lists: Vec::new(),
            budget: count.saturating_mul(COPIES_MAX).saturating_add(1024),
        };
        let all = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
        ranges.root = ranges.index(all, 0);
        ranges
    }

    /// Makes an index of boxes, given in order of precedence.
    fn index(&mut self, items: Vec<u32>, depth: usize) -> Child {
        let mut trees = Vec::new();
        let mut left = items;
        while !left.is_empty() {
            let cut = if left.len() > LIST_MAX && depth < DEPTH_MAX {
                self.best_cut(&left)
            } else {
                None
            };
            let Some(cut) = cut else {
                trees.push(self.leaf(&left));
                break;
            };
            trees.push(self.node(cut.part, &cut.narrow, depth));
            left = cut.wide;
        }
        if let [tree] = trees.as_slice() {
            return *tree;
        }
        let start = index_of(self.many.len());
        self.many.extend_from_slice(&trees);
        Child::Many {
            start,
            len: index_of(trees.len()),
        }
    }

    /// Boxes that are not cut further.
    fn leaf(&mut self, items: &[u32]) -> Child {
        if items.len() > LIST_MAX * 8 {
            self.bits.push(Bits::new(&self.boxes, items));
            return Child::Bits(index_of(self.bits.len() - 1));
        }
        let start = index_of(self.lists.len());
        self.lists.extend_from_slice(items);
        Child::List {
            start,
            len: index_of(items.len()),
        }
    }

    /// The part to cut along, if one separates at least a quarter of the boxes.
    fn best_cut(&self, items: &[u32]) -> Option<Cut> {
        let cuts = (0..self.boxes.parts).filter_map(|part| self.cut(items, part));
        cuts.min_by(|a, b| a.cost.total_cmp(&b.cost))
    }

    /// What cutting along a part would give; `None` when it separates too little or would copy too much.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cut(&self, items: &[u32], part: usize) -> Option<Cut> {
        let starts = self.boxes.class_starts(items, part);
        let spans: Vec<_> = items
            .iter()
            .map(|item| self.boxes.classes_of(*item, part, &starts))
            .collect();
        let is_narrow = |(first, last): &(usize, usize)| last - first < SPAN_MAX;
        let mut covers = vec![0usize; starts.len()];
        let mut copies = 0;
        for (first, last) in spans.iter().filter(|span| is_narrow(span)) {
            covers
                .iter_mut()
                .take(last + 1)
                .skip(*first)
                .for_each(|count| *count += 1);
            copies += last - first + 1;
        }
        let (narrow, wide): (Vec<_>, Vec<_>) = items
            .iter()
            .zip(&spans)
            .partition(|(_, span)| is_narrow(span));
        if narrow.len() * 4 < items.len() || copies > self.budget {
            return None;
        }
        // How many boxes share the class of a box, on average; a further cut brings it down by its logarithm at best.
        let shared = covers
            .iter()
            .map(|count| (count * count) as f64)
            .sum::<f64>()
            / copies as f64;
        if shared > narrow.len() as f64 * 0.75 {
            return None;
        }
        let further = if wide.is_empty() {
            0.0
        } else {
            2.0 + (1.0 + wide.len() as f64).log2() / 2.0
        };
        let numbers = |items: Vec<(&u32, _)>| items.into_iter().map(|(item, _)| *item).collect();
        Some(Cut {
            part,
            narrow: numbers(narrow),
            wide: numbers(wide),
            cost: (1.0 + shared).log2() + further,
        })
    }

    /// Cuts boxes along a part.
    fn node(&mut self, part: usize, items: &[u32], depth: usize) -> Child {
        let starts = self.boxes.class_starts(items, part);
        let mut classes = vec![Vec::new(); starts.len()];
        for item in items {
            let (first, last) = self.boxes.classes_of(*item, part, &starts);
            classes
                .iter_mut()
                .take(last + 1)
                .skip(first)
                .for_each(|class| class.push(*item));
            self.budget = self.budget.saturating_sub(last - first + 1);
        }
        let node = self.nodes.len();
        self.nodes.push(Node {
            part,
            classes: Sorted::new(&starts),
            children: Vec::new(),
        });
        let children = classes
            .into_iter()
            .map(|class| self.index(class, depth + 1))
            .collect();
        if let Some(place) = self.nodes.get_mut(node) {
            place.children = children;
        }
        Child::Node(index_of(node))
    }

    /// The first element whose box holds the key, among those that `is_live` lets through.
    #[inline]
    pub(super) fn find(&self, key: &[u8], is_live: impl Fn(u32) -> bool) -> Option<u32> {
        let mut point = [K::default(); PARTS_MAX];
        for (place, (at, len)) in point.iter_mut().zip(&self.parts) {
            *place = K::load(key.get(*at..at + len)?);
        }
        let element = |index: u32| self.boxes.elements.get(index as usize).copied();
        let is_live = |index: u32| element(index).is_some_and(&is_live);
        element(self.first(self.root, &point, u32::MAX, &is_live)?)
    }

    /// The first box under a child that holds the point and comes before box number `below`.
    fn first(
        &self,
        child: Child,
        point: &Point<K>,
        below: u32,
        is_live: &impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let matches = |index: u32| self.boxes.holds(index, point) && is_live(index);
        match child {
            Child::List { start, len } => {
                let list = self.lists.get(start as usize..)?.get(..len as usize)?;
                list.iter()
                    .copied()
                    .take_while(|index| *index < below)
                    .find(|index| matches(*index))
            }
            Child::Node(node) => {
                let node = self.nodes.get(node as usize)?;
                let class = node.classes.at_most(*point.get(node.part)?)?;
                self.first(*node.children.get(class)?, point, below, is_live)
            }
            Child::Bits(bits) => self
                .bits
                .get(bits as usize)?
                .candidates(point)?
                .take_while(|index| *index < below)
                .find(|index| matches(*index)),
            Child::Many { start, len } => {
                let trees = self.many.get(start as usize..)?.get(..len as usize)?;
                trees.iter().fold(None, |best, tree| {
                    self.first(*tree, point, best.unwrap_or(below), is_live)
                        .or(best)
                })
            }
        }
    }
}

fn index_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Concatenations with a part of more than 16 bytes: no index.
#[derive(Debug)]
pub(super) struct LongRanges {
    parts: Vec<(usize, usize)>,
    keys: Vec<u8>,
    key_ends: Vec<u8>,
    key_len: usize,
    elements: Vec<u32>,
}

impl LongRanges {
    pub(super) fn new(
        keys: &[u8],
        key_ends: &[u8],
        key_len: usize,
        parts: Vec<(usize, usize)>,
        elements: Vec<u32>,
    ) -> Self {
        let ends = if key_ends.is_empty() { keys } else { key_ends };
        Self {
            parts,
            keys: keys.to_vec(),
            key_ends: ends.to_vec(),
            key_len,
            elements,
        }
    }

    /// The first element whose box holds the key, among those that `is_live` lets through.
    pub(super) fn find(&self, key: &[u8], is_live: impl Fn(u32) -> bool) -> Option<u32> {
        let holds = |element: u32| {
            self.parts.iter().all(|(at, len)| {
                let start = element as usize * self.key_len + at;
                let (low, high) = (
                    self.keys.get(start..start + len),
                    self.key_ends.get(start..start + len),
                );
                let value = key.get(*at..at + len);
                value >= low && value <= high
            })
        };
        self.elements
            .iter()
            .copied()
            .find(|element| holds(*element) && is_live(*element))
    }
}
