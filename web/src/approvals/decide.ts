/** Deciding asks, one or many. */
import { Problem } from "../api/http";
import { refresh } from "../api/queries";
import { client } from "../client/client.gen";
import { approve, deny } from "../client/sdk.gen";

export type Verdict = "approve" | "deny";
export type Result = { id: string; decided: true; state: string } | { id: string; decided: false; error: string; detail: string };

/** Most ids the server takes at once. */
const AT_ONCE = 200;

export async function decideAll(ids: readonly string[], verdict: Verdict, comment: string): Promise<Result[]> {
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
  } finally {
    void refresh("listApprovals", "listApprovalGroups", "getApproval", "getStatistics");
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
