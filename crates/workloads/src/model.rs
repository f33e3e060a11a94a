//! The networks themselves.

mod convolution;
mod lstm;
mod mobilenet;
mod normalisation;
mod resnet;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_nn::{Initializer, Linear, LinearConfig};

use crate::{Network, initial_weights};

/// A network with its weights.
#[derive(Module, Debug)]
pub(crate) enum Model<B: Backend> {
    Resnet(resnet::Resnet<B>),
    Mobilenet(mobilenet::Mobilenet<B>),
    Lstm(lstm::Lstm<B>),
}

impl<B: Backend> Model<B> {
    /// The network with the weights that the seed draws.
    pub(crate) fn new(network: Network, seed: u64, device: &B::Device) -> Self {
        let model = match network {
            Network::Resnet => Self::Resnet(resnet::Resnet::new(device)),
            Network::Mobilenet => Self::Mobilenet(mobilenet::Mobilenet::new(device)),
            Network::Lstm => Self::Lstm(lstm::Lstm::new(device)),
        };
        initial_weights::drawn(model, seed)
    }

    /// The logarithmic odds of each class, `[sample, class]`, of `[sample, value]`.
    pub(crate) fn logits(&self, samples: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::Resnet(resnet) => resnet.logits(images(samples)),
            Self::Mobilenet(mobilenet) => mobilenet.logits(images(samples)),
            Self::Lstm(lstm) => lstm.logits(sequences(samples)),
        }
    }
}

fn images<B: Backend>(samples: Tensor<B, 2>) -> Tensor<B, 4> {
    let [channels, height, width] = crate::samples::shape::IMAGE;
    let count = samples.dims()[0];
    samples.reshape([count, channels, height, width])
}

fn sequences<B: Backend>(samples: Tensor<B, 2>) -> Tensor<B, 3> {
    let [steps, width] = crate::samples::shape::SEQUENCE;
    let count = samples.dims()[0];
    samples.reshape([count, steps, width])
}

/// A linear layer. It starts at zero, so that the framework draws nothing for it; its weights are
/// drawn with all others.
fn linear<B: Backend>(inputs: usize, outputs: usize, device: &B::Device) -> Linear<B> {
    LinearConfig::new(inputs, outputs).with_initializer(Initializer::Zeros).init(device)
}
