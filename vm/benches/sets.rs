//! What a lookup costs, by kind and size of set: keys at random, half of them in the set, each lookup on its own.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use redan_vm::Instant;
use redan_vm::ids::TableId;
use redan_vm::ruleset::{Elements, Set, SetData, set_flags};
use redan_vm::set::SetTable;

const NOW: Instant = Instant::from_secs(1_000_000);
const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
/// Keys that a round looks up; a power of two.
const PROBES: usize = 8192;

fn set(flags: u32, key_parts: &[u8]) -> Set {
    let padded = |len: &u8| {
        if key_parts.len() == 1 {
            *len
        } else {
            len.next_multiple_of(4)
        }
    };
    Set {
        table: TableId(0),
        name: "bench".into(),
        flags,
        key_len: key_parts.iter().map(padded).sum(),
        key_parts: key_parts.to_vec(),
        key_types: Vec::new(),
        data: SetData::None,
        timeout_ms: None,
        size: None,
        exprs: Vec::new(),
        elements: Elements::default(),
    }
}

/// A number without a pattern for each index (the finaliser of `SplitMix64`)
fn scatter(index: u64) -> u64 {
    let mut bits = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Key number `index`: as many bytes as the set's keys have.
fn key(index: u64, len: u8) -> Vec<u8> {
    (0..u64::from(len))
        .step_by(8)
        .flat_map(|at| scatter(index ^ (at << 40)).to_be_bytes())
        .take(usize::from(len))
        .collect()
}

/// A set, and keys to look up, back to back.
struct Case {
    set: Set,
    probes: Vec<u8>,
}

impl Case {
    /// Half of the looked-up keys are among the set's `size` elements, half are not.
    fn new(set: Set, size: u32, key: impl Fn(u64) -> Vec<u8>) -> Self {
        let twice = u64::from(size) * 2;
        let probes = (0..PROBES as u64)
            .flat_map(|probe| key(scatter(probe ^ 0xabcd) % twice))
            .collect();
        Self { set, probes }
    }
}

/// Exact keys of a width.
fn exact(flags: u32, len: u8, size: u32) -> Case {
    let mut set = set(flags, &[len]);
    for index in 0..u64::from(size) {
        set.elements.keys.extend(key(index, len));
        set.elements.flags.push(0);
    }
    Case::new(set, size, |index| key(index, len))
}

/// Disjoint intervals over keys of a width.
fn intervals(len: u8, size: u32) -> Case {
    let mut set = set(set_flags::INTERVAL, &[len]);
    let mut keys: Vec<_> = (0..u64::from(size) * 2)
        .map(|index| key(index, len))
        .collect();
    keys.sort();
    keys.dedup();
    for (index, key) in keys.into_iter().enumerate() {
        set.elements.keys.extend(key);
        set.elements
            .flags
            .push(if index % 2 == 0 { 0 } else { Elements::END });
    }
    Case::new(set, size, |index| key(index, len))
}

/// `network . port range`: disjoint /24 networks (or /64 ones) with a range of ports each.
fn nets(address: u8, size: u32) -> Case {
    let net = if address == 4 { 3 } else { 8 };
    let mut set = set(set_flags::INTERVAL | set_flags::CONCAT, &[address, 2]);
    let element = |index: u64| {
        let mut low = key(index, address);
        low.truncate(net);
        let mut high = low.clone();
        low.resize(usize::from(address), 0);
        high.resize(usize::from(address), 0xff);
        let [.., port, _] = scatter(index ^ 0x4d).to_be_bytes();
        low.extend([port, 0, 0, 0]);
        high.extend([port, 0xff, 0, 0]);
        (low, high)
    };
    for index in 0..u64::from(size) {
        let (low, high) = element(index);
        set.elements.keys.extend(low);
        set.elements.key_ends.extend(high);
        set.elements.flags.push(0);
    }
    Case::new(set, size, |index| element(index).0)
}

fn kind(criterion: &mut Criterion, name: &str, make: impl Fn(u32) -> Case) {
    let mut group = criterion.benchmark_group(name);
    for size in SIZES {
        let Case { set, probes } = make(size);
        let table = SetTable::build(&set, NOW, 7);
        let mut keys = probes.chunks_exact(usize::from(set.key_len)).cycle();
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                keys.next()
                    .and_then(|key| table.lookup(black_box(key), NOW))
            });
        });
    }
    group.finish();
}

fn lookups(criterion: &mut Criterion) {
    kind(criterion, "exact 4", |size| exact(0, 4, size));
    kind(criterion, "exact 16", |size| exact(0, 16, size));
    kind(criterion, "exact 36", |size| exact(0, 36, size));
    kind(criterion, "changing 4", |size| {
        exact(set_flags::EVAL, 4, size)
    });
    kind(criterion, "interval 4", |size| intervals(4, size));
    kind(criterion, "interval 16", |size| intervals(16, size));
    kind(criterion, "net4 . ports", |size| nets(4, size));
    kind(criterion, "net6 . ports", |size| nets(16, size));
}

fn builds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build");
    group.sample_size(10);
    for (name, set) in [
        ("exact 4, 1M", exact(0, 4, 1_000_000).set),
        ("interval 4, 100k", intervals(4, 100_000).set),
        ("net4 . ports, 100k", nets(4, 100_000).set),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| SetTable::build(black_box(&set), NOW, 7));
        });
    }
    group.finish();
}

criterion_group!(benches, lookups, builds);
criterion_main!(benches);
