//! A convolution with what always follows it, as both image networks use it.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_nn::PaddingConfig2d;
use burn_nn::conv::{Conv2d, Conv2dConfig};

use super::normalisation::Normalisation;

/// A convolution and its batch normalisation; whoever uses it chooses the activation.
#[derive(Module, Debug)]
pub(super) struct Convolution<B: Backend> {
    convolution: Conv2d<B>,
    normalisation: Normalisation<B>,
}

impl<B: Backend> Convolution<B> {
    /// Over squares of 3 by 3 pixels, from so many channels to so many.
    pub(super) fn square(channels: [usize; 2], stride: usize, device: &B::Device) -> Self {
        Self::new(&Conv2dConfig::new(channels, [3, 3]).with_padding(around()), stride, device)
    }

    /// Over squares of 3 by 3 pixels, each channel by itself.
    pub(super) fn depthwise(channels: usize, stride: usize, device: &B::Device) -> Self {
        let config = Conv2dConfig::new([channels; 2], [3, 3]);
        Self::new(&config.with_groups(channels).with_padding(around()), stride, device)
    }

    /// Over single pixels, across the channels.
    pub(super) fn pointwise(channels: [usize; 2], stride: usize, device: &B::Device) -> Self {
        Self::new(&Conv2dConfig::new(channels, [1, 1]), stride, device)
    }

    fn new(config: &Conv2dConfig, stride: usize, device: &B::Device) -> Self {
        // The normalisation has a bias of its own.
        let config = config.clone().with_stride([stride; 2]).with_bias(false);
        Self {
            normalisation: Normalisation::new(config.channels[1], device),
            convolution: config.init(device),
        }
    }

    pub(super) fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        self.normalisation.forward(self.convolution.forward(images))
    }
}

fn around() -> PaddingConfig2d {
    PaddingConfig2d::Explicit(1, 1, 1, 1)
}

/// The mean of each channel over the whole image: `[sample, channel]`.
pub(super) fn pooled<B: Backend>(images: Tensor<B, 4>) -> Tensor<B, 2> {
    let [count, channels, height, width] = images.dims();
    images.reshape([count, channels, height * width]).mean_dim(2).squeeze_dim(2)
}
