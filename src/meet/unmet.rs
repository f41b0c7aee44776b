//! Why nothing meets a rule, in words.

use redan_vm::Ruleset;
use redan_vm::ct::CtKey;
use redan_vm::family::Hook;
use redan_vm::ids::{RuleId, SetId};
use redan_vm::meta::MetaKey;
use redan_vm::predicate::Subject;

use super::Stop;

/// Why no packet was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// What is asked cannot be so at once.
    Contradiction,
    /// The set has no elements.
    Empty(SetId),
    /// No base chain leads to the chain.
    NoJump,
    /// Nothing passes this hook here.
    NoWay(Hook),
    /// It sees ARP alone.
    Arp,
    /// It asks for a conversation with whom nobody has one.
    Alone,
    /// It asks for the loopback device.
    Loopback,
    /// It asks for interfaces that no way has.
    Interface,
    /// This rule decides before it, whatever was tried.
    Before(RuleId),
    /// Rules stop the search for link addresses, so that no packet comes there.
    Search(Stop),
    /// It asks for what packets do not bring along.
    Beyond(String),
    /// Nothing that was tried met it.
    NotFound,
}

impl Unmet {
    /// A sentence without its full stop.
    pub(crate) fn describe(&self, ruleset: &Ruleset) -> String {
        match self {
            Self::Contradiction => "no packet has all that it asks for at once".to_owned(),
            Self::Empty(set) => {
                let name = ruleset.sets.get(set.index()).map_or("", |set| &set.name);
                format!("set {name} has no elements yet")
            }
            Self::NoJump => "no base chain leads to this chain".to_owned(),
            Self::NoWay(hook) => format!("nothing passes the {} hook here", hook.word()),
            Self::Arp => "of ARP only what hosts themselves need is tried".to_owned(),
            Self::Alone => "redan itself holds no conversations".to_owned(),
            Self::Loopback => "what a host sends to itself never comes to redan".to_owned(),
            Self::Interface => "no packet here has these interfaces".to_owned(),
            Self::Before(rule) => {
                let line = line(ruleset, *rule);
                format!("line {line} decides before it about all that was tried")
            }
            Self::Search(Stop::Rule(rule)) => {
                let line = line(ruleset, *rule);
                format!("line {line} stops the search for link addresses, so nothing comes here")
            }
            Self::Search(Stop::Policy) => {
                "a policy stops the search for link addresses, so nothing comes here".to_owned()
            }
            Self::Beyond(what) => format!("asks for {what}, which is not tried"),
            Self::NotFound => "nothing that was tried meets it".to_owned(),
        }
    }
}

fn line(ruleset: &Ruleset, rule: RuleId) -> u32 {
    let rule = ruleset.rules.get(rule.index());
    rule.map_or(0, |rule| rule.origin.line)
}

/// What a test asks that is not in a packet; `None` where packets have it.
pub(super) fn beyond(subject: &Subject) -> Option<String> {
    match subject {
        Subject::Meta(
            MetaKey::Length
            | MetaKey::Protocol
            | MetaKey::Iif
            | MetaKey::Iifname
            | MetaKey::Oif
            | MetaKey::Oifname
            | MetaKey::Pkttype
            | MetaKey::Nfproto
            | MetaKey::L4proto,
        )
        | Subject::Payload { .. }
        | Subject::Ct(CtKey::State | CtKey::Direction | CtKey::Status, _) => None,
        Subject::Meta(key) => Some(format!("meta {}", key.word())),
        Subject::Ct(key, _) => Some(format!("ct {}", key.word())),
        Subject::Concat(parts) => parts.iter().find_map(beyond),
        Subject::Other(_, text) => Some(first_word(text)),
    }
}

/// What an instruction that is not followed further is called: the first word of its text.
fn first_word(text: &str) -> String {
    let word: String = text
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    match word.as_str() {
        "ExthdrLoad" => "an option or extension header".to_owned(),
        "Payload" | "Meta" | "Ct" => "a value that is computed first".to_owned(),
        other => other.to_lowercase(),
    }
}
