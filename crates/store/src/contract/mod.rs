//! What every implementation of [`Store`] must do, as cases that run against any of them.
//!
//! An implementation's tests name a [`Place`] and let [`crate::contract_tests`] make one test per case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code that other crates' tests call, so the exemption for tests does not reach it"
)]

pub mod commits;
pub mod samples;

use crate::Store;

/// Storage that can be opened, used, let go and opened again. Empty at first.
pub trait Place {
    fn open(&self) -> Box<dyn Store>;
}

/// One `#[test]` per case of the contract, each with a place of its own made by `$place`.
#[macro_export]
macro_rules! contract_tests {
    ($place:expr) => {
        $crate::contract_tests! { $place;
            commits: a_new_workspace_has_the_head_of_its_first_batch,
            commits: a_commit_writes_exactly_its_batch,
            commits: what_was_committed_is_there_after_reopening,
        }
    };
    ($place:expr; $($group:ident: $case:ident,)+) => {
        $(#[test]
        fn $case() {
            $crate::contract::$group::$case(&$place);
        })+
    };
}
