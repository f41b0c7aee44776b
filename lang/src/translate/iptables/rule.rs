//! One rule of iptables as rules of nft.

use super::addr;
use super::build::{Build, Shared, World};
use super::module::{Given, Seen};
use super::nft::{Counter, Item, Match, Op, Rule, Stmt, Value, Verdict};
use super::proto;
use super::source::{Entry, Family};
use super::spec::{Fault, Spec, Target};
use crate::diag::{Code, Diagnostic};

/// Where a rule stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Whose it is.
    pub(super) family: Family,
    /// The table.
    pub(super) table: &'a str,
    /// The chain, in iptables.
    pub(super) chain: &'a str,
}

/// The rules that one rule becomes.
///
/// # Errors
/// Why there is none.
pub(super) fn translate(
    place: Place<'_>,
    entry: &Entry,
    spec: &Spec,
    counter: Counter,
    (world, shared): (&World<'_>, &mut Shared),
) -> Result<Vec<Item>, Fault> {
    let mut build = Build {
        family: place.family,
        table: place.table,
        chain: place.chain,
        world,
        shared,
        protocol: None,
        rows: vec![Vec::new()],
        actions: Vec::new(),
        verdict: Verdict::None,
        otherwise: None,
        comment: None,
        above: Vec::new(),
        fault: None,
        never: None,
    };
    generic(&mut build, &spec.generic);
    for seen in &spec.matches {
        build.module(seen);
    }
    target(&mut build, &spec.target);
    let text = entry.text();
    finish(build, entry, counter, &text)
}

/// `-i`, `-o`, `-f`, `-p`, `-s`, `-d`, in the order in which the kernel asks (`ip_tables.c`: `ip_packet_match`), but for the addresses, which nft's
/// users write behind the protocol.
fn generic(build: &mut Build<'_>, options: &[Given]) {
    let named = |name: &'static str| options.iter().filter(move |given| given.name() == name);
    for (name, key) in [("-i", "iifname"), ("-o", "oifname")] {
        for given in named(name) {
            interface(build, key, given);
        }
    }
    for given in named("-f") {
        if build.family == Family::V6 {
            build.refuse(given.span, "ip6tables has no `-f`");
        }
        let sign = if given.not { "==" } else { "!=" };
        build.test(format!("ip frag-off & 0x1fff {sign} 0"));
    }
    for given in named("-p") {
        protocol(build, given);
    }
    for (name, side) in [("-s", "saddr"), ("-d", "daddr")] {
        for given in named(name) {
            let key = format!("{} {side}", build.header());
            address(build, &key, given);
        }
    }
}

fn interface(build: &mut Build<'_>, key: &str, given: &Given) {
    let name = given.value();
    if name.contains(['"', '\\']) || name.contains(char::is_whitespace) || name.len() > 16 {
        build.refuse(given.span, format!("`{name}` is no name of an interface"));
        return;
    }
    let text = match name.strip_suffix('+') {
        // every interface
        Some("") if !given.not => return,
        // none: no interface may be called so
        Some("") => return build.is(key, false, "\"INVAL/D\""),
        Some(stem) => format!("\"{stem}*\""),
        None => match name.strip_suffix('*') {
            Some(stem) => format!("\"{stem}\\*\""),
            None => format!("\"{name}\""),
        },
    };
    build.is(key, given.not, text);
}

fn protocol_key(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip protocol",
        Family::V6 => "meta l4proto",
    }
}

fn protocol(build: &mut Build<'_>, given: &Given) {
    let Some(number) = proto::number(given.value()) else {
        build.refuse(
            given.span,
            format!("no protocol is called `{}`", given.value()),
        );
        return;
    };
    if number == 0 {
        if given.not {
            build.never(given.span, "every protocol is one of all");
        }
        return;
    }
    // ip6tables takes `icmp` for ICMPv6 by name alone
    let number = match (build.family, number, given.value()) {
        (Family::V6, 1, "icmp") => 1,
        (_, number, _) => number,
    };
    let value = Value::number(number.into(), proto::word(number));
    build.compare(protocol_key(build.family), given.not, vec![value]);
    if !given.not {
        build.protocol = Some(number);
    }
}

fn address(build: &mut Build<'_>, key: &str, given: &Given) {
    let nets: Option<Vec<addr::Net>> = given
        .value()
        .split(',')
        .map(|text| addr::net(build.family, text))
        .collect();
    let Some(nets) = nets else {
        let what = if given.value().contains(|c: char| c.is_ascii_alphabetic())
            && !given.value().contains(':')
        {
            "a name in place of an address is looked up when iptables runs; write the address"
        } else {
            "this is no address of this family"
        };
        build.refuse(given.span, what);
        return;
    };
    if nets.iter().any(|net| net.is_any()) && !given.not {
        return;
    }
    match nets.as_slice() {
        [net] => build.push(net.test(key, given.not)),
        _ => match nets.iter().map(|net| net.value()).collect::<Option<Vec<Value>>>() {
            Some(values) => build.compare(key, given.not, without_covered(values)),
            None => build.refuse(given.span, "a list of addresses with masks that have holes is several rules; write them one by one"),
        },
    }
}

/// Values without those that others cover; nft takes no set whose elements overlap.
fn without_covered(values: Vec<Value>) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for value in values {
        if out.iter().any(|known| known.covers(&value)) {
            continue;
        }
        out.retain(|known| !value.covers(known));
        out.push(value);
    }
    out
}

fn target(build: &mut Build<'_>, target: &Target) {
    match target {
        Target::None => {}
        Target::Module(seen) => build.module(seen),
        Target::Chain { name, goto } => {
            let known = build
                .shared
                .renamed
                .get(&name.text)
                .cloned()
                .unwrap_or_else(|| name.text.clone());
            build.verdict = match goto {
                true => Verdict::Ends(format!("goto {known}")),
                false => Verdict::Jumps(format!("jump {known}")),
            };
        }
    }
}

fn finish(
    build: Build<'_>,
    entry: &Entry,
    counter: Counter,
    text: &str,
) -> Result<Vec<Item>, Fault> {
    if let Some(fault) = build.fault {
        return Err(fault);
    }
    if let Some((span, why)) = build.never {
        let message = format!("the rule matches nothing: {why}");
        build
            .shared
            .findings
            .push(Diagnostic::new(Code::DeadRule, span, message));
        return Ok(vec![Item::Comment(format!(
            "matches nothing ({why}): {text}"
        ))]);
    }
    let key = protocol_key(build.family);
    let verdicts: Vec<&Verdict> = [Some(&build.verdict), build.otherwise.as_ref()]
        .into_iter()
        .flatten()
        .collect();
    let mut out = Vec::new();
    for row in build.rows {
        let mut row = without_implied(row, key, build.protocol);
        keep_apart(&mut row);
        for (at, verdict) in verdicts.iter().enumerate() {
            let actions = if at == 0 {
                build.actions.clone()
            } else {
                Vec::new()
            };
            let idle = actions.is_empty()
                && **verdict == Verdict::None
                && !row.iter().any(|stmt| matches!(stmt, Stmt::Act(_)));
            out.push(Item::Rule(Rule {
                matches: row.clone(),
                // a rule that does nothing is there to count
                counter: if idle && counter == Counter::None {
                    Counter::Fresh
                } else {
                    counter
                },
                actions,
                verdict: (*verdict).clone(),
                comment: build.comment.clone(),
                above: if out.is_empty() {
                    build.above.clone()
                } else {
                    Vec::new()
                },
                span: entry.span,
            }));
        }
    }
    Ok(out)
}

/// The row without the match on its protocol, where nft makes that match by itself and nothing is counted before it.
fn without_implied(mut row: Vec<Stmt>, key: &str, protocol: Option<u8>) -> Vec<Stmt> {
    let before_acts = row.iter().take_while(|stmt| !matches!(stmt, Stmt::Act(_)));
    if protocol.is_some()
        && before_acts
            .filter_map(Stmt::protocol)
            .any(|implied| Some(implied) == protocol)
    {
        row.retain(|stmt| !matches!(stmt, Stmt::Match(Match { key: known, op: Op::Eq, .. }) if known == key));
    }
    row
}

/// nft 1.0.6 makes one comparison of two ports that must not be, which then asks for "not both": a range is left alone.
fn keep_apart(row: &mut [Stmt]) {
    for at in 1..row.len() {
        if let Some([Stmt::Match(one), Stmt::Match(other)]) = row.get_mut(at - 1..=at)
            && (one.op, other.op) == (Op::Ne, Op::Ne)
            && one.key.ends_with(" sport")
            && other.key.ends_with(" dport")
            && let [value] = one.values.as_mut_slice()
            && !value.text.contains('-')
        {
            value.text = format!("{0}-{0}", value.text);
        }
    }
}

/// Whether a rule asks `recent` something.
pub(super) fn recents(spec: &Spec) -> impl Iterator<Item = &Seen> {
    spec.matches
        .iter()
        .filter(|seen| seen.module.names.first() == Some(&"recent"))
}
