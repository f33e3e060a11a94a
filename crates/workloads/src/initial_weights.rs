//! The weights a network starts with.
//!
//! They are drawn here and not by the framework, whose generator is one for the whole process: two
//! networks set up at once would draw from it in any order. So a seed means the same weights on
//! every device, whatever else runs.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Draws all weights of the module anew from the seed, as He et al. do: normal, with a variance of
/// two over the number of inputs. Biases and what normalises have one dimension and stay.
pub(crate) fn drawn<B: Backend, M: Module<B>>(module: M, seed: u64) -> M {
    module.map(&mut He { rng: ChaCha8Rng::seed_from_u64(seed) })
}

struct He {
    rng: ChaCha8Rng,
}

impl<B: Backend> ModuleMapper<B> for He {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let shape = param.lazy_shape();
        let inputs = match shape.as_slice() {
            [] | [_] => return param,
            [inputs, _outputs] => *inputs,
            [_outputs, inputs @ ..] => inputs.iter().product(),
        };
        let scale = (2.0 / inputs as f32).sqrt();
        let values = (0..shape.num_elements())
            .map(|_| scale * self.rng.sample::<f32, _>(StandardNormal))
            .collect();
        let tensor = Tensor::from_data(TensorData::new(values, shape), &param.lazy_device());
        Param::initialized(param.id, tensor.require_grad())
    }
}
