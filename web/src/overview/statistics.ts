/** What happened in a span of time, counted by the server. */
import { queryOptions } from "@tanstack/react-query";
import { Problem } from "../api/http";
import { queries } from "../api/queries";
import { pendingOptions } from "../approvals/inbox";
import { client } from "../client/client.gen";
import { getCheckpoint, listDecisions } from "../client/sdk.gen";
import type { DecisionView } from "../client/types.gen";
import { counted } from "./counted";

export interface Counts {
  allow: number;
  requireApproval: number;
  block: number;
}

export interface Top extends Counts {
  key: string;
  name?: string;
}

export interface Statistics {
  from: string;
  to: string;
  granularity: string;
  projectedTo: number;
  ledgerSize: number;
  decisions: (Counts & { at: string })[];
  totals: Counts;
  actions: Top[];
  agents: Top[];
  rules: Top[];
  targets: Top[];
  risk: (Counts & { from: number; to: number })[];
  latency?: { p50Ms: number; p99Ms: number; count: number; since: string };
  approvals: { waiting: number; oldestAt?: string; soonestExpiry?: string };
  ledger: { size: number; root: string; checkedTo?: number; valid?: boolean };
  /** Set if not everything in the span was counted, but only its newest decisions. */
  newestOnly?: number;
}

export const SPANS: readonly (readonly [value: string, label: string, hours: number, buckets: number])[] = [
  ["1h", "1 h", 1, 60],
  ["24h", "24 h", 24, 48],
  ["7d", "7 d", 168, 84],
  ["30d", "30 d", 720, 60],
];

export type Span = (typeof SPANS)[number];

export function spanOf(range: string | undefined): Span {
  return SPANS.find(([value]) => value === range) ?? (SPANS[1] as Span);
}

export function statisticsQuery([value, , hours, buckets]: Span) {
  return queryOptions({
    queryKey: [{ _id: "getStatistics" }, value],
    queryFn: async ({ signal }) => {
      const to = new Date();
      const from = new Date(to.getTime() - hours * 3_600_000);
      try {
        const { data } = await client.get<{ 200: Statistics }, unknown, true>({
          url: "/api/v1/statistics", query: { from: from.toISOString(), to: to.toISOString(), buckets }, signal, throwOnError: true,
        });
        return data as Statistics;
      } catch (failure) {
        if (Problem.of(failure).unknownHere) return countHere({ from, to, buckets }, signal);
        throw failure;
      }
    },
    staleTime: 5_000,
    refetchInterval: 60_000,
    placeholderData: (before) => before,
  });
}

const PAGE = 500;
const MOST = 2_000;

async function countHere(span: { from: Date; to: Date; buckets: number }, signal: AbortSignal): Promise<Statistics> {
  const since = span.from.toISOString();
  const rows: DecisionView[] = [];
  let cursor: number | undefined;
  let projectedTo = 0;
  do {
    const { data } = await listDecisions({ query: { since, limit: PAGE, cursor }, signal, throwOnError: true });
    rows.push(...data.decisions);
    projectedTo = data.projectedTo;
    cursor = data.nextCursor ?? undefined;
  } while (cursor !== undefined && rows.length < MOST);
  const { data: head } = await getCheckpoint({ signal, throwOnError: true });
  const { approvals } = await queries.fetchQuery(pendingOptions);
  const times = approvals.map(({ createdAt }) => createdAt).sort();
  const ends = approvals.map(({ expiresAt }) => expiresAt).sort();
  const statistics = counted(rows, span, head, projectedTo, { waiting: approvals.length, oldestAt: times[0], soonestExpiry: ends[0] });
  return cursor === undefined ? statistics : { ...statistics, newestOnly: rows.length };
}

export const sum = ({ allow, requireApproval, block }: Counts): number => allow + requireApproval + block;

/** When the bucket after this one starts; the last one ends with the span. */
export function endOf(statistics: Pick<Statistics, "decisions" | "to">, index: number): string {
  return statistics.decisions[index + 1]?.at ?? statistics.to;
}

export function share(part: number, whole: number): string {
  if (whole === 0) return "–";
  const percent = (100 * part) / whole;
  return part > 0 && percent < 1 ? "< 1 %" : `${Math.round(percent)} %`;
}
