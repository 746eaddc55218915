/** Text to start from. */
export const EMPTY = `policy: my-policy
description: What it governs
rules:
  - id: first-rule
    action: process_refund
    when: context.amount > 500
    decision: REQUIRE_APPROVAL
    reason: Refunds over 500 need a person
    approval: { from: [finance], expires: 30m }
`;
