//! The strategies that every comparison needs.

mod coordinate_descent;
mod dense_net;
mod neural;
mod per_knob;
mod survey;
mod trial;

pub(crate) use coordinate_descent::coordinate_descent;
pub(crate) use neural::Neural;
pub(crate) use per_knob::binary_search;
pub(crate) use survey::Survey;
