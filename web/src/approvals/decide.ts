/** Deciding asks, one or many. */
import { Problem } from "../api/http";
import { queries, refresh } from "../api/queries";
import { client } from "../client/client.gen";
import { approve, deny } from "../client/sdk.gen";
import { pendingOptions } from "./inbox";

export type Verdict = "approve" | "deny";
export type Result = { id: string; decided: true; state: string } | { id: string; decided: false; error: string; detail: string };

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

async function decided(ids: readonly string[], verdict: Verdict, comment: string): Promise<Result[]> {
  const said = comment === "" ? undefined : comment;
  try {
    if (ids.length === 1 && ids[0] !== undefined) {
      const vote = verdict === "approve" ? approve : deny;
      const { data } = await vote({ path: { id: ids[0] }, body: { comment: said }, throwOnError: true });
      return [{ id: ids[0], decided: true, state: data.state }];
    }
    return await many(ids, verdict, said);
  } catch (failure) {
    throw Problem.of(failure);
  }
}

async function many(ids: readonly string[], verdict: Verdict, said: string | undefined): Promise<Result[]> {
  const results: Result[] = [];
  try {
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const { data } = await client.post<{ 200: { results: Result[] } }, unknown, true>({
        url: "/api/v1/approvals/decide", body: { ids: ids.slice(from, from + AT_ONCE), verdict, comment: said },
        headers: { "Content-Type": "application/json" }, throwOnError: true,
      });
      results.push(...(data as { results: Result[] }).results);
    }
    return results;
  } catch (failure) {
    // A server that takes one at a time.
    if (!Problem.of(failure).unknownHere) throw failure;
    for (const id of ids) results.push(await one(id, verdict, said));
    return results;
  }
}

async function one(id: string, verdict: Verdict, said: string | undefined): Promise<Result> {
  try {
    const vote = verdict === "approve" ? approve : deny;
    const { data } = await vote({ path: { id }, body: { comment: said }, throwOnError: true });
    return { id, decided: true, state: data.state };
  } catch (failure) {
    const { code, detail } = Problem.of(failure);
    return { id, decided: false, error: code, detail };
  }
}

export function summaryOf(results: readonly Result[]): { done: number; failed: { id: string; detail: string }[] } {
  const failed = results.filter((result) => !result.decided).map(({ id, detail }) => ({ id, detail }));
  return { done: results.length - failed.length, failed };
}
