//! SERVE: the use cases and the doors.
//!
//! A guard request enters through `http/`, is identified, normalised and prepared in parallel, gets its place in
//! the log from the workspace's sequencer, and is answered when its record is durable. `guard/` holds those steps
//! in order, `sequencer/` the serial part, `manage/` what people change.

pub mod app;
mod approvals;
pub mod clock;
pub mod control;
pub mod copy;
mod decisions;
pub mod error;
pub mod events;
mod export;
mod fill;
mod find;
mod fresh;
pub mod guard;
mod held;
pub mod history;
pub mod http;
pub mod id;
pub mod install;
pub mod keyfile;
mod latency;
mod limits;
pub mod manage;
pub mod nodes;
pub mod options;
pub mod people;
mod permit;
mod place;
pub mod projection;
mod random;
mod rate;
mod receipt;
pub mod recompute;
pub mod record;
mod refusal;
mod search;
pub mod secret;
mod sequencer;
mod serve;
pub mod shadow_report;
mod sparing;
mod statistics;
mod tasks;
mod verification;
pub mod workspace;
mod write;

pub use app::App;
pub use error::Error;
pub use options::Options;
pub use people::Issued;
pub use place::{Place, Seeds};
pub use sequencer::{Bound, StateReport, Tier, check_state};
pub use serve::{Ready, Running, serve, start, start_with};
