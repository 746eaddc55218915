/**
 * Tells the server what really happened after an action was allowed.
 *
 * It never throws into the program that acts and never changes the callback's result: a report that cannot be delivered
 * is given up after a while, and the server then knows the action as allowed with an unknown outcome.
 */
import { type ExecutionStatus, type OutcomeRecord, readOutcome } from "./answers.js";
import { now, pause } from "./clock.js";
import type { Settings } from "./options.js";
import { fromAnswer, fromOutage } from "./refusal.js";
import { exchange } from "./transport.js";

const REPORT_WITHIN_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Reports and repeats while the server cannot be reached; throws `ShieldError` when that does not help. */
export async function reportOutcome(
  settings: Settings,
  requestId: string,
  status: ExecutionStatus,
  detail: string | undefined,
): Promise<OutcomeRecord> {
  const what = `the outcome of \`${requestId}\` could not be reported`;
  const path = `/api/v1/executions/${encodeURIComponent(requestId)}`;
  const body = JSON.stringify(detail === undefined ? { status } : { status, detail });
  const deadline = now() + REPORT_WITHIN_MS;
  for (let attempt = 0; ; attempt += 1) {
    const result = await exchange(settings, { method: "POST", path, body }, Math.min(settings.timeoutMs, deadline - now()));
    if (result.kind === "answer" && result.status !== 429) {
      const record = result.status >= 200 && result.status <= 299 ? readOutcome(result.body) : undefined;
      if (record !== undefined) return record;
      throw fromAnswer(what, result, { requestId });
    }
    const retryAfterMs = result.kind === "outage" ? result.retryAfterMs : undefined;
    const wait = retryAfterMs ?? Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
    if (now() + wait >= deadline) {
      throw result.kind === "outage" ? fromOutage(what, result, { requestId }) : fromAnswer(what, result, { requestId });
    }
    await pause(wait, true);
  }
}

/** Starts the report and waits for it at most `outcomeWaitMs`; never fails. */
export async function reportBehind(settings: Settings, requestId: string, status: ExecutionStatus, detail?: string): Promise<void> {
  const report = reportOutcome(settings, requestId, status, detail).then(
    () => undefined,
    () => undefined,
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const longEnough = new Promise<void>((done) => {
    timer = setTimeout(done, settings.outcomeWaitMs);
  });
  await Promise.race([report, longEnough]);
  clearTimeout(timer);
}

/** The kind of error only: its text may hold what must not leave the program. */
export function describeFailure(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error;
  return /^[A-Za-z0-9_.$-]{1,64}$/.test(name) ? name : "error";
}
