//! What is refused, and in which words.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use fulcrum_domain::BatchSize;
use fulcrum_workloads::{
    Device, DeviceError, Error, MAX_BATCH_SIZE, Network, Predictor, Request, Samples, Trainer,
};
use proptest::prelude::*;

fn lstm() -> Predictor {
    Predictor::new("lstm", Device::CPU, 1).unwrap()
}

fn requests(count: usize) -> Vec<Request> {
    let samples = Samples::new(Network::Lstm, 1).take(count).enumerate();
    samples.map(|(id, sample)| Request { id: id as u64, values: sample.values }).collect()
}

#[test]
fn an_unknown_network_lists_those_that_are_known() {
    let words = "unknown network `resnet18`; known are: resnet, mobilenet, lstm";
    let trainer = Trainer::new("resnet18", BatchSize::ONE, Device::CPU, 1);
    assert_eq!(trainer.unwrap_err().to_string(), words);
    let predictor = Predictor::new("resnet18", Device::CPU, 1);
    assert_eq!(predictor.unwrap_err().to_string(), words);
}

#[test]
fn minibatches_out_of_range_are_refused_by_name() {
    let too_many = BatchSize::new(MAX_BATCH_SIZE + 1).unwrap();
    let refused = Trainer::new("lstm", too_many, Device::CPU, 1).unwrap_err();
    assert_eq!(refused, Error::BatchSize { size: 257 });
    assert_eq!(refused.to_string(), "a minibatch of 257 is out of range; it holds 1 to 256");
    assert_eq!(lstm().infer(&[]), Err(Error::BatchSize { size: 0 }));
    assert_eq!(lstm().infer(&requests(257)), Err(Error::BatchSize { size: 257 }));
    assert_eq!(lstm().infer(&requests(256)).unwrap().len(), 256);
}

#[test]
fn an_input_that_does_not_fit_is_refused_with_its_request() {
    let mut requests = requests(3);
    requests[1].id = 42;
    requests[1].values.pop();
    let refused = lstm().infer(&requests).unwrap_err();
    assert_eq!(refused.to_string(), "request 42 has 511 values; the network takes 512");
}

/// Holds with and without the feature, the driver and a GPU: nobody has a hundred.
#[test]
fn a_gpu_that_is_not_here_is_one_error() {
    let device = Device::Cuda { index: 99 };
    let trainer = Trainer::new("lstm", BatchSize::ONE, device, 1).unwrap_err();
    let predictor = Predictor::new("lstm", device, 1).unwrap_err();
    for refused in [trainer, predictor] {
        let words = refused.to_string();
        assert!(words.starts_with("the device cuda:99 cannot be used: "), "{words}");
        assert!(words.lines().count() == 1 && words.len() < 160, "not one short line: {words}");
        assert!(cfg!(feature = "cuda") || words.ends_with("without the feature `cuda`"), "{words}");
    }
}

proptest! {
    #[test]
    fn a_device_is_read_as_it_is_written(cpu: bool, number in 1usize..1000) {
        let text = format!("{}:{number}", if cpu { "cpu" } else { "cuda" });
        let device: Device = text.parse().unwrap();
        prop_assert_eq!(device.to_string(), text);
    }

    #[test]
    fn what_names_no_device_is_refused(text in "(cpu|cuda|gpu|tpu)?:?[a-z0-9-]{0,3}") {
        let known = ["cpu", "cuda"].iter().any(|kind| match text.strip_prefix(kind) {
            Some("") => true,
            Some(rest) => rest.strip_prefix(':').is_some_and(|number| {
                number.parse::<usize>().is_ok_and(|number| number > 0 || *kind == "cuda")
            }),
            None => false,
        });
        let parsed: Result<Device, DeviceError> = text.parse();
        prop_assert_eq!(parsed.is_ok(), known, "{}", text);
    }
}
