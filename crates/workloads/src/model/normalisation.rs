//! Batch normalisation, after Ioffe and Szegedy.
//!
//! The framework's own layer multiplies `[sample, channel, pixel]` by `[1, channel, 1]`, which its
//! processor backend does some fifty times slower than `[row, pixel]` by `[row, 1]`: most of a
//! minibatch would go into that, and minibatches of one, which it does fast, would look all too
//! good beside larger ones. So each channel of each sample is a row here.

use burn::module::{Module, Param, RunningState};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// How much the newest minibatch counts in the running statistics.
const MOMENTUM: f64 = 0.1;
/// Keeps a channel without variance from being divided by zero.
const EPSILON: f64 = 1e-5;

/// Brings each channel to a mean and a variance that are learned. Where gradients are asked for, it
/// goes by the statistics of the minibatch, elsewhere by those of the training so far.
#[derive(Module, Debug)]
pub(super) struct Normalisation<B: Backend> {
    scale: Param<Tensor<B, 1>>,
    shift: Param<Tensor<B, 1>>,
    mean: RunningState<Tensor<B, 1>>,
    variance: RunningState<Tensor<B, 1>>,
}

impl<B: Backend> Normalisation<B> {
    pub(super) fn new(channels: usize, device: &B::Device) -> Self {
        Self {
            scale: Param::from_tensor(Tensor::ones([channels], device)),
            shift: Param::from_tensor(Tensor::zeros([channels], device)),
            mean: RunningState::new(Tensor::zeros([channels], device)),
            variance: RunningState::new(Tensor::ones([channels], device)),
        }
    }

    pub(super) fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        let [count, channels, height, width] = images.dims();
        let shape = images.dims();
        let rows = images.reshape([count * channels, height * width]);
        let per_row = |values: Tensor<B, 1>| {
            values.reshape([1, channels]).repeat_dim(0, count).reshape([count * channels, 1])
        };
        let per_channel = |rows: Tensor<B, 2>| {
            rows.mean_dim(1).reshape([count, channels]).mean_dim(0).reshape([channels])
        };

        let (centred, variance) = if B::ad_enabled(&rows.device()) {
            let mean = per_channel(rows.clone());
            let centred = rows - per_row(mean.clone());
            let variance = per_channel(centred.clone().square());
            observe(&self.mean, mean);
            observe(&self.variance, variance.clone());
            (centred, variance)
        } else {
            (rows - per_row(self.mean.value()), self.variance.value())
        };
        let factor = self.scale.val() / (variance + EPSILON).sqrt();
        (centred * per_row(factor) + per_row(self.shift.val())).reshape(shape)
    }
}

fn observe<B: Backend>(running: &RunningState<Tensor<B, 1>>, newest: Tensor<B, 1>) {
    let before = running.value_sync();
    running.update((before * (1.0 - MOMENTUM) + newest.detach() * MOMENTUM).detach());
}

#[cfg(test)]
mod tests {
    use burn::module::AutodiffModule;
    use burn::tensor::{Distribution, Tolerance};
    use burn_autodiff::Autodiff;
    use burn_flex::{Flex, FlexDevice};
    use burn_nn::{BatchNorm, BatchNormConfig};

    use super::*;

    type Training = Autodiff<Flex>;

    /// In training over some minibatches, then with what was observed.
    #[test]
    fn it_computes_what_the_frameworks_own_layer_does() {
        let ours = Normalisation::<Training>::new(3, &FlexDevice);
        let theirs: BatchNorm<Training> = BatchNormConfig::new(3).init(&FlexDevice);
        for _ in 0..4 {
            let images = Tensor::random([5, 3, 4, 6], Distribution::Normal(2.0, 3.0), &FlexDevice);
            let expected = theirs.forward(images.clone()).into_data();
            ours.forward(images).into_data().assert_approx_eq(&expected, tolerance());
        }
        let images = Tensor::random([2, 3, 4, 6], Distribution::Normal(1.0, 4.0), &FlexDevice);
        let expected = theirs.valid().forward::<4>(Tensor::clone(&images)).into_data();
        ours.valid().forward(images).into_data().assert_approx_eq(&expected, tolerance());
    }

    fn tolerance() -> Tolerance<f32> {
        Tolerance::absolute(1e-4)
    }
}
