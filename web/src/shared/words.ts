/** Words of the API as people read them. */

export type Outcome = "ALLOW" | "REQUIRE_APPROVAL" | "BLOCK";
export type Tone = "allow" | "hold" | "block" | "plain" | "accent";

export const OUTCOMES: readonly Outcome[] = ["ALLOW", "REQUIRE_APPROVAL", "BLOCK"];
export const SEVERITIES = ["low", "medium", "high", "critical"] as const;

const OUTCOME: Record<Outcome, { label: string; tone: Tone }> = {
  ALLOW: { label: "Allowed", tone: "allow" },
  REQUIRE_APPROVAL: { label: "Held", tone: "hold" },
  BLOCK: { label: "Blocked", tone: "block" },
};

export function outcomeOf(decision: string): { label: string; tone: Tone } {
  return OUTCOME[decision as Outcome] ?? { label: decision, tone: "plain" };
}

const STATE: Record<string, { label: string; tone: Tone }> = {
  pending: { label: "Waiting", tone: "hold" },
  approved: { label: "Approved", tone: "allow" },
  redeemed: { label: "Approved and run", tone: "allow" },
  denied: { label: "Denied", tone: "block" },
  refused: { label: "Refused at redemption", tone: "block" },
  expired: { label: "Expired", tone: "plain" },
  cancelled: { label: "Cancelled", tone: "plain" },
};

export function stateOf(state: string): { label: string; tone: Tone } {
  return STATE[state] ?? { label: state, tone: "plain" };
}

const CODES: Record<string, string> = {
  policy: "a rule of a policy",
  default: "no rule was about it, so the default decision holds",
  containment: "a containment switch is on",
  limit: "a limit is used up",
  approved: "a person approved it",
  invalid_request: "the request could not be read as a call",
  open_approvals: "the agent has too many open approvals",
};

export function codeOf(code: string): string {
  return CODES[code] ?? code.replaceAll("_", " ");
}
