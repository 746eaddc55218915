/** The shadow report, page by page, added up. */
import { queryOptions } from "@tanstack/react-query";
import { getShadowReport } from "../generated/sdk.gen";
import type { ShadowReport, ShadowTally } from "../generated/types.gen";

/** Pages of 10,000 entries that are read at once; beyond it the page says how far it got. */
const PAGES = 20;
const EXAMPLES = 3;

export const RANGES = [["24h", "24 h", 24], ["7d", "7 d", 168], ["30d", "30 d", 720]] as const;

function addTally(into: ShadowTally, tally: ShadowTally): void {
  into.calls += tally.calls;
  into.different += tally.different;
  into.errors += tally.errors;
  into.examples = [...into.examples, ...tally.examples].slice(0, EXAMPLES);
  for (const change of tally.changes) {
    const same = into.changes.find(({ from, to }) => from === change.from && to === change.to);
    if (same === undefined) into.changes = [...into.changes, { ...change }];
    else same.count += change.count;
  }
}

/** One report of several pages, the rule that changes most first. */
export function added(pages: readonly ShadowReport[]): ShadowReport {
  const rules = new Map<string, ShadowTally>();
  const sum: ShadowReport = { decisions: 0, omitted: 0, rules: [], next: pages[pages.length - 1]?.next };
  for (const page of pages) {
    sum.decisions += page.decisions;
    sum.omitted += page.omitted;
    for (const tally of page.rules) {
      const key = `${tally.mode} ${tally.rule}`;
      const known = rules.get(key);
      if (known === undefined) rules.set(key, { ...tally, changes: tally.changes.map((change) => ({ ...change })), examples: [...tally.examples] });
      else addTally(known, tally);
    }
  }
  sum.rules = [...rules.values()].sort((a, b) => b.different - a.different || a.rule.localeCompare(b.rule));
  return sum;
}

export const reportQuery = (hours: number) =>
  queryOptions({
    queryKey: [{ _id: "getShadowReport" }, hours],
    queryFn: async ({ signal }) => {
      const from = new Date(Date.now() - hours * 3_600_000).toISOString();
      const pages: ShadowReport[] = [];
      for (let after: number | undefined; pages.length < PAGES; ) {
        const { data } = await getShadowReport({ query: { from, after }, signal, throwOnError: true });
        pages.push(data);
        if (data.next == null) break;
        after = data.next;
      }
      return added(pages);
    },
    staleTime: 30_000,
  });
