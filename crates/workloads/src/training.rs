//! Training on one backend: forward, backward, optimizer step.

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{ElementConversion, Int, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_flex::{Flex, FlexDevice};
use burn_nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn_optim::adaptor::OptimizerAdaptor;
use burn_optim::{Adam, AdamConfig, GradientsParams, Optimizer};

use crate::inference::{Inference, InferenceOn, stacked};
use crate::model::Model;
use crate::{Device, Error, Network, Sample};

/// Adam's step: large enough for a loss that falls within tens of minibatches.
const LEARNING_RATE: f64 = 3e-3;

/// A network that learns, whatever the backend.
pub(crate) trait Training: Send + Sync {
    /// One minibatch, from the samples to the new weights, and until the device is done with it.
    fn minibatch(&mut self, samples: &[Sample]) -> Result<f32, Error>;

    /// The network as it is now, for answering.
    fn inference(&self) -> Box<dyn Inference>;
}

/// Sets a network up for training, with weights drawn from the seed.
pub(crate) fn on(device: Device, network: Network, seed: u64) -> Result<Box<dyn Training>, Error> {
    match device {
        Device::Cpu { .. } => {
            Ok(Box::new(TrainingOn::<Autodiff<Flex>>::new(network, seed, FlexDevice)))
        }
        #[cfg(feature = "cuda")]
        Device::Cuda { index } => {
            let device = crate::cuda::device(index)?;
            Ok(Box::new(TrainingOn::<Autodiff<burn_cuda::Cuda>>::new(network, seed, device)))
        }
        #[cfg(not(feature = "cuda"))]
        Device::Cuda { .. } => Err(Error::without_cuda(device)),
    }
}

struct TrainingOn<B: AutodiffBackend> {
    model: Model<B>,
    loss: CrossEntropyLoss<B>,
    optimizer: OptimizerAdaptor<Adam, Model<B>, B>,
    device: B::Device,
}

impl<B: AutodiffBackend> TrainingOn<B> {
    fn new(network: Network, seed: u64, device: B::Device) -> Self {
        Self {
            model: Model::new(network, seed, &device),
            loss: CrossEntropyLossConfig::new().init(&device),
            optimizer: AdamConfig::new().init(),
            device,
        }
    }
}

impl<B: AutodiffBackend> Training for TrainingOn<B> {
    fn minibatch(&mut self, samples: &[Sample]) -> Result<f32, Error> {
        let inputs = stacked(samples.iter().map(|sample| &*sample.values), &self.device);
        #[expect(clippy::cast_possible_wrap, reason = "there are ten classes")]
        let classes: Vec<i32> = samples.iter().map(|sample| sample.class as i32).collect();
        let classes =
            Tensor::<B, 1, Int>::from_data(TensorData::new(classes, [samples.len()]), &self.device);
        let loss = self.loss.forward(self.model.logits(inputs), classes);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.model);
        self.model = self.optimizer.step(LEARNING_RATE, self.model.clone(), gradients);
        // Reading the loss waits for the loss alone; the new weights come after it.
        B::sync(&self.device).map_err(Error::failed)?;
        let loss = loss.try_into_scalar().map_err(Error::failed)?;
        Ok(loss.elem())
    }

    fn inference(&self) -> Box<dyn Inference> {
        let model = self.model.valid();
        Box::new(InferenceOn::<B::InnerBackend>::new(model, self.device.clone()))
    }
}
