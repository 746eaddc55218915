//! Redeeming: what an approval satisfies, and what it does not.

use super::support::*;
use crate::approval::{Evidence, Groups, Verdict, Vote};
use crate::call::Call;
use crate::decide::{Facts, ReasonCode};
use crate::digest::sha256;
use crate::outcome::Outcome::{Allow, Block, RequireApproval};
use crate::time::{Micros, Span};

fn evidence(call: &Call, groups: Groups) -> Evidence {
    let vote = Vote { by: "ana".to_owned(), groups, at: Micros(0), verdict: Verdict::Approve, comment: None };
    Evidence { id: "apr_1".to_owned(), digest: call.digest(), created_at: Micros(0), votes: vec![vote] }
}

fn redeem(world: &World, call: &Call, evidence: Evidence, now: Micros) -> crate::decide::Decision {
    world.decide_with(call, &Facts { now, approval: Some(evidence), ..Facts::default() })
}

fn named(name: &str) -> Groups {
    Groups::Named(vec![name.to_owned()])
}

#[test]
fn an_approval_satisfies_what_its_votes_meet_and_nothing_else() {
    let world = World::policy(
        "- { id: a, action: process_refund, decision: REQUIRE_APPROVAL, approval: { from: [finance] } }\n\
         - { id: b, action: process_refund, when: context.amount > 500, decision: REQUIRE_APPROVAL, approval: { from: [risk] } }",
    );
    let small = refund("5");
    let allowed = redeem(&world, &small, evidence(&small, named("finance")), Micros(1));
    assert_eq!((allowed.outcome, allowed.code), (Allow, ReasonCode::Approved));
    assert!(allowed.matched.iter().all(|rule| rule.satisfied));
    let large = refund("501");
    let refused = redeem(&world, &large, evidence(&large, named("finance")), Micros(1));
    assert_eq!((refused.outcome, refused.matched_rule.to_string().as_str()), (Block, "p/b"));
    assert!(refused.reason.contains("p/b"), "{}", refused.reason);
    assert_eq!(redeem(&world, &large, evidence(&large, Groups::All), Micros(1)).outcome, Allow);
}

#[test]
fn a_block_or_containment_refuses_whoever_approved() {
    let world = World::policy(
        "- { id: a, action: process_refund, decision: REQUIRE_APPROVAL }\n\
         - { id: b, action: process_refund, when: context.currency == \"xxx\", decision: BLOCK }",
    );
    // The BLOCK is only suspected, and still refuses.
    let call = refund("5");
    let refused = redeem(&world, &call, evidence(&call, Groups::All), Micros(1));
    assert_eq!((refused.outcome, refused.matched_rule.to_string().as_str()), (Block, "p/b"));
    let world = World::policy("- { id: a, action: process_refund, decision: REQUIRE_APPROVAL }");
    let approval = Some(evidence(&call, Groups::All));
    let facts = Facts { approval, containment: Some(everything_contained()), ..Facts::default() };
    assert_eq!(world.decide_with(&call, &facts).code, ReasonCode::Containment);
}

#[test]
fn suspicions_the_default_and_the_unreadable_can_be_approved() {
    let call = refund("\"5\"");
    let world =
        World::policy("- { id: a, action: process_refund, when: context.amount > 5, decision: REQUIRE_APPROVAL }")
            .default_decision(RequireApproval);
    let held = world.decide(&call);
    let asked: Vec<String> = held.requirements.iter().map(|requirement| requirement.rule.to_string()).collect();
    assert_eq!(asked, ["p/a", "runplane/default"]);
    assert_eq!(redeem(&world, &call, evidence(&call, Groups::All), Micros(1)).outcome, Allow);
    let query = super::call("execute_query", "db", r#"{"sql":"?"}"#);
    let unread = crate::inspect::Readings { sql: crate::inspect::Reading::Unknown, ..Default::default() };
    let world = World::policy("- { id: any, decision: ALLOW }");
    let facts = Facts { approval: Some(evidence(&query, Groups::All)), ..Facts::default() };
    assert_eq!(world.decide_read(&query, &unread, &facts).outcome, Allow);
}

#[test]
fn an_approval_speaks_for_its_own_action_only() {
    let world = World::policy("- { id: a, action: process_refund, decision: REQUIRE_APPROVAL }");
    let (asked, other) = (refund("5"), refund("6"));
    assert_eq!(redeem(&world, &other, evidence(&asked, Groups::All), Micros(1)).outcome, Block);
    let mut forged = evidence(&asked, Groups::All);
    forged.digest = sha256(&[b"x"]);
    assert_eq!(redeem(&world, &asked, forged, Micros(1)).outcome, Block);
}

#[test]
fn denials_and_expired_votes_satisfy_nothing() {
    let world =
        World::policy("- { id: a, action: process_refund, decision: REQUIRE_APPROVAL, approval: { expires: 10m } }");
    let call = refund("5");
    let end = Micros(0).after(Span::seconds(600));
    assert_eq!(redeem(&world, &call, evidence(&call, Groups::All), end.before(Span(1))).outcome, Allow);
    assert_eq!(redeem(&world, &call, evidence(&call, Groups::All), end).outcome, Block);
    let mut denied = evidence(&call, Groups::All);
    denied.votes[0].verdict = Verdict::Deny;
    assert_eq!(redeem(&world, &call, denied, Micros(1)).outcome, Block);
}

#[test]
fn a_call_that_today_needs_no_approval_is_simply_allowed() {
    let world = World::policy("- { id: a, action: process_refund, decision: ALLOW }");
    let call = refund("5");
    let decision = redeem(&world, &call, evidence(&call, Groups::All), Micros(1));
    assert_eq!((decision.outcome, decision.code), (Allow, ReasonCode::Policy));
}

#[test]
fn too_many_open_approvals_block_instead_of_queueing() {
    let world = World::policy("- { id: a, action: process_refund, decision: REQUIRE_APPROVAL }");
    let at = |open_approvals| world.decide_with(&refund("5"), &Facts { open_approvals, ..Facts::default() });
    assert_eq!(at(99).outcome, RequireApproval);
    let full = at(100);
    assert_eq!((full.outcome, full.code), (Block, ReasonCode::OpenApprovalCap));
    assert!(full.charges.is_empty() && full.requirements.is_empty());
}

#[test]
fn a_quorum_is_met_by_that_many_different_people_of_the_groups() {
    let world = World::policy(
        "- { id: a, action: process_refund, decision: REQUIRE_APPROVAL, approval: { from: [finance], quorum: 2 } }",
    );
    let call = refund("5");
    let asked = world.decide(&call);
    assert_eq!(
        (asked.requirements[0].quorum, asked.requirements[0].from.as_slice()),
        (2, ["finance".to_owned()].as_slice())
    );
    let finance = Groups::Named(vec!["finance".to_owned()]);
    let mut votes = evidence(&call, finance);
    assert_eq!(redeem(&world, &call, votes.clone(), Micros(1)).outcome, Block, "one of two");
    votes.votes.push(votes.votes[0].clone());
    assert_eq!(redeem(&world, &call, votes.clone(), Micros(1)).outcome, Block, "the same person twice");
    votes.votes[1].by = "somebody else".to_owned();
    votes.votes[1].groups = Groups::Named(vec!["legal".to_owned()]);
    assert_eq!(redeem(&world, &call, votes.clone(), Micros(1)).outcome, Block, "of another group");
    votes.votes[1].groups = Groups::All;
    assert_eq!(redeem(&world, &call, votes, Micros(1)).outcome, Allow);
}
