//! What it costs to compile: 10,000 rules and sets of addresses, from text to bytecode. Read it per rule or per element, or as ratios.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use redan_lang::compile::{Options, compile};
use redan_lang::parse::{NoLoader, parse};
use redan_lang::source::Sources;

/// Rules of two matches, a counter and a verdict each, no two of them alike.
fn rules(count: u32) -> String {
    let mut text =
        String::from("table inet t {\n\tchain c {\n\t\ttype filter hook input priority 0;\n");
    for number in 0..count {
        let [_, a, b, c] = number.to_be_bytes();
        let port = 1024 + number % 60_000;
        _ = writeln!(
            text,
            "\t\tip saddr 10.{a}.{b}.{c} tcp dport {port} counter accept"
        );
    }
    text + "\t}\n}\n"
}

/// A set of addresses in no order.
fn set(count: u32) -> String {
    let mut text = String::from("table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n");
    for number in 0..count {
        let [a, b, c, d] = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
        _ = writeln!(text, "\t\t\t{a}.{b}.{c}.{d},");
    }
    text + "\t\t}\n\t}\n}\n"
}

fn measure(c: &mut Criterion, group: &str, sizes: &[u32], text: fn(u32) -> String) {
    let mut group = c.benchmark_group(group);
    group.sample_size(10);
    for &size in sizes {
        let text = text(size);
        group.throughput(Throughput::Elements(u64::from(size)));
        group.bench_function(BenchmarkId::new("compile", size), |b| {
            b.iter(|| {
                let mut sources = Sources::new();
                let root = sources.add("bench.rules", text.clone());
                let (file, _) = parse(&mut sources, root, &NoLoader, &[]);
                let (ruleset, _) = compile(file, &sources, &Options::default());
                assert!(ruleset.is_some(), "the text compiles");
                black_box(ruleset)
            });
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    measure(c, "rules", &[100, 1_000, 10_000], rules);
    measure(c, "addresses", &[10_000, 100_000], set);
}

criterion_group!(benches, all);
criterion_main!(benches);
