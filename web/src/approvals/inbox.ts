/** What waits for a person: one query for the inbox, the mark in the navigation and the title. */
import { groupBy } from "../shared/group";
import { useQuery } from "@tanstack/react-query";
import { listApprovalsOptions } from "../generated/@tanstack/react-query.gen";
import type { ApprovalView } from "../generated/types.gen";
import { fieldsOf } from "./shown";

/** Identical asks: the same agent asks for exactly the same action. */
export interface Group {
  digest: string;
  /** Oldest first. */
  asks: ApprovalView[];
  first: ApprovalView;
  soonest: string;
}

/** Asks whose summaries read the same are told apart by the first argument in which they differ. */
export function differences(groups: readonly Group[]): Map<string, string> {
  const told = new Map<string, string>();
  for (const same of groupBy(groups, ({ first }) => first.action.summary).values()) {
    if (same.length < 2) continue;
    const fields = same.map(({ first }) => new Map(fieldsOf(first.action.text).map(({ name, value }) => [name, value])));
    const names = [...new Set(fields.flatMap((each) => [...each.keys()]))];
    const name = names.find((each) => new Set(fields.map((values) => values.get(each))).size > 1);
    if (name === undefined) continue;
    same.forEach(({ digest }, place) => told.set(digest, `${name}: ${fields[place]?.get(name) ?? "none"}`));
  }
  return told;
}

/** Most asks looked at; beyond it the inbox says so. */
const LOOKED_AT = 200;

export const pendingOptions = listApprovalsOptions({ query: { status: "pending", limit: LOOKED_AT } });

export function group(approvals: readonly ApprovalView[]): Group[] {
  const oldestFirst = [...approvals].sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  const groups: Group[] = [];
  for (const [digest, asks] of groupBy(oldestFirst, (ask) => ask.digest)) {
    const [first] = asks;
    if (first === undefined) continue;
    const soonest = asks.reduce((least, { expiresAt }) => (expiresAt < least ? expiresAt : least), first.expiresAt);
    groups.push({ digest, asks, first, soonest });
  }
  return groups;
}

export function useInbox() {
  const { data, error, isPending, refetch } = useQuery(pendingOptions);
  const approvals = data?.approvals ?? [];
  return { groups: group(approvals), waiting: approvals.length, more: data?.nextCursor != null, error, isPending, refetch };
}
