//! What the shipped packs do, through the same steps as a guarded call: resolve, read, prepare, decide.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod adversarial;
mod attacks_on_limits;
mod doubts;
mod guide;
mod hostile;
mod lint;
mod memory;
mod packs;
mod sandbox;
mod schema;
mod use_cases;
