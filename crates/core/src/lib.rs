//! DECIDE: pure functions from a call, a bundle and the state read to a decision.
//!
//! No I/O, no async, no clock, no randomness, no environment: the same inputs give the same decision,
//! which is what makes a recorded decision recomputable.

pub mod action;
pub mod approval;
pub mod call;
pub mod catalogue;
pub mod containment;
pub mod decide;
pub mod decimal;
pub mod digest;
pub mod environment;
pub mod inspect;
pub mod json;
pub mod meter;
pub mod outcome;
pub mod packs;
pub mod policy;
pub mod profile;
pub mod recompute;
pub mod risk;
pub mod settings;
pub mod target;
pub mod text;
pub mod time;
pub mod value;
