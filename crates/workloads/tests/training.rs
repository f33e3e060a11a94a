//! That what is called training is training: losses fall, and follow from the seed.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::thread;

use fulcrum_domain::BatchSize;
use fulcrum_workloads::{CLASSES, Device, Network, Trainer};

fn trainer(network: Network, batch_size: u32, seed: u64) -> Trainer {
    let batch_size = BatchSize::new(batch_size).unwrap();
    Trainer::new(network.as_str(), batch_size, Device::CPU, seed).unwrap()
}

fn losses(network: Network, batch_size: u32, seed: u64, count: usize) -> Vec<f32> {
    let mut trainer = trainer(network, batch_size, seed);
    (0..count).map(|_| trainer.minibatch().unwrap()).collect()
}

/// A network that knows nothing has the loss of a guess, the logarithm of the number of classes; at
/// the end it has to be well below, in spite of new samples in every minibatch.
fn assert_loss_falls(network: Network) {
    let seed = 1;
    let losses = losses(network, 16, seed, 60);
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let [first, last] = [mean(&losses[..3]), mean(&losses[50..])];
    let guess = (CLASSES as f32).ln();
    assert!((first - guess).abs() < 0.7, "seed {seed}: {network} starts at a loss of {first}");
    assert!(last < 0.7 * guess, "seed {seed}: {network} ends at a loss of {last}: {losses:?}");
}

#[test]
fn the_loss_of_the_resnet_falls() {
    assert_loss_falls(Network::Resnet);
}

#[test]
fn the_loss_of_the_mobilenet_falls() {
    assert_loss_falls(Network::Mobilenet);
}

#[test]
fn the_loss_of_the_lstm_falls() {
    assert_loss_falls(Network::Lstm);
}

#[test]
fn the_same_seed_has_the_same_losses_whatever_else_trains() {
    for network in Network::ALL {
        let alone = losses(network, 2, 7, 4);
        let beside: Vec<_> = thread::scope(|scope| {
            let both = [7, 7].map(|seed| scope.spawn(move || losses(network, 2, seed, 4)));
            both.map(|thread| thread.join().unwrap()).to_vec()
        });
        assert_eq!(beside, [alone.clone(), alone.clone()], "{network}");
        assert_ne!(losses(network, 2, 8, 4), alone, "{network}: another seed");
    }
}

#[test]
fn two_threads_compute_what_one_does() {
    let two_threads: Device = "cpu:2".parse().unwrap();
    for network in Network::ALL {
        let batch_size = BatchSize::new(8).unwrap();
        let mut two = Trainer::new(network.as_str(), batch_size, two_threads, 3).unwrap();
        // Later minibatches let rounding grow.
        for (minibatch, one) in losses(network, 8, 3, 2).into_iter().enumerate() {
            let two = two.minibatch().unwrap();
            assert!((one - two).abs() < 1e-2, "{network}, minibatch {minibatch}: {one} and {two}");
        }
    }
}
