//! A residual network for small images, after He et al., "Deep Residual Learning for Image
//! Recognition": a first convolution, three stages of one basic block, a linear layer.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn_nn::Linear;

use super::convolution::{Convolution, pooled};
use super::linear;
use crate::CLASSES;
use crate::samples::shape::IMAGE;

/// Channels of the three stages; each halves the image's sides, save the first.
const CHANNELS: [usize; 3] = [16, 32, 64];

#[derive(Module, Debug)]
pub(crate) struct Resnet<B: Backend> {
    first: Convolution<B>,
    blocks: Vec<Block<B>>,
    last: Linear<B>,
}

impl<B: Backend> Resnet<B> {
    pub(super) fn new(device: &B::Device) -> Self {
        let [first, second, third] = CHANNELS;
        Self {
            first: Convolution::square([IMAGE[0], first], 2, device),
            blocks: vec![
                Block::new([first, first], 1, device),
                Block::new([first, second], 2, device),
                Block::new([second, third], 2, device),
            ],
            last: linear(third, CLASSES, device),
        }
    }

    pub(super) fn logits(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let first = relu(self.first.forward(images));
        let last = self.blocks.iter().fold(first, |images, block| block.forward(images));
        self.last.forward(pooled(last))
    }
}

/// Two convolutions, and a way past them.
#[derive(Module, Debug)]
struct Block<B: Backend> {
    first: Convolution<B>,
    second: Convolution<B>,
    /// Where the shape changes, the way past has to change it as well.
    past: Option<Convolution<B>>,
}

impl<B: Backend> Block<B> {
    fn new(channels: [usize; 2], stride: usize, device: &B::Device) -> Self {
        let [before, after] = channels;
        let changes = before != after || stride != 1;
        Self {
            first: Convolution::square(channels, stride, device),
            second: Convolution::square([after, after], 1, device),
            past: changes.then(|| Convolution::pointwise(channels, stride, device)),
        }
    }

    fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        let through = self.second.forward(relu(self.first.forward(images.clone())));
        let past = match &self.past {
            Some(convolution) => convolution.forward(images),
            None => images,
        };
        relu(through + past)
    }
}
