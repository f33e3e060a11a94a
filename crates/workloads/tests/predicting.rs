//! That each answer belongs to its request, however requests are put together.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::HashMap;

use fulcrum_domain::BatchSize;
use fulcrum_workloads::{Answer, Device, Network, Predictor, Request, Samples, Trainer};
use proptest::prelude::*;

const REQUESTS: usize = 12;
/// How far a score may be from itself: sums are taken in another order in another minibatch.
const ROUNDING: f32 = 1e-4;

fn predictor(network: Network, seed: u64) -> Predictor {
    Predictor::new(network.as_str(), Device::CPU, seed).unwrap()
}

/// Requests with their classes; ids do not follow the order.
fn requests(network: Network, seed: u64, count: usize) -> Vec<(Request, usize)> {
    let samples = Samples::new(network, seed).take(count).enumerate();
    let id = |index: usize| 1_000_003_u64.wrapping_mul(index as u64 + 17) % 10_007;
    samples
        .map(|(index, sample)| (Request { id: id(index), values: sample.values }, sample.class))
        .collect()
}

fn by_id(answers: Vec<Answer>) -> HashMap<u64, Answer> {
    answers.into_iter().map(|answer| (answer.id, answer)).collect()
}

/// A network, its requests in some order, and where the order is cut into minibatches.
fn batchings() -> impl Strategy<Value = (Network, Vec<usize>, Vec<bool>)> {
    let order = Just((0..REQUESTS).collect::<Vec<_>>()).prop_shuffle();
    let cuts = prop::collection::vec(any::<bool>(), REQUESTS);
    (prop::sample::select(Network::ALL.to_vec()), order, cuts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn batching_does_not_change_answers((network, order, cuts) in batchings()) {
        let requests: Vec<_> =
            requests(network, 5, REQUESTS).into_iter().map(|(request, _)| request).collect();
        let mut predictor = predictor(network, 11);
        let alone = requests.iter().flat_map(|request| {
            predictor.infer(std::slice::from_ref(request)).unwrap()
        });
        let alone = by_id(alone.collect());

        let mut minibatch = Vec::new();
        let mut answered = 0;
        for (&index, &cut) in order.iter().zip(&cuts) {
            minibatch.push(requests[index].clone());
            if cut || answered + minibatch.len() == REQUESTS {
                let answers = predictor.infer(&minibatch).unwrap();
                prop_assert_eq!(answers.len(), minibatch.len());
                for (answer, request) in answers.iter().zip(&minibatch) {
                    prop_assert_eq!(answer.id, request.id);
                    let alone = alone[&answer.id];
                    prop_assert_eq!(answer.class, alone.class);
                    prop_assert!((answer.score - alone.score).abs() < ROUNDING);
                }
                answered += minibatch.len();
                minibatch.clear();
            }
        }
        prop_assert_eq!(answered, REQUESTS);
        // Otherwise answers that were mixed up would have passed.
        let mut scores: Vec<_> = alone.values().map(|answer| answer.score).collect();
        scores.sort_unstable_by(f32::total_cmp);
        prop_assert!(scores.windows(2).filter(|pair| pair[1] - pair[0] > ROUNDING).count() > REQUESTS / 2);
    }
}

#[test]
fn a_trained_network_answers_each_request_with_its_class() {
    let mut trainer = Trainer::new("resnet", BatchSize::new(16).unwrap(), Device::CPU, 1).unwrap();
    let untrained = trainer.predictor().unwrap();
    for _ in 0..40 {
        trainer.minibatch().unwrap();
    }
    let trained = trainer.predictor().unwrap();
    let share_right = |mut predictor: Predictor| {
        let (requests, classes): (Vec<_>, Vec<_>) =
            requests(Network::Resnet, 99, 50).into_iter().unzip();
        let answers = predictor.infer(&requests).unwrap();
        let right = answers.iter().zip(&classes).filter(|(answer, class)| answer.class == **class);
        right.count() as f64 / classes.len() as f64
    };
    let [untrained, trained] = [untrained, trained].map(share_right);
    assert!(trained > 0.9, "{trained} right after training");
    assert!(untrained < 0.5, "{untrained} right before training: the test says nothing");
}

#[test]
fn a_predictor_has_what_was_learned_when_it_was_made() {
    for network in Network::ALL {
        let requests: Vec<_> =
            requests(network, 5, 4).into_iter().map(|(request, _)| request).collect();
        let batch_size = BatchSize::new(4).unwrap();
        let mut trainer = Trainer::new(network.as_str(), batch_size, Device::CPU, 11).unwrap();
        let mut at_first = trainer.predictor().unwrap();
        let answers = at_first.infer(&requests).unwrap();
        assert_eq!(answers, predictor(network, 11).infer(&requests).unwrap(), "{network}");

        for _ in 0..3 {
            trainer.minibatch().unwrap();
        }
        assert_eq!(answers, at_first.infer(&requests).unwrap(), "{network}");
        let later = trainer.predictor().unwrap().infer(&requests).unwrap();
        assert_ne!(answers, later, "{network}: nothing was learned");
    }
}
