//! The samples that the networks learn from.

use fulcrum_workloads::{CLASSES, Network, Samples};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn samples_follow_from_the_seed(seed: u64, index in 0..Network::ALL.len()) {
        let draw = |seed| Samples::new(Network::ALL[index], seed).take(3).collect::<Vec<_>>();
        prop_assert_eq!(draw(seed), draw(seed));
        prop_assert_ne!(draw(seed), draw(seed.wrapping_add(1)));
    }

    #[test]
    fn samples_of_a_network_have_one_length_and_finite_values(seed: u64, index in 0..Network::ALL.len()) {
        let samples: Vec<_> = Samples::new(Network::ALL[index], seed).take(20).collect();
        for sample in &samples {
            prop_assert_eq!(sample.values.len(), samples[0].values.len());
            prop_assert!(sample.class < CLASSES);
            prop_assert!(sample.values.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn every_class_is_drawn_about_as_often() {
    for network in Network::ALL {
        let mut drawn = [0; CLASSES];
        for sample in Samples::new(network, 1).take(500) {
            drawn[sample.class] += 1;
        }
        assert!(drawn.iter().all(|count| (25..=85).contains(count)), "{network}: {drawn:?}");
    }
}
