//! The policy under which the clients ask, as the server reads it and as the checker understands it.

/// Limits are per agent.
pub const AGENTS: usize = 3;

pub const POLICY: &str = "
policy: chaos
meters:
  charged: { sum: context.amount, action: create_charge, within: 24h, per: [agent] }
rules:
  - { id: limited, action: read_balance, limit: { count: 100, within: 24h, per: [agent], otherwise: BLOCK }, decision: ALLOW }
  - { id: paced, action: inspect_resource, limit: { count: 20, within: 10s, per: [agent], otherwise: BLOCK }, decision: ALLOW }
  - { id: cap, action: create_charge, when: type(context.amount) == number && meters.charged + context.amount > 12000, decision: BLOCK }
  - { id: free, action: create_charge, decision: ALLOW }
  - { id: held, action: process_refund, limit: { count: 20, within: 10s, per: [agent], otherwise: BLOCK }, decision: REQUIRE_APPROVAL, approval: { expires: 8s } }
  - { id: never, action: send_email, decision: BLOCK }
";

pub struct Limit {
    pub action: &'static str,
    pub most: i64,
    /// Microseconds.
    pub within: i64,
    pub counts_amount: bool,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 3_600 * SECOND;

/// The limits of [`POLICY`], written down a second time, by hand.
pub const LIMITS: [Limit; 4] = [
    Limit { action: "read_balance", most: 100, within: DAY, counts_amount: false },
    Limit { action: "inspect_resource", most: 20, within: 10 * SECOND, counts_amount: false },
    Limit { action: "create_charge", most: 12_000, within: DAY, counts_amount: true },
    Limit { action: "process_refund", most: 20, within: 10 * SECOND, counts_amount: false },
];

/// What a client's call is about: known from its number, so that the checker needs no payload.
pub fn amount(number: usize) -> i64 {
    100 + i64::try_from(number % 37).unwrap()
}

/// The same from the request's id.
pub fn amount_of(request: &str) -> i64 {
    let (_, number) = request.rsplit_once('-').unwrap();
    amount(number.parse().unwrap())
}
