//! Clocks that do what they should not: no window is empty before its time has passed, and the ledger says what happened.
//!
//! The limit is three within an hour, over windows that are rounded up by a minute at most.

use crate::failures::FAULTS;
use crate::harness::{Home, Server};
use crate::limits::POLICY_OF_THREE;
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// On the clocks of the machine: a shared database has one of its own.
async fn used_up() -> Server {
    let packs = vec![("test".to_owned(), POLICY_OF_THREE.to_owned())];
    let server = Server::at(Home::embedded(), packs).await;
    for _ in 0..3 {
        assert_eq!(ask(&server).await, "ALLOW");
    }
    assert_eq!(ask(&server).await, "BLOCK");
    server
}

async fn ask(server: &Server) -> String {
    server.act("read_balance", "stripe", json!({})).await.text("decision").to_owned()
}

/// Steps as the ledger has them, with what windows are widened by after each, in seconds. Time never goes back in it.
fn steps(server: &Server) -> Vec<(i64, i64)> {
    let entries = server.entries();
    let times: Vec<i64> = entries.iter().map(|entry| entry["at"].as_i64().unwrap()).collect();
    assert!(times.is_sorted(), "time goes back on the ledger");
    let seconds = |value: &Value| value.as_i64().unwrap() / SECOND;
    let clock = entries.iter().filter(|entry| entry["kind"] == "clock");
    clock.map(|entry| (seconds(&entry["body"]["step"]), seconds(&entry["body"]["unaccepted"]))).collect()
}

#[tokio::test]
async fn a_backward_step_empties_no_window_early_and_holds_none_for_ever() {
    let server = used_up().await;
    server.clock.step_wall(-30 * MINUTE);
    assert_eq!(ask(&server).await, "BLOCK");
    assert_eq!(steps(&server), [(-1_800, 0)]);
    let server = server.restart().await;
    server.advance(59 * 60);
    assert_eq!(ask(&server).await, "BLOCK", "59 minutes passed, whatever the clock was set to");
    // Ledger time stood still until the clock was there again: the window ends later by as much, and not later.
    server.advance(33 * 60);
    assert_eq!(ask(&server).await, "ALLOW");
    assert_eq!(steps(&server), [(-1_800, 0)]);
}

#[tokio::test]
async fn a_forward_jump_empties_no_window_until_the_hour_has_passed() {
    let server = used_up().await;
    server.clock.step_wall(120 * MINUTE);
    assert_eq!(ask(&server).await, "BLOCK", "two hours on the wall, none that passed");
    assert_eq!(steps(&server), [(7_200, 7_200)]);
    server.advance(59 * 60);
    assert_eq!(ask(&server).await, "BLOCK");
    let server = server.restart().await;
    assert_eq!(ask(&server).await, "BLOCK");
    server.advance(3 * 60);
    assert_eq!(ask(&server).await, "ALLOW", "an hour passed: nobody has to accept anything for that");
    assert_eq!(steps(&server), [(7_200, 7_200)]);
}

#[tokio::test]
async fn a_jump_that_meets_a_failed_commit_is_noticed_by_the_next_one() {
    for (fault, recorded) in FAULTS {
        let server = used_up().await;
        server.clock.step_wall(120 * MINUTE);
        server.store.inject(fault);
        let failed = server.act("read_balance", "stripe", json!({})).await;
        assert_eq!((failed.status, steps(&server).len()), (503, usize::from(recorded)), "{fault:?} {failed:?}");
        server.clock.step_wall(60 * MINUTE);
        server.advance(1);
        assert_eq!(ask(&server).await, "BLOCK", "{fault:?}: three hours on the wall, none that passed");
        let expected = if recorded { vec![(7_200, 7_200), (3_600, 10_800)] } else { vec![(10_800, 10_800)] };
        assert_eq!(steps(&server), expected, "{fault:?}");
        server.advance(59 * 60);
        assert_eq!(ask(&server).await, "BLOCK", "{fault:?}");
        server.advance(3 * 60);
        assert_eq!(ask(&server).await, "ALLOW", "{fault:?}");
    }
}

#[tokio::test]
async fn a_jump_there_and_back_leaves_windows_wider_and_never_narrower() {
    let server = used_up().await;
    server.clock.step_wall(120 * MINUTE);
    assert_eq!(ask(&server).await, "BLOCK");
    server.clock.step_wall(-120 * MINUTE);
    assert_eq!(ask(&server).await, "BLOCK");
    assert_eq!(steps(&server), [(7_200, 7_200), (-7_200, 7_200)]);
    server.advance(59 * 60);
    assert_eq!(ask(&server).await, "BLOCK");
}

#[tokio::test]
async fn two_hours_of_sleep_on_a_clock_that_stood_are_a_jump_until_somebody_accepts_them() {
    // The elapsed time of many machines stands while they sleep; the wall clock does not.
    let server = used_up().await;
    server.clock.step_wall(120 * MINUTE);
    assert_eq!(ask(&server).await, "BLOCK", "nobody can tell sleep from a clock that was set");
    assert_eq!(steps(&server), [(7_200, 7_200)]);
    let accepted = server.admin_post("/api/v1/clock/accept", &json!({})).await;
    assert_eq!(accepted.json["widenedSeconds"], 7_200, "{accepted:?}");
    assert_eq!(ask(&server).await, "ALLOW", "an operator says that the time did pass");
    assert_eq!(steps(&server), [(7_200, 7_200), (0, 0)]);
    // From then on windows are as long as they are written.
    for expected in ["ALLOW", "ALLOW", "BLOCK"] {
        assert_eq!(ask(&server).await, expected);
    }
    server.advance(59 * 60);
    assert_eq!(ask(&server).await, "BLOCK");
    server.advance(3 * 60);
    assert_eq!(ask(&server).await, "ALLOW");
}

const LONGER: &str = "
policy: test
rules:
  - { id: reads, action: read_balance, decision: ALLOW, limit: { count: 3, within: 1h, per: [agent] } }
  - { id: longer, action: read_balance, limit: { count: 3, within: 3h, per: [agent] } }
  - { id: charges, action: create_charge, decision: ALLOW, limit: { count: 1, within: 1h, per: [agent] } }
";

#[tokio::test]
async fn two_hours_of_sleep_on_a_clock_that_ran_on_are_two_hours() {
    let server = Server::at(Home::embedded(), vec![("test".to_owned(), LONGER.to_owned())]).await;
    for _ in 0..3 {
        assert_eq!(ask(&server).await, "ALLOW");
    }
    let charge =
        async || server.act("create_charge", "stripe", json!({ "amount": 1 })).await.text("decision").to_owned();
    assert_eq!([charge().await, charge().await], ["ALLOW", "BLOCK"]);
    server.advance(2 * 3_600);
    assert_eq!(charge().await, "ALLOW", "its hour has passed");
    assert_eq!(ask(&server).await, "BLOCK", "three hours have not");
    server.advance(59 * 60);
    assert_eq!(ask(&server).await, "BLOCK");
    server.advance(5 * 60);
    assert_eq!(ask(&server).await, "ALLOW");
    assert!(steps(&server).is_empty(), "nothing happened to the clock");
}

#[tokio::test]
async fn a_clock_set_forward_in_small_steps_is_noticed_like_one_large_step() {
    let rules = POLICY_OF_THREE.replace("within: 1h", "within: 1m");
    let server = Server::at(Home::embedded(), vec![("test".to_owned(), rules)]).await;
    for _ in 0..3 {
        assert_eq!(ask(&server).await, "ALLOW");
    }
    for _ in 0..60 {
        server.clock.step_wall(SECOND + SECOND / 2);
        assert_eq!(ask(&server).await, "BLOCK", "no time has passed");
    }
    let found = steps(&server);
    let widened = found.last().unwrap().1;
    assert!((88..=90).contains(&widened), "{found:?}");
}

#[tokio::test]
async fn a_hold_that_a_jump_ends_gives_back_no_more_than_it_took() {
    let held = "
policy: test
rules:
  - { id: holds, action: process_refund, decision: REQUIRE_APPROVAL, approval: { expires: 10m },
      limit: { count: 2, within: 1h, per: [agent], otherwise: BLOCK } }
";
    let server = Server::at(Home::embedded(), vec![("test".to_owned(), held.to_owned())]).await;
    let refund = async || server.act("process_refund", "stripe", json!({ "amount": 1 })).await;
    for expected in ["REQUIRE_APPROVAL", "REQUIRE_APPROVAL", "BLOCK"] {
        assert_eq!(refund().await.text("decision"), expected);
    }
    server.clock.step_wall(120 * MINUTE);
    // Nobody may approve any more by the wall clock, so nothing of it will run, and its shares are free.
    for expected in ["REQUIRE_APPROVAL", "REQUIRE_APPROVAL", "BLOCK"] {
        assert_eq!(refund().await.text("decision"), expected);
    }
    let closed = server.entries().iter().filter(|entry| entry["kind"] == "closed").count();
    assert_eq!((closed, steps(&server)), (2, vec![(7_200, 7_200)]));
}
