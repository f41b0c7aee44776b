//! Timeout policies (`ct timeout set`, `nft_ct.c: nft_ct_timeout_obj_eval`): the settings, with some timeouts in place of theirs.

use redan_vm::packet::protocol;
use redan_vm::ruleset::StateSpec;

use super::tunables::Tunables;

/// The setting that a state of a policy stands for.
fn setting(l4proto: u8, state: &str) -> Option<&'static str> {
    Some(match (l4proto, state) {
        (protocol::TCP, "syn_sent") => "tcp_timeout_syn_sent",
        (protocol::TCP, "syn_recv") => "tcp_timeout_syn_recv",
        (protocol::TCP, "established") => "tcp_timeout_established",
        (protocol::TCP, "fin_wait") => "tcp_timeout_fin_wait",
        (protocol::TCP, "close_wait") => "tcp_timeout_close_wait",
        (protocol::TCP, "last_ack") => "tcp_timeout_last_ack",
        (protocol::TCP, "time_wait") => "tcp_timeout_time_wait",
        (protocol::TCP, "close") => "tcp_timeout_close",
        (protocol::TCP, "retrans") => "tcp_timeout_max_retrans",
        (protocol::TCP, "unack") => "tcp_timeout_unacknowledged",
        (protocol::UDP, "unreplied") => "udp_timeout",
        (protocol::UDP, "replied") => "udp_timeout_stream",
        _ => return None,
    })
}

/// The policies that rules have asked for.
#[derive(Debug, Default)]
pub(super) struct Policies(Vec<(StateSpec, Tunables)>);

impl Policies {
    /// Whether no rule has asked for any: then no entry is looked at for one.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of a policy. What it does not say is as the settings are when it is first asked for.
    pub(super) fn open(&mut self, spec: &StateSpec, tunables: &Tunables) -> Option<u16> {
        let known = self.0.iter().position(|(other, _)| other == spec);
        if let Some(at) = known {
            return u16::try_from(at).ok();
        }
        let StateSpec::CtTimeout {
            l4proto, policy, ..
        } = spec
        else {
            return None;
        };
        let number = u16::try_from(self.0.len()).ok()?;
        let mut own = tunables.clone();
        for (state, seconds) in policy {
            // The language knows these states alone, and every number of seconds.
            let _: Option<()> = setting(*l4proto, state)
                .and_then(|setting| own.set(setting, u64::from(*seconds)).ok());
        }
        self.0.push((spec.clone(), own));
        Some(number)
    }

    /// The settings under a policy.
    pub(super) fn tunables(&self, number: u16) -> Option<&Tunables> {
        self.0.get(usize::from(number)).map(|(_, own)| own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_a_setting() {
        for (l4proto, states) in [(protocol::TCP, 10), (protocol::UDP, 2), (protocol::ICMP, 0)] {
            let words = [
                "syn_sent",
                "syn_recv",
                "established",
                "fin_wait",
                "close_wait",
                "last_ack",
                "time_wait",
                "close",
                "retrans",
                "unack",
                "unreplied",
                "replied",
            ];
            let settings = words.iter().filter_map(|word| setting(l4proto, word));
            let known = settings.filter(|name| Tunables::default().value(name).is_some());
            assert_eq!(known.count(), states);
        }
    }
}
