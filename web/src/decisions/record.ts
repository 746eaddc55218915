/** The parts of a ledger record that the page shows. A record is data of any version: what is missing is shown as missing. */
import type { FactorView } from "../generated/types.gen";
import type { UsualRead } from "../shared/usual";

interface Listed<T> {
  count: number;
  digest: string | null;
  first: T[];
}

export interface MatchedRule {
  rule: string;
  outcome: string;
  /** On a redemption: the votes met what it asks for. */
  satisfied?: boolean;
}

/** What a limit came to with the decision; numbers are decimals as text, times microseconds. */
export interface LimitRead {
  rule: string;
  meter?: string;
  used: string | number;
  of: string | number;
  within: number;
  resetsAt?: number;
}

export interface RecordBody {
  action?: { types?: string[] };
  charges?: unknown[];
  limits?: LimitRead[];
  engine?: string;
  readings?: Record<string, unknown> | null;
  redemption?: { evidence?: unknown } | null;
  state?: { meters?: { name?: string; meter?: string; value?: unknown }[]; containment?: unknown; openApprovals?: number; usual?: UsualRead };
  decision?: {
    matched?: Listed<MatchedRule>;
    suspected?: Listed<{ rule: string; outcome?: string; error: string }>;
    shadow?: Listed<{ rule: string; outcome: string }>;
    uncovered?: string[];
    /** What enforcement would have said, while the workspace only observed. */
    observed?: { outcome: string; reason: string };
    risk?: { score: number; severity: string; factors: FactorView[] };
  };
}

export function bodyOf(record: unknown): RecordBody {
  const body = typeof record === "object" && record !== null && "body" in record ? record.body : undefined;
  return typeof body === "object" && body !== null ? (body as RecordBody) : {};
}

export interface ShownRule {
  rule: string;
  outcome: string;
  standing: "matched" | "suspected" | "shadow";
  says?: string;
}

/** Every rule that had a say, the deciding one first. */
export function rulesOf(body: RecordBody, matchedRule: string): ShownRule[] {
  const { matched, suspected, shadow } = body.decision ?? {};
  const rules: ShownRule[] = [
    ...(matched?.first ?? []).map(({ rule, outcome, satisfied }): ShownRule => ({
      rule, outcome, standing: "matched", says: satisfied === true ? "its requirement was met by the votes" : undefined,
    })),
    ...(suspected?.first ?? []).map(({ rule, outcome, error }): ShownRule => ({
      rule, outcome: outcome ?? "", standing: "suspected", says: `its condition has no value: ${error}`,
    })),
    ...(shadow?.first ?? []).map(({ rule, outcome }): ShownRule => ({ rule, outcome, standing: "shadow", says: "in shadow: noted, not enforced" })),
  ];
  return rules.sort((a, b) => Number(b.rule === matchedRule) - Number(a.rule === matchedRule));
}

export function leftOut(body: RecordBody): number {
  const lists = [body.decision?.matched, body.decision?.suspected, body.decision?.shadow];
  return lists.reduce((sum, list) => sum + (list === undefined ? 0 : list.count - list.first.length), 0);
}
