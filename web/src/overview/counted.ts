/** Statistics counted here from the newest decisions, for a server that does not count them. Pure. */
import type { CheckpointView, DecisionView } from "../client/types.gen";
import type { Counts, Statistics, Top } from "./statistics";

const none = (): Counts => ({ allow: 0, requireApproval: 0, block: 0 });
const MEMBER: Record<string, keyof Counts> = { ALLOW: "allow", REQUIRE_APPROVAL: "requireApproval", BLOCK: "block" };

function add(counts: Counts, { decision, count }: DecisionView): void {
  const member = MEMBER[decision];
  if (member !== undefined) counts[member] += count;
}

function top(rows: readonly DecisionView[], keyOf: (row: DecisionView) => string, nameOf?: (row: DecisionView) => string | undefined): Top[] {
  const tops = new Map<string, Top>();
  for (const row of rows) {
    const key = keyOf(row);
    const entry = tops.get(key) ?? { key, name: nameOf?.(row), ...none() };
    add(entry, row);
    tops.set(key, entry);
  }
  const size = ({ allow, requireApproval, block }: Counts) => allow + requireApproval + block;
  return [...tops.values()].sort((a, b) => size(b) - size(a)).slice(0, 10);
}

export interface Span {
  from: Date;
  to: Date;
  buckets: number;
}

/** Redemptions decide an action again; they are not counted a second time. */
export function counted(
  rows: readonly DecisionView[], { from, to, buckets }: Span, head: Pick<CheckpointView, "size" | "root">, projectedTo: number, waiting: Statistics["approvals"],
): Statistics {
  const own = rows.filter(({ kind }) => kind === "decision");
  const width = (to.getTime() - from.getTime()) / buckets;
  const decisions = Array.from({ length: buckets }, (_, index) => ({ at: new Date(from.getTime() + index * width).toISOString(), ...none() }));
  const risk = Array.from({ length: 10 }, (_, band) => ({ from: band * 10, to: band === 9 ? 100 : band * 10 + 9, ...none() }));
  const totals = none();
  for (const row of own) {
    const bucket = decisions[Math.min(buckets - 1, Math.floor((Date.parse(row.at) - from.getTime()) / width))];
    const band = risk[Math.min(9, Math.floor(row.riskScore / 10))];
    for (const counts of [totals, bucket, band]) if (counts !== undefined) add(counts, row);
  }
  return {
    from: from.toISOString(), to: to.toISOString(), granularity: "", projectedTo, ledgerSize: head.size, decisions, totals, risk,
    actions: top(own, ({ action }) => action.type), agents: top(own, ({ agent }) => agent.id, ({ agent }) => agent.name ?? undefined),
    rules: top(own, ({ matchedRule }) => matchedRule), targets: top(own, ({ target }) => target),
    approvals: waiting, ledger: { size: head.size, root: head.root },
  };
}
