use super::*;
use crate::digest::sha256;
use crate::policy::RuleId;
use proptest::prelude::*;

const LONGEST: Span = Span::seconds(3_600);
const PERMIT: Span = Span::seconds(120);

fn requirement(rule: &str, from: &[&str]) -> Requirement {
    let from = from.iter().map(|name| (*name).to_owned()).collect();
    Requirement { rule: RuleId::new("p", rule), from, quorum: 1, expires_at: None }
}

fn open(requirements: Vec<Requirement>) -> Approval {
    let asked = Asked {
        id: "apr_1".to_owned(),
        request_id: "req_1".to_owned(),
        digest: sha256(&[b"call"]),
        agent: "agt_1".to_owned(),
        requesters: vec!["owner".to_owned()],
    };
    Approval::open(asked, requirements, Micros(0), LONGEST)
}

fn person(id: &str, groups: &[&str]) -> Voter {
    Voter {
        id: id.to_owned(),
        names: vec![format!("{id}@acme.example")],
        groups: Groups::Named(groups.iter().map(|name| (*name).to_owned()).collect()),
    }
}

fn admin() -> Voter {
    Voter { id: "admin".to_owned(), names: Vec::new(), groups: Groups::All }
}

fn vote(voter: Voter, verdict: Verdict) -> Event {
    Event::Vote { voter, verdict, comment: None }
}

fn redeem(id: &str) -> Event {
    Event::Redeem { redemption_id: id.to_owned(), refusal: None }
}

#[test]
fn one_vote_may_meet_several_requirements() {
    let approval = open(vec![requirement("a", &["finance"]), requirement("b", &[])]);
    let approved = approval.transition(vote(person("ana", &["finance"]), Verdict::Approve), Micros(1)).unwrap();
    assert_eq!((approved.state, approved.resolved_by.as_deref()), (State::Approved, Some("ana")));
}

#[test]
fn every_requirement_must_be_met() {
    let approval = open(vec![requirement("a", &["finance"]), requirement("b", &["security"])]);
    let half = approval.transition(vote(person("ana", &["finance"]), Verdict::Approve), Micros(1)).unwrap();
    assert_eq!(half.state, State::Pending);
    let again = half.transition(vote(person("ana", &["finance"]), Verdict::Approve), Micros(2));
    assert_eq!(again, Err(TransitionError::VotedAlready("ana".to_owned())));
    let whole = half.transition(vote(person("bob", &["security"]), Verdict::Approve), Micros(2)).unwrap();
    assert_eq!(whole.state, State::Approved);
}

#[test]
fn one_denial_is_enough() {
    let approval = open(vec![requirement("a", &["finance"]), requirement("b", &["security"])]);
    let denied = approval.transition(vote(person("bob", &["security"]), Verdict::Deny), Micros(1)).unwrap();
    assert_eq!((denied.state, denied.state.status()), (State::Denied, "denied"));
}

#[test]
fn the_requester_and_people_who_were_not_asked_have_no_vote() {
    let approval = open(vec![requirement("a", &["finance"])]);
    for verdict in [Verdict::Approve, Verdict::Deny] {
        let own = approval.transition(vote(person("owner", &["finance"]), verdict), Micros(1));
        assert_eq!(own, Err(TransitionError::Requester("owner".to_owned())));
        let stranger = approval.transition(vote(person("eve", &["sales"]), verdict), Micros(1));
        assert_eq!(stranger, Err(TransitionError::NotAsked("eve".to_owned())));
    }
}

#[test]
fn the_earliest_expiry_wins() {
    let mut early = requirement("a", &[]);
    early.expires_at = Some(Micros(5_000_000));
    let approval = open(vec![early, requirement("b", &[])]);
    assert_eq!(approval.expires_at, Micros(5_000_000));
    assert_eq!(open(vec![requirement("b", &[])]).expires_at, Micros(0).after(LONGEST));
}

#[test]
fn expired_approval_cannot_be_redeemed() {
    let approval = open(vec![requirement("a", &[])]);
    let late = approval.expires_at;
    assert_eq!(approval.transition(vote(admin(), Verdict::Approve), late), Err(TransitionError::Expired));
    assert_eq!(approval.transition(Event::Expire, late.before(Span(1))), Err(TransitionError::NotExpired));
    let approved = approval.transition(vote(admin(), Verdict::Approve), Micros(1)).unwrap();
    assert_eq!(approved.attempt("r1", PERMIT, late), Err(TransitionError::Expired));
    assert_eq!(approved.transition(redeem("r1"), late), Err(TransitionError::Expired));
    assert_eq!(approved.transition(Event::Expire, late).unwrap().state.status(), "expired");
}

#[test]
fn redeemed_once_and_repeatable_only_by_the_same_id_within_the_permits_life() {
    let approval = open(vec![requirement("a", &[])]);
    let pending = approval.attempt("r1", PERMIT, Micros(1));
    assert_eq!(pending, Err(TransitionError::NotApproved(State::Pending)));
    let approved = approval.transition(vote(admin(), Verdict::Approve), Micros(1)).unwrap();
    assert!(matches!(approved.attempt("r1", PERMIT, Micros(2)), Ok(Attempt::Decide(_))));
    let redeemed = approved.transition(redeem("r1"), Micros(2)).unwrap();
    assert_eq!(redeemed.state, State::Redeemed);
    assert_eq!(redeemed.resolved_by.as_deref(), Some("admin"));
    assert!(matches!(redeemed.attempt("r1", PERMIT, Micros(3)), Ok(Attempt::Repeat(_))));
    assert_eq!(redeemed.attempt("r2", PERMIT, Micros(3)), Err(TransitionError::RedeemedAlready));
    let later = Micros(2).after(PERMIT);
    assert_eq!(redeemed.attempt("r1", PERMIT, later), Err(TransitionError::RedeemedAlready));
}

#[test]
fn a_refused_redemption_is_final_and_reads_as_denied() {
    let approved = open(vec![requirement("a", &[])]).transition(vote(admin(), Verdict::Approve), Micros(1)).unwrap();
    let event = Event::Redeem { redemption_id: "r1".to_owned(), refusal: Some("refused by p/b".to_owned()) };
    let refused = approved.transition(event, Micros(2)).unwrap();
    assert_eq!((refused.state, refused.state.status()), (State::Refused, "denied"));
    assert_eq!(refused.comment.as_deref(), Some("refused by p/b"));
    assert!(refused.transition(redeem("r1"), Micros(3)).is_err());
}

#[test]
fn stored_form_reads_back() {
    let approved = open(vec![requirement("a", &["x"])]).transition(vote(admin(), Verdict::Approve), Micros(1)).unwrap();
    let redeemed = approved.transition(redeem("r1"), Micros(2)).unwrap();
    let text = serde_json::to_string(&redeemed).unwrap();
    assert_eq!(serde_json::from_str::<Approval>(&text).unwrap(), redeemed);
}

fn any_event() -> impl Strategy<Value = Event> {
    let voter = prop_oneof![
        Just(admin()),
        Just(person("owner", &["finance"])),
        Just(person("ana", &["finance"])),
        Just(person("bob", &["security"])),
    ];
    prop_oneof![
        (voter, prop_oneof![Just(Verdict::Approve), Just(Verdict::Approve), Just(Verdict::Deny)])
            .prop_map(|(voter, verdict)| vote(voter, verdict)),
        Just(Event::Expire),
        Just(Event::Cancel { by: "admin".to_owned(), comment: None }),
        (0..3u8, any::<bool>()).prop_map(|(id, refuse)| Event::Redeem {
            redemption_id: format!("r{id}"),
            refusal: refuse.then(|| "no".to_owned()),
        }),
    ]
}

proptest! {
    /// Any sequence of events: final states are final, at most one redemption, nothing is redeemed that
    /// was not approved by the votes on it, and only edges of the diagram are walked.
    #[test]
    fn every_walk_keeps_the_invariants(
        events in proptest::collection::vec((any_event(), 0i64..900_000_000), 0..30),
    ) {
        let mut approval = open(vec![requirement("a", &["finance"]), requirement("b", &["security"])]);
        let mut now = Micros(0);
        for (event, gap) in events {
            now = now.after(Span(gap));
            let Ok(next) = approval.transition(event, now) else { continue };
            let edge = (approval.state, next.state);
            let legal = match approval.state {
                State::Pending => !matches!(next.state, State::Redeemed | State::Refused),
                State::Approved => !matches!(next.state, State::Pending | State::Approved | State::Denied),
                _ => false,
            };
            prop_assert!(legal, "{edge:?}");
            if matches!(next.state, State::Approved | State::Redeemed) {
                prop_assert!(next.is_met());
            }
            prop_assert!(next.votes.iter().all(|vote| vote.by != "owner"));
            prop_assert_eq!(next.digest, approval.digest);
            approval = next;
        }
        if approval.redemption.is_some() {
            prop_assert!(matches!(approval.state, State::Redeemed | State::Refused));
        }
    }
}
