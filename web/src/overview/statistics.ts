/** What happened in a span of time, counted by the server. */
import { queryOptions } from "@tanstack/react-query";
import { getStatistics } from "../generated/sdk.gen";
import { endOfBar } from "./axis";
import type { CountsView, StatisticsView, TopView } from "../generated/types.gen";

export type Counts = CountsView;
export type Top = TopView;
export type Statistics = StatisticsView;

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
      const to = endOfBar(new Date(), (hours * 3_600_000) / buckets);
      return ask(to, hours, buckets, signal);
    },
    staleTime: 5_000,
    refetchInterval: 60_000,
    placeholderData: (before) => before,
  });
}

async function ask(to: Date, hours: number, buckets: number, signal: AbortSignal): Promise<Statistics> {
  const from = new Date(to.getTime() - hours * 3_600_000);
  return (await getStatistics({ query: { from: from.toISOString(), to: to.toISOString(), buckets }, signal, throwOnError: true })).data;
}

/** The same span before this one, to compare with. */
export function beforeQuery([value, , hours, buckets]: Span) {
  return queryOptions({
    queryKey: ["statistics before", value],
    queryFn: ({ signal }) => ask(new Date(endOfBar(new Date(), (hours * 3_600_000) / buckets).getTime() - hours * 3_600_000), hours, 1, signal),
    staleTime: 60_000,
    refetchInterval: 300_000,
  });
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
