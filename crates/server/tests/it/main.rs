//! The server over real HTTP: a real store in a temporary folder, port 0, a clock that stands still until moved.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop where they fail"
)]

mod agents;
mod authorization;
mod backfill;
mod bad_requests;
mod cases;
mod clock;
mod containment;
mod copy;
mod dashboard;
mod decisions;
mod epoch;
mod events;
mod failures;
mod guard;
mod harness;
mod health;
mod ledger;
mod limits;
mod nodes;
mod observe;
mod people;
mod policies;
mod policy_tools;
mod profiles;
mod search;
mod settings;
mod shadow;
mod snapshots;
mod state;
mod storm;
mod stranger;
mod upgrade;
mod workspaces;
