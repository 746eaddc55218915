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

pub mod accounts;
pub mod commits;
pub mod lists;
pub mod reads;
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
            commits: a_workspace_is_inserted_once,
            commits: an_unknown_workspace_is_an_error_everywhere,
            commits: a_batch_on_another_head_writes_nothing,
            commits: of_two_writers_on_one_head_one_wins,
            commits: a_batch_that_does_not_add_up_is_refused,
            commits: a_request_id_is_stored_once_per_agent,
            commits: executions_and_approvals_are_replaced_documents_put_and_deleted,
            commits: workspaces_do_not_see_each_other,
            commits: entries_and_checkpoints_are_read_in_pages,
            commits: bytes_and_ids_are_kept_as_they_are,
            reads: there_is_one_installation,
            reads: approvals_are_listed_newest_first_and_filtered,
            reads: payloads_are_erased_when_their_time_has_come,
            reads: the_last_two_snapshots_are_kept,
            reads: a_document_is_kept_beside_the_commits_and_taken_away,
            reads: probes_and_log_copies_change_nothing,
            accounts: a_password_is_replaced_and_taken_away,
            accounts: a_session_lives_until_it_is_ended,
            accounts: a_link_is_taken_once_and_replaced_by_the_next,
            accounts: what_has_ended_is_forgotten,
            lists: decisions_are_listed_newest_first_and_every_filter_narrows,
            lists: pages_of_decisions_join_without_gap_or_overlap,
            lists: a_decision_is_found_by_request_id_and_agent,
            lists: the_projection_neither_goes_back_nor_ahead_of_the_ledger,
            lists: the_projection_can_be_built_again,
            lists: a_page_reaches_up_as_well_as_down,
            lists: a_line_is_listed_as_it_was_given_whatever_it_says,
            lists: tallies_add_up_by_stretch_and_by_key,
        }
    };
    ($place:expr; $($group:ident: $case:ident,)+) => {
        $(#[test]
        fn $case() {
            $crate::contract::$group::$case(&$place);
        })+
    };
}
