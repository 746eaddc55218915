/** Texts to start from. Pure. */
import type { ApprovalView } from "../client/types.gen";

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

const literal = (value: unknown): string => JSON.stringify(value);

/**
 * A standing permission for what was held: as narrow as the ask itself, to be widened by whoever publishes it. It permits; the
 * rule that held the ask stays stricter until it gets an \`unless\`, and the text says so.
 */
export function standing({ action, agent, matchedRule }: Pick<ApprovalView, "action" | "agent" | "matchedRule">): string {
  const bounds = Object.entries((action.context ?? {}) as Record<string, unknown>)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .flatMap(([name, value]) => {
      if (typeof value === "number") return [`context.${name} <= ${value}`];
      if (typeof value === "boolean" || (typeof value === "string" && value.length <= 60)) return [`context.${name} == ${literal(value)}`];
      return [];
    });
  const condition = [`agent.name == ${literal(agent.name)}`, ...bounds].join(" && ");
  const slug = `${agent.name}-${action.type}`.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 48);
  return `# A standing permission, as narrow as the ask it was made from. Widen what may vary, remove what does not matter.
#
# It does not overrule \`${matchedRule}\`: of several rules the strictest counts. Give that rule the same
# condition as \`unless\`, or such asks are held as before.
policy: standing-${slug}
description: ${literal(`What ${agent.name} may do without asking`)}
rules:
  - id: allow
    action: ${action.type}
    target: ${literal(action.target)}
    when: ${literal(condition)}
    decision: ALLOW
    reason: ${literal(`Standing permission for ${agent.name}`)}
    limit: { count: 20, within: 24h, per: [agent], otherwise: REQUIRE_APPROVAL }
`;
}
