//! The life of a guard request, step by step.

mod answer;
mod identify;
mod normalise;
mod outcome;
mod prepare;
mod redeem;
mod sequence;

pub use answer::Answer;
pub use identify::{Identity, identify};
