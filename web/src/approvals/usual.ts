/** Compares an ask with the last decisions of the same agent and action type. Says only what those rows show. */
import type { ApprovalView, DecisionView } from "../generated/types.gen";
import { plural } from "../shared/numbers";

export interface Remark {
  says: string;
  unusual: boolean;
}

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0;

export function usualOf(others: readonly DecisionView[], approval: Pick<ApprovalView, "action" | "riskScore">): Remark[] {
  const decided = others.filter(({ kind }) => kind === "decision");
  const count = (outcome: string) => decided.filter(({ decision }) => decision === outcome).length;
  const remarks: Remark[] = [
    {
      says: `Last ${plural(decided.length, "time")}: ${count("ALLOW")} allowed at once, ${count("REQUIRE_APPROVAL")} held, ${count("BLOCK")} blocked`,
      unusual: false,
    },
  ];
  const targets = new Set(decided.map(({ target }) => target));
  if (!targets.has(approval.action.target)) remarks.push({ says: `Never before on ${approval.action.target}`, unusual: true });
  const environments = new Set(decided.map(({ environment }) => environment));
  if (!environments.has(approval.action.environment)) remarks.push({ says: `Never before in ${approval.action.environment}`, unusual: true });
  const scores = decided.map(({ riskScore }) => riskScore).sort((a, b) => a - b);
  const [usual, most] = [median(scores), scores[scores.length - 1] ?? 0];
  if (approval.riskScore > most) remarks.push({ says: `Risk ${approval.riskScore} is higher than ever (usual ${usual}, highest ${most})`, unusual: true });
  else if (approval.riskScore > usual) remarks.push({ says: `Risk ${approval.riskScore} is above the usual ${usual}`, unusual: false });
  return remarks;
}
