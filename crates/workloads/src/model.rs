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

#[cfg(test)]
mod tests {
    use burn::module::{ModuleVisitor, Param};
    use burn_autodiff::Autodiff;
    use burn_flex::{Flex, FlexDevice};
    use burn_optim::GradientsParams;

    use super::*;
    use crate::Samples;
    use crate::inference::stacked;

    type Training = Autodiff<Flex>;

    struct Weights<'a> {
        gradients: &'a GradientsParams,
        without: usize,
        with: usize,
    }

    impl ModuleVisitor<Training> for Weights<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Training, D>>) {
            if !param.val().is_require_grad() {
                return;
            }
            match self.gradients.get::<Flex, D>(param.id) {
                Some(gradient) if gradient.clone().abs().max().into_scalar() > 0.0 => {
                    self.with += 1;
                }
                _ => self.without += 1,
            }
        }
    }

    #[test]
    fn the_gradient_reaches_every_weight() {
        // A convolution has its weights and two of its normalisation, a linear layer weights and a
        // bias; the convolutions are nine and eleven.
        for (network, weights) in
            [(Network::Resnet, 3 * 9 + 2), (Network::Mobilenet, 3 * 11 + 2), (Network::Lstm, 6)]
        {
            let model = Model::<Training>::new(network, 1, &FlexDevice);
            let samples: Vec<_> = Samples::new(network, 1).take(4).collect();
            let inputs = samples.iter().map(|sample| &*sample.values);
            let logits = model.logits(stacked(inputs, &FlexDevice));
            let gradients = GradientsParams::from_grads(logits.square().sum().backward(), &model);
            let mut seen = Weights { gradients: &gradients, without: 0, with: 0 };
            model.visit(&mut seen);
            assert_eq!((seen.with, seen.without), (weights, 0), "{network}");
        }
    }

    #[test]
    fn weights_follow_from_the_seed_alone() {
        let answers = |seed| {
            let model = Model::<Flex>::new(Network::Resnet, seed, &FlexDevice);
            let values = vec![0.5; 3072];
            model.logits(stacked([&*values].into_iter(), &FlexDevice)).into_data()
        };
        let first = answers(1);
        // The framework's generator may have been used in between.
        let _: Tensor<Flex, 1> =
            Tensor::random([3], burn::tensor::Distribution::Default, &FlexDevice);
        assert_eq!(first, answers(1));
        assert_ne!(first, answers(2));
    }
}
