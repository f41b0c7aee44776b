//! Native code against the reference, on random rulesets and packets: same outcome, same packet, same state, same questions to the host.

mod support;

use proptest::prelude::*;
use support::{generate, same};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn native_code_does_what_the_reference_does(
        ruleset in generate::ruleset(),
        packets in prop::collection::vec(generate::packet(), 1..12),
    ) {
        same(&ruleset, &packets);
    }
}
