//! How long minibatches take on a simulated device.

use std::time::Duration;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::moment::Moment;

/// How long the minibatches of one workload take.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Times by the number of requests, ascending; one entry, for 0, in training.
    pub times: Vec<(u32, Duration)>,
    /// How the times scatter and drift.
    pub jitter: Jitter,
}

/// How times scatter and drift.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Jitter {
    /// Standard deviation over mean of every execution, cut off at three of them.
    pub ratio: f64,
    /// How much longer a minibatch takes after an hour: 0.1 for a tenth.
    pub drift_per_hour: f64,
}

impl Execution {
    /// A training minibatch, or one whose time does not depend on its requests.
    pub fn of(minibatch: Duration) -> Self {
        Self { times: vec![(0, minibatch)], jitter: Jitter::default() }
    }

    /// Minibatches by the number of requests.
    pub fn by_requests(times: impl IntoIterator<Item = (u32, Duration)>) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self { times, jitter: Jitter::default() }
    }

    /// The same with jitter.
    #[must_use]
    pub fn with(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The time of a minibatch without jitter: that of the next larger number of requests that is
    /// known, or of the largest.
    pub fn time(&self, requests: u32) -> Duration {
        let next = self.times.partition_point(|&(size, _)| size < requests);
        let known = self.times.get(next).or(self.times.last());
        known.map_or(Duration::ZERO, |&(_, time)| time)
    }

    pub(super) fn draw(&self, requests: u32, now: Moment, random: &mut ChaCha8Rng) -> Duration {
        let mut factor =
            1.0 + self.jitter.drift_per_hour * now.since(Moment::START).as_secs_f64() / 3600.0;
        if self.jitter.ratio > 0.0 {
            let sigmas = random.sample::<f64, _>(StandardNormal).clamp(-3.0, 3.0);
            factor *= 1.0 + self.jitter.ratio * sigmas;
        }
        self.time(requests).mul_f64(factor.max(0.01))
    }
}
