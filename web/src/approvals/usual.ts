/** Compares an ask with what its agent usually does: by its profile as the decision read it, and by its last decisions. */
import type { ApprovalView, DecisionView } from "../generated/types.gen";
import { compare, type Comparison, type UsualRead } from "../shared/usual";

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0;

/** At most three of the names, and how many more there are. */
function named(names: ReadonlySet<string>): string {
  const [some, more] = [[...names].slice(0, 3).join(", "), names.size - 3];
  return more > 0 ? `${some} and ${more} more` : some;
}

export function usualOf(others: readonly DecisionView[], approval: Pick<ApprovalView, "action" | "riskScore">, read: UsualRead | undefined): Comparison[] {
  const rows = read === undefined ? [] : compare(read);
  const decided = others.filter(({ kind }) => kind === "decision");
  if (decided.length === 0) return rows;
  const { target, environment } = approval.action;
  const targets = new Set(decided.map((row) => row.target));
  const environments = new Set(decided.map((row) => row.environment));
  const scores = decided.map(({ riskScore }) => riskScore).sort((a, b) => a - b);
  const [usual, most] = [median(scores), scores[scores.length - 1] ?? 0];
  const count = (outcome: string) => decided.filter(({ decision }) => decision === outcome).length;
  return [
    ...rows,
    { of: "Target", now: target, usually: named(targets), unusual: !targets.has(target) },
    { of: "Environment", now: environment, usually: named(environments), unusual: !environments.has(environment) },
    { of: "Risk", now: String(approval.riskScore), usually: `${usual}, never above ${most}`, unusual: approval.riskScore > most },
    { of: "Decision", now: "held", usually: `${count("ALLOW")} allowed, ${count("REQUIRE_APPROVAL")} held, ${count("BLOCK")} blocked of the last ${decided.length}`, unusual: false },
  ];
}
