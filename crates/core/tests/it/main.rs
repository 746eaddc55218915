//! What the shipped packs do, through the same steps as a guarded call: resolve, read, prepare, decide.

mod packs;
mod sandbox;
mod use_cases;
