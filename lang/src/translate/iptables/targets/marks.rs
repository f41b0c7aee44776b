//! MARK and CONNMARK.

use super::super::build::{Build, masked, number};
use super::super::module::{Given, How, Module, Opt, Seen, a_target, opt};
use super::super::nft::{Chain, Counter, Item, Rule, Stmt, Verdict};

use How::Exact;

const ALL: u64 = 0xffff_ffff;

const MARK: &[Opt] = &[
    opt(
        &["--set-xmark"],
        1,
        Exact,
        "`meta mark set meta mark & ~MASK ^ VALUE`",
    ),
    opt(&["--set-mark"], 1, Exact, "`meta mark set VALUE`"),
    opt(
        &["--and-mark"],
        1,
        Exact,
        "`meta mark set meta mark & VALUE`",
    ),
    opt(
        &["--or-mark"],
        1,
        Exact,
        "`meta mark set meta mark | VALUE`",
    ),
    opt(
        &["--xor-mark"],
        1,
        Exact,
        "`meta mark set meta mark ^ VALUE`",
    ),
];
const CONNMARK: &[Opt] = &[
    opt(
        &["--set-xmark"],
        1,
        Exact,
        "`ct mark set ct mark & ~MASK ^ VALUE`",
    ),
    opt(&["--set-mark"], 1, Exact, "`ct mark set VALUE`"),
    opt(&["--and-mark"], 1, Exact, "`ct mark set ct mark & VALUE`"),
    opt(&["--or-mark"], 1, Exact, "`ct mark set ct mark | VALUE`"),
    opt(&["--xor-mark"], 1, Exact, "`ct mark set ct mark ^ VALUE`"),
    opt(
        &["--save-mark"],
        0,
        Exact,
        "`ct mark set meta mark`; under a mask of up to 16 bits a chain that copies them one by one",
    ),
    opt(
        &["--restore-mark"],
        0,
        Exact,
        "`meta mark set ct mark`; the same",
    ),
    opt(&["--nfmask"], 1, Exact, "bits of the packet's mark"),
    opt(&["--ctmask"], 1, Exact, "bits of the connection's mark"),
    opt(&["--mask"], 1, Exact, "both masks"),
];

/// The targets of this file.
pub(in super::super) const MODULES: &[Module] = &[
    a_target(&["MARK"], "", MARK, |build, seen| {
        for given in &seen.options {
            set(build, given, "meta mark");
        }
    }),
    a_target(&["CONNMARK"], "", CONNMARK, connmark),
];

/// What a mark becomes: `(mark & !clear) ^ flip`.
fn bits(given: &Given) -> Option<(u64, u64)> {
    let whole = || masked(given.value()).filter(|(value, mask)| value | mask.unwrap_or(0) <= ALL);
    let plain = || number(given.value()).filter(|value| *value <= ALL);
    Some(match given.name() {
        "--set-xmark" => whole().map(|(value, mask)| (mask.unwrap_or(ALL), value))?,
        "--set-mark" => whole().map(|(value, mask)| (mask.unwrap_or(ALL) | value, value))?,
        "--and-mark" => (ALL & !plain()?, 0),
        "--or-mark" => (plain()?, plain()?),
        "--xor-mark" => (0, plain()?),
        _ => return None,
    })
}

/// `key set ...`.
pub(in super::super) fn statement(key: &str, clear: u64, flip: u64) -> String {
    let keep = ALL & !clear;
    match (keep, flip) {
        (0, flip) => format!("{key} set {flip:#x}"),
        (ALL, flip) => format!("{key} set {key} ^ {flip:#x}"),
        (keep, 0) => format!("{key} set {key} & {keep:#x}"),
        (_, flip) if flip == clear => format!("{key} set {key} | {flip:#x}"),
        (keep, flip) => format!("{key} set {key} & {keep:#x} ^ {flip:#x}"),
    }
}

fn set(build: &mut Build<'_>, given: &Given, key: &str) {
    match bits(given) {
        Some((clear, flip)) => build.actions.push(statement(key, clear, flip)),
        None => build.refuse(given.span, format!("`{}` is no mark", given.value())),
    }
}

fn connmark(build: &mut Build<'_>, seen: &Seen) {
    let (from, to, save) = match (seen.get("--save-mark"), seen.get("--restore-mark")) {
        (Some(_), _) => ("meta mark", "ct mark", true),
        (None, Some(_)) => ("ct mark", "meta mark", false),
        (None, None) => {
            for given in seen
                .options
                .iter()
                .filter(|given| !given.name().ends_with("mask"))
            {
                set(build, given, "ct mark");
            }
            return;
        }
    };
    let mask = |name: &str| match seen.value(name).or(seen.value("--mask")) {
        None => Some(ALL),
        Some(text) => number(text).filter(|mask| *mask <= ALL),
    };
    let Some((nfmask, ctmask)) = mask("--nfmask").zip(mask("--ctmask")) else {
        return build.refuse(seen.span, "a mask is a number of 32 bits");
    };
    // to = (to & !clear) ^ (from & take), xt_connmark.c: connmark_tg
    let (take, clear) = if save {
        (nfmask, ctmask)
    } else {
        (ctmask, nfmask)
    };
    match (take, clear) {
        (ALL, ALL) => build.actions.push(format!("{to} set {from}")),
        (take, ALL) => build.actions.push(format!("{to} set {from} & {take:#x}")),
        (take, clear) if (take | clear).count_ones() <= 16 => {
            copy_bits(build, (from, to), take, clear, save);
        }
        _ => build.refuse(
            seen.span,
            "nft 1.0.6 cannot mix two marks, and these are too many bits to copy one by one",
        ),
    }
}

/// A chain that copies bit by bit what two marks share; nft computes with one variable value at a time.
fn copy_bits(build: &mut Build<'_>, (from, to): (&str, &str), take: u64, clear: u64, save: bool) {
    let name = format!(
        "{}-mark-{take:x}-{clear:x}",
        if save { "save" } else { "restore" }
    );
    if !build.shared.chains.iter().any(|chain| chain.name == name) {
        let rule = |test: Option<String>, action: String| {
            Item::Rule(Rule {
                matches: test.map(Stmt::Test).into_iter().collect(),
                counter: Counter::None,
                actions: vec![action],
                verdict: Verdict::None,
                comment: None,
                above: Vec::new(),
                span: crate::source::Span::default(),
            })
        };
        let mut items = Vec::new();
        if clear != 0 {
            items.push(rule(None, statement(to, clear, 0)));
        }
        for bit in (0..32)
            .map(|bit| 1_u64 << bit)
            .filter(|bit| take & bit != 0)
        {
            let test = format!("{from} & {bit:#x} == {bit:#x}");
            items.push(rule(Some(test), format!("{to} set {to} ^ {bit:#x}")));
        }
        build.shared.chains.push(Chain {
            name: name.clone(),
            hook: None,
            policy: "",
            items,
        });
    }
    build.verdict = Verdict::Jumps(format!("jump {name}"));
}
