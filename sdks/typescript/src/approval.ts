/**
 * Waits until a person has decided, then redeems the approval.
 *
 * It never runs anything and knows no fail mode: once the server has held an action, only a redeemed approval lets it run.
 */
import { randomUUID } from "node:crypto";
import { type ApprovalStatus, type Decision, readApproval, readDecision, readText } from "./answers.js";
import { now, pause } from "./clock.js";
import { GuardBlockedError, GuardDeniedError, ShieldError, type ShieldErrorFacts } from "./errors.js";
import type { Settings } from "./options.js";
import { fromAnswer, fromDecision, fromOutage } from "./refusal.js";
import { type Exchange, exchange } from "./transport.js";

/** The longest the server may keep one look at an approval waiting. */
const LONGEST_WAIT_SECONDS = 25;
/** Pauses between looks grow to this many times the first: 2, 4, 8, 10, 10 … s. */
const LONGEST_PAUSE = 5;
/** A granted approval is worth waiting for a server that restarts. */
const REDEEM_WITHIN_MS = 30_000;
const FIRST_REDEEM_PAUSE_MS = 100;
const LONGEST_REDEEM_PAUSE_MS = 2_000;

/** Looks at the approval until it is no longer pending. Throws `TIMEOUT` after `approvalTimeoutMs`. */
export async function waitForVerdict(settings: Settings, approvalId: string, facts: ShieldErrorFacts = {}): Promise<ApprovalStatus> {
  const what = `approval \`${approvalId}\``;
  const deadline = now() + settings.approvalTimeoutMs;
  for (let look = 0; ; look += 1) {
    const started = now();
    const left = deadline - started;
    if (left <= 0) {
      throw new ShieldError("TIMEOUT", `${what}: nobody decided within ${settings.approvalTimeoutMs} ms`, { ...facts, approvalId });
    }
    const wait = Math.min(LONGEST_WAIT_SECONDS, Math.floor(left / 1_000));
    const path = `/api/v1/approvals/${encodeURIComponent(approvalId)}${wait > 0 ? `?wait=${wait}s` : ""}`;
    const result = await exchange(settings, { method: "GET", path }, Math.min(left, wait * 1_000 + settings.timeoutMs));
    const status = verdict(what, result, { ...facts, approvalId });
    if (status !== undefined) return status;
    // A server that knows no `wait` answers at once: never look more often than the rhythm.
    const pauseMs = settings.approvalPollIntervalMs * Math.min(2 ** look, LONGEST_PAUSE);
    const until = Math.min(started + pauseMs, deadline);
    if (until > now()) await pause(until - now());
  }
}

/** `undefined`: look again. */
function verdict(what: string, result: Exchange, facts: ShieldErrorFacts): ApprovalStatus | undefined {
  if (result.kind === "outage" || result.status === 429) return undefined;
  const status = result.status >= 200 && result.status <= 299 ? readApproval(result.body) : undefined;
  if (status === undefined) throw fromAnswer(what, result, facts);
  return status.status === "pending" ? undefined : status;
}

/**
 * Trades a granted approval for permission to run now. The server decides again under today's policy, so the answer may
 * be BLOCK. A lost answer is asked for again with the same `redemptionId`; another id would be refused.
 */
export async function redeemApproval(
  settings: Settings,
  approvalId: string,
  redemptionId: string = `rdm_${randomUUID()}`,
  facts: ShieldErrorFacts = {},
): Promise<Decision> {
  const what = `approval \`${approvalId}\` could not be redeemed`;
  const known = { ...facts, approvalId };
  const path = `/api/v1/approvals/${encodeURIComponent(approvalId)}/redeem`;
  const request = { method: "POST", path, body: JSON.stringify({ redemptionId }) } as const;
  const deadline = now() + REDEEM_WITHIN_MS;
  for (let attempt = 0; ; attempt += 1) {
    const result = await exchange(settings, request, Math.min(settings.timeoutMs, deadline - now()));
    if (result.kind === "answer") {
      const decision = result.status >= 200 && result.status <= 299 ? readDecision(result.body) : undefined;
      if (decision !== undefined) return decision;
      throw redeemRefused(what, result, known);
    }
    const wait = result.retryAfterMs ?? Math.min(FIRST_REDEEM_PAUSE_MS * 2 ** attempt, LONGEST_REDEEM_PAUSE_MS);
    if (now() + wait >= deadline) throw fromOutage(what, result, known);
    await pause(wait);
  }
}

function redeemRefused(what: string, answer: Extract<Exchange, { kind: "answer" }>, facts: ShieldErrorFacts): ShieldError {
  const error = fromAnswer(what, answer, facts);
  if (answer.status !== 409) return error;
  // WIRE: `approval_not_approved` names the approval's status; the problem's own `status` is the HTTP number.
  const status = readText(answer.body, "approvalStatus") ?? readText(answer.body, "status") ?? readText(answer.body, "state");
  const more = { ...facts, status: 409, reasonCode: error.reasonCode, reason: error.reason };
  if (status === "denied") return new GuardDeniedError(error.message, more);
  if (status === "expired") return new ShieldError("TIMEOUT", error.message, more);
  return new GuardBlockedError(error.message, more);
}

/** From a held decision to permission to run; throws unless a person approved and the redemption was allowed. */
export async function obtainPermission(settings: Settings, held: Decision & { approvalId: string }): Promise<Decision> {
  const { approvalId, requestId, matchedRule } = held;
  const facts = { requestId, approvalId, matchedRule };
  const verdict = await waitForVerdict(settings, approvalId, facts);
  if (verdict.status === "denied") {
    const by = typeof verdict.resolvedBy === "string" ? ` by ${verdict.resolvedBy}` : "";
    const comment = typeof verdict.comment === "string" && verdict.comment !== "" ? verdict.comment : undefined;
    throw new GuardDeniedError(`approval \`${approvalId}\` was denied${by}${comment === undefined ? "" : `: ${comment}`}`, {
      ...facts,
      reason: comment,
    });
  }
  if (verdict.status !== "approved") {
    throw new ShieldError("TIMEOUT", `approval \`${approvalId}\` expired before it was granted`, facts);
  }
  const decision = await redeemApproval(settings, approvalId, undefined, facts);
  settings.onDecision(decision);
  if (decision.decision !== "ALLOW") {
    throw fromDecision(`approval \`${approvalId}\` was granted, but the action is refused now`, decision, { requestId, approvalId });
  }
  return decision;
}
