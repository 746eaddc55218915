//! One file (or folder) per command: its arguments, and what it does with them.

pub mod agents;
pub mod approvals;
pub mod audit;
pub mod contain;
pub mod copy;
pub mod dev;
pub mod doctor;
pub mod guard;
pub mod init;
pub mod keys;
pub mod migrate;
pub mod observe;
pub mod policy;
pub mod receipt;
pub mod risk;
pub mod serve;
pub mod users;
