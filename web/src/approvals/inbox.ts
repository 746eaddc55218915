/** What waits for a person: one query for the inbox, the mark in the navigation and the title. */
import { groupBy } from "../shared/group";
import { useQuery } from "@tanstack/react-query";
import { listApprovalsOptions } from "../generated/@tanstack/react-query.gen";
import type { ApprovalView } from "../generated/types.gen";

/** Identical asks: the same agent asks for exactly the same action. */
export interface Group {
  digest: string;
  /** Oldest first. */
  asks: ApprovalView[];
  first: ApprovalView;
  soonest: string;
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
