//! The rules and the call, in words that each engine's form is made from.

/// Action types in use.
pub const TYPES: usize = 50;
pub const ACTION: &str = "process_refund";
pub const TARGET: &str = "stripe";

/// The guard request, as it comes over the wire.
pub const BODY: &str = r#"{"action":{"type":"process_refund","target":"stripe","context":{"amount":120,"currency":"usd","customer":"cus_9s6XKzkNRiz8i3","chargeId":"ch_3MmlLrLkdIwHu7ix0snN0B15","reason":"requested_by_customer","note":"returned within thirty days","orderId":"ord_81723","channel":"chat","region":"eu-west-1","ticket":4411}}}"#;

/// Restrictions: type of action, target, and the amount from which they hold.
pub fn restrictions(size: usize) -> impl Iterator<Item = (usize, String, usize)> {
    (1..size).map(|rule| (rule % TYPES, format!("target-{rule}"), 1_000 + rule))
}

/// The name of a type of action; the measured one is the first.
pub fn name(kind: usize) -> String {
    if kind == 0 { ACTION.to_owned() } else { format!("type_{kind}") }
}

/// Every seventh restriction of the measured action is about its target, so that amounts have to be compared.
pub fn target(rule_target: &str, amount: usize) -> String {
    if amount % 7 == 0 { TARGET.to_owned() } else { rule_target.to_owned() }
}
