//! A long short-term memory over short sequences, after Hochreiter and Schmidhuber, with a linear
//! layer on what it remembers at the end.
//!
//! The framework's own layer keeps the output of every step and computes each gate by itself. Only
//! the last output is wanted here, and all gates of a step are one product.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::backend::Backend;
use burn_nn::Linear;

use super::linear;
use crate::CLASSES;
use crate::samples::shape::SEQUENCE;

/// How much is remembered.
const HIDDEN: usize = 128;
/// Input, forget and output gate, and what may be remembered.
const GATES: usize = 4;

#[derive(Module, Debug)]
pub(crate) struct Lstm<B: Backend> {
    from_input: Linear<B>,
    from_hidden: Linear<B>,
    last: Linear<B>,
}

impl<B: Backend> Lstm<B> {
    pub(super) fn new(device: &B::Device) -> Self {
        Self {
            from_input: linear(SEQUENCE[1], GATES * HIDDEN, device),
            from_hidden: linear(HIDDEN, GATES * HIDDEN, device),
            last: linear(HIDDEN, CLASSES, device),
        }
    }

    pub(super) fn logits(&self, sequences: Tensor<B, 3>) -> Tensor<B, 2> {
        let [count, steps, _] = sequences.dims();
        let device = sequences.device();
        // What the inputs add to the gates does not depend on what is remembered: one product.
        let inputs = self.from_input.forward(sequences);
        let mut hidden = Tensor::zeros([count, HIDDEN], &device);
        let mut cell = Tensor::zeros([count, HIDDEN], &device);
        for step in 0..steps {
            let input = inputs.clone().narrow(1, step, 1).squeeze_dim(1);
            let gates: Tensor<B, 2> = input + self.from_hidden.forward(hidden);
            let gate = |index| gates.clone().narrow(1, index * HIDDEN, HIDDEN);
            // A forget gate that starts open lets the first gradients reach the first steps.
            let kept = sigmoid(gate(1) + 1.0) * cell;
            cell = kept + sigmoid(gate(0)) * tanh(gate(3));
            hidden = sigmoid(gate(2)) * tanh(cell.clone());
        }
        self.last.forward(hidden)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::{Distribution, Tolerance};
    use burn_flex::{Flex, FlexDevice};
    use burn_nn::{GateController, LstmConfig};

    use super::*;

    fn random<const D: usize>(shape: [usize; D]) -> Tensor<Flex, D> {
        Tensor::random(shape, Distribution::Normal(0.0, 0.2), &FlexDevice)
    }

    /// The framework's layer, given the same weights a gate at a time.
    #[test]
    fn it_computes_what_the_frameworks_own_layer_does() {
        let mut ours = Lstm::<Flex>::new(&FlexDevice);
        for (layer, inputs) in
            [(&mut ours.from_input, SEQUENCE[1]), (&mut ours.from_hidden, HIDDEN)]
        {
            layer.weight = Param::from_tensor(random([inputs, GATES * HIDDEN]));
            layer.bias = Some(Param::from_tensor(random([GATES * HIDDEN])));
        }
        ours.last.weight = Param::from_tensor(random([HIDDEN, CLASSES]));

        let mut theirs = LstmConfig::new(SEQUENCE[1], HIDDEN, true).init::<Flex>(&FlexDevice);
        let take = |gate: &mut GateController<Flex>, index: usize, open: f32| {
            for (theirs, ours, open) in [
                (&mut gate.input_transform, &ours.from_input, open),
                (&mut gate.hidden_transform, &ours.from_hidden, 0.0),
            ] {
                let [from, count] = [index * HIDDEN, HIDDEN];
                let weight = ours.weight.val().narrow(1, from, count);
                let bias = ours.bias.as_ref().map(|bias| bias.val().narrow(0, from, count) + open);
                theirs.weight = Param::from_tensor(weight);
                theirs.bias = bias.map(Param::from_tensor);
            }
        };
        take(&mut theirs.input_gate, 0, 0.0);
        take(&mut theirs.forget_gate, 1, 1.0);
        take(&mut theirs.output_gate, 2, 0.0);
        take(&mut theirs.cell_gate, 3, 0.0);

        let sequences = random([3, SEQUENCE[0], SEQUENCE[1]]);
        let (_, state) = theirs.forward(sequences.clone(), None);
        let expected = ours.last.forward(state.hidden).into_data();
        let logits = ours.logits(sequences).into_data();
        logits.assert_approx_eq(&expected, Tolerance::<f32>::absolute(1e-4));
    }
}
