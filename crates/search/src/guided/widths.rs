//! How wide the prior is: what the family of models leaves open.

/// The width of what the prior does not know of a quantity.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Widths {
    /// The factor on the features' standard deviation.
    pub(super) inflation: f64,
    /// The standard deviation of the level that all workloads share.
    pub(super) common_level: f64,
    /// The standard deviation of each workload's own level.
    pub(super) own_level: f64,
    /// The standard deviation of the smooth residual.
    pub(super) residual: f64,
    /// Its length scale, as a share of a knob's logarithmic range.
    pub(super) length: f64,
    /// The standard deviation of what is not smooth: how far a cell may lie off its neighbours.
    pub(super) rough: f64,
}

/// What a model does not say of the time of a minibatch: its level is free.
pub(super) const TIME: Widths = Widths {
    inflation: 1.0,
    common_level: 0.0,
    own_level: 3.0,
    residual: 0.05,
    length: 0.35,
    rough: 0.02,
};

/// What a model does not say of power: the base is free, and much the same for both workloads.
pub(super) const POWER: Widths = Widths {
    inflation: 1.0,
    common_level: 3.0,
    own_level: 0.05,
    residual: 0.04,
    length: 0.35,
    rough: 0.025,
};
