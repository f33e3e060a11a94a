//! Inference on one backend: forward alone.

use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use burn_flex::{Flex, FlexDevice};

use crate::model::Model;
use crate::{CLASSES, Device, Error, Network};

/// A network that answers, whatever the backend.
pub(crate) trait Inference: Send {
    /// One minibatch: for each input the score of each class, as the network believes; the scores
    /// of an input add up to one.
    fn minibatch(&mut self, inputs: &[&[f32]]) -> Result<Vec<[f32; CLASSES]>, Error>;
}

/// Sets a network up for answering, with weights drawn from the seed.
pub(crate) fn on(device: Device, network: Network, seed: u64) -> Result<Box<dyn Inference>, Error> {
    match device {
        Device::Cpu { .. } => {
            let model = Model::new(network, seed, &FlexDevice);
            Ok(Box::new(InferenceOn::<Flex>::new(model, FlexDevice)))
        }
        #[cfg(feature = "cuda")]
        Device::Cuda { index } => {
            let device = crate::cuda::device(index)?;
            let model = Model::new(network, seed, &device);
            Ok(Box::new(InferenceOn::<burn_cuda::Cuda>::new(model, device)))
        }
        #[cfg(not(feature = "cuda"))]
        Device::Cuda { .. } => Err(Error::without_cuda(device)),
    }
}

pub(crate) struct InferenceOn<B: Backend> {
    model: Model<B>,
    device: B::Device,
}

impl<B: Backend> InferenceOn<B> {
    pub(crate) fn new(model: Model<B>, device: B::Device) -> Self {
        Self { model, device }
    }
}

impl<B: Backend> Inference for InferenceOn<B> {
    fn minibatch(&mut self, inputs: &[&[f32]]) -> Result<Vec<[f32; CLASSES]>, Error> {
        let logits = self.model.logits(stacked(inputs.iter().copied(), &self.device));
        // Reading the scores waits for the device: nothing comes after them.
        let scores = softmax(logits, 1).try_into_data().map_err(Error::failed)?;
        let scores = scores.convert::<f32>().to_vec::<f32>();
        let scores = scores.map_err(|error| Error::failed(format!("{error:?}")))?;
        let (rows, _) = scores.as_chunks::<CLASSES>();
        Ok(rows.to_vec())
    }
}

/// Inputs of the same length as the rows of one tensor.
pub(crate) fn stacked<'a, B: Backend>(
    inputs: impl ExactSizeIterator<Item = &'a [f32]>,
    device: &B::Device,
) -> Tensor<B, 2> {
    let rows = inputs.len();
    let values: Vec<f32> = inputs.flatten().copied().collect();
    let columns = values.len() / rows.max(1);
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}
