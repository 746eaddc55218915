/** Deciding asks, one or many. */
import { Problem } from "../api/http";
import { queries, refresh } from "../api/queries";
import { approve, decideApprovals, deny } from "../generated/sdk.gen";
import type { DecideResult } from "../generated/types.gen";
import { pendingOptions } from "./inbox";

export type Verdict = "approve" | "deny";
export type Result = DecideResult;

/** Most ids the server takes at once. */
const AT_ONCE = 200;

/** Takes what does not wait any more out of the inbox at once, so that the next ask is really the next. */
function leaveInbox(results: readonly Result[]): void {
  const gone = new Set(results.filter((result) => result.decided && result.state !== "pending").map(({ id }) => id));
  queries.setQueryData(pendingOptions.queryKey, (list) => list && { ...list, approvals: list.approvals.filter(({ id }) => !gone.has(id)) });
}

export async function decideAll(ids: readonly string[], verdict: Verdict, comment: string): Promise<Result[]> {
  const results = await decided(ids, verdict, comment);
  await queries.cancelQueries({ queryKey: pendingOptions.queryKey });
  leaveInbox(results);
  void refresh("listApprovals", "listApprovalGroups", "getApproval", "getStatistics");
  return results;
}

/** One vote at a time answers for itself; several are told apart by what became of each. */
async function decided(ids: readonly string[], verdict: Verdict, comment: string): Promise<Result[]> {
  const said = comment === "" ? undefined : comment;
  try {
    if (ids.length === 1 && ids[0] !== undefined) {
      const vote = verdict === "approve" ? approve : deny;
      const { data } = await vote({ path: { id: ids[0] }, body: { comment: said }, throwOnError: true });
      return [{ id: ids[0], decided: true, state: data.state }];
    }
    const results: Result[] = [];
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const { data } = await decideApprovals({ body: { ids: ids.slice(from, from + AT_ONCE), verdict, comment: said }, throwOnError: true });
      results.push(...data.results);
    }
    return results;
  } catch (failure) {
    throw Problem.of(failure);
  }
}

export function summaryOf(results: readonly Result[]): { done: number; failed: { id: string; detail: string }[] } {
  const failed = results.filter((result) => !result.decided).map(({ id, detail }) => ({ id, detail: detail ?? "" }));
  return { done: results.length - failed.length, failed };
}
