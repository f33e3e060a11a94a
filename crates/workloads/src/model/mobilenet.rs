//! Depthwise separable convolutions for small images, after Howard et al., "`MobileNets`: Efficient
//! Convolutional Neural Networks for Mobile Vision Applications".

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn_nn::Linear;

use super::convolution::{Convolution, pooled};
use super::linear;
use crate::CLASSES;
use crate::samples::shape::IMAGE;

/// Channels after the first convolution.
const FIRST: usize = 16;
/// Channels and stride of the layers that follow.
const LAYERS: [(usize, usize); 5] = [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1)];

#[derive(Module, Debug)]
pub(crate) struct Mobilenet<B: Backend> {
    first: Convolution<B>,
    layers: Vec<Separable<B>>,
    last: Linear<B>,
}

impl<B: Backend> Mobilenet<B> {
    pub(super) fn new(device: &B::Device) -> Self {
        let mut before = FIRST;
        let mut layers = Vec::with_capacity(LAYERS.len());
        for (after, stride) in LAYERS {
            layers.push(Separable::new([before, after], stride, device));
            before = after;
        }
        Self {
            first: Convolution::square([IMAGE[0], FIRST], 2, device),
            layers,
            last: linear(before, CLASSES, device),
        }
    }

    pub(super) fn logits(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let first = relu(self.first.forward(images));
        let last = self.layers.iter().fold(first, |images, layer| layer.forward(images));
        self.last.forward(pooled(last))
    }
}

/// A convolution taken apart: first each channel by itself, then across the channels.
#[derive(Module, Debug)]
struct Separable<B: Backend> {
    depthwise: Convolution<B>,
    pointwise: Convolution<B>,
}

impl<B: Backend> Separable<B> {
    fn new(channels: [usize; 2], stride: usize, device: &B::Device) -> Self {
        Self {
            depthwise: Convolution::depthwise(channels[0], stride, device),
            pointwise: Convolution::pointwise(channels, 1, device),
        }
    }

    fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        relu(self.pointwise.forward(relu(self.depthwise.forward(images))))
    }
}
