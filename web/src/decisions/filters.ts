/** What of the list of decisions is in the address: every filter, and the row that is open. */
import type { ListDecisionsData } from "../generated/types.gen";
import { OUTCOMES, SEVERITIES } from "../shared/words";

export interface Filters {
  q?: string;
  outcome?: string;
  severity?: string;
  agent?: string;
  type?: string;
  target?: string;
  rule?: string;
  /** `50-59`: scores from the first to the last. */
  risk?: string;
  /** `1h`, `24h`, `7d`, `30d`: a span that ends now. */
  range?: string;
  since?: string;
  until?: string;
  /** Request id of the decision that is shown beside the list, and its agent where several use the same id. */
  open?: string;
  by?: string;
}

export const RANGES: readonly (readonly [value: string, label: string, hours: number])[] = [
  ["1h", "Last hour", 1],
  ["24h", "Last 24 hours", 24],
  ["7d", "Last 7 days", 168],
  ["30d", "Last 30 days", 720],
];

const TEXTS = ["q", "agent", "type", "target", "rule", "risk", "since", "until", "open", "by"] as const;
export const FILTERS = ["q", "outcome", "severity", "agent", "type", "target", "rule", "risk", "range", "since", "until"] as const;

function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Reads an address. What means nothing is left out, so that an old link still opens. */
export function readFilters(search: Record<string, unknown>): Filters {
  const filters: Filters = {};
  for (const name of TEXTS) {
    const value = text(search[name]);
    if (value !== undefined) filters[name] = value;
  }
  const among = (name: "outcome" | "severity" | "range", known: readonly string[]) => {
    const value = text(search[name]);
    if (value !== undefined && known.includes(value)) filters[name] = value;
  };
  among("outcome", OUTCOMES);
  among("severity", SEVERITIES);
  among("range", RANGES.map(([value]) => value));
  if (filters.risk !== undefined && riskOf(filters.risk) === undefined) delete filters.risk;
  for (const name of ["since", "until"] as const) {
    if (filters[name] !== undefined && Number.isNaN(Date.parse(filters[name]))) delete filters[name];
  }
  return filters;
}

function riskOf(risk: string): { minRisk: number; maxRisk: number } | undefined {
  const [, from, to] = /^(\d{1,3})-(\d{1,3})$/.exec(risk) ?? [];
  const [minRisk, maxRisk] = [Number(from), Number(to)];
  return from !== undefined && minRisk <= maxRisk && maxRisk <= 100 ? { minRisk, maxRisk } : undefined;
}

/** The question to the server. A span ends at `now`, which is fixed when the filters are chosen. */
export function toQuery(filters: Filters, now: Date): NonNullable<ListDecisionsData["query"]> {
  const { open: _open, by: _by, range, risk, since, ...query } = filters;
  const hours = RANGES.find(([value]) => value === range)?.[2];
  const start = since ?? (hours === undefined ? undefined : new Date(now.getTime() - hours * 3_600_000).toISOString());
  return { ...query, ...(risk === undefined ? {} : riskOf(risk)), ...(start === undefined ? {} : { since: start }) };
}

export function isFiltered(filters: Filters): boolean {
  return FILTERS.some((name) => filters[name] !== undefined);
}

/** The same filters, as one thing that can be compared. */
export function signature(filters: Filters): string {
  return FILTERS.map((name) => `${name}=${filters[name] ?? ""}`).join("&");
}
