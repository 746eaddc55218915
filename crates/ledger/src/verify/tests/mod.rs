//! The tamper matrix: everything that can be done to a small ledger, one thing at a time.

mod ends;
pub(crate) mod ledger;
mod rows;
mod signatures;
mod soundness;
