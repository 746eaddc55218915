/**
 * The client a program holds: `guard()` and the single steps it is made of.
 *
 * It decides nothing itself. INVARIANT: the callback runs only after an ALLOW for this very request, after a redeemed
 * approval, or, in fail-open mode, when the server truly could not answer the request at all.
 */
import { randomUUID } from "node:crypto";
import {
  type ApprovalStatus,
  type AuditVerification,
  type Decision,
  type ExecutionStatus,
  isApprovalId,
  type OutcomeRecord,
  readVerification,
} from "./answers.js";
import { obtainPermission, redeemApproval, waitForVerdict } from "./approval.js";
import type { ShieldError } from "./errors.js";
import { type Settings, type ShieldOptions, resolve } from "./options.js";
import { describeFailure, reportBehind, reportOutcome } from "./outcome.js";
import { fromAnswer, fromDecision, fromOutage } from "./refusal.js";
import { type Asked, askForDecision, type GuardBody } from "./request.js";
import { exchange } from "./transport.js";

/** The arguments of an action: what the tool will be called with, as JSON. */
export type Context = Record<string, unknown>;

/** More about an action. All of it can only tighten a decision. */
export interface ActionDetails {
  /** On whose behalf the agent acts. */
  subject?: string;
  /** One run of the agent. */
  session?: string;
  /** The tool's own name, when it differs from the action type. */
  tool?: string;
}

/** What `decide()` takes. `action` is the older name of `actionType`. */
export type DecideRequest = ({ actionType: string; action?: never } | { action: string; actionType?: never }) & {
  target: string;
  context?: Context | null;
  /** At most 128 visible ASCII characters. Asking again with the same id gives the same decision. Default: a new id. */
  requestId?: string;
} & ActionDetails;

/** May it run, and does the server know of it? */
type Permission = { readonly governed: true; readonly requestId: string } | { readonly governed: false };

/**
 * SECURITY: an action beyond what a server takes may itself be why there was no answer (a proxy that gives up on it, a
 * connection cut while it was sent), so fail-open never runs one. 1 MiB is the server's own limit unless it is changed.
 */
const LARGEST_OPEN_BYTES = 1024 * 1024;

/**
 * Stands between an agent and its tools.
 *
 * ```ts
 * const runplane = new Runplane({ baseUrl: "http://127.0.0.1:7070", apiKey: process.env.RUNPLANE_API_KEY });
 * const refund = await runplane.guard("process_refund", "stripe", { amount: 120, currency: "usd" }, () =>
 *   stripe.refunds.create({ amount: 12_000, charge }),
 * );
 * ```
 */
export class Shield {
  readonly #settings: Settings;

  /** Throws `TypeError` when an option is missing or wrong. */
  constructor(options: ShieldOptions = {}) {
    this.#settings = resolve(options);
  }

  /**
   * Runs `executeFn` if the server allows this action, waiting for a person where policy says so.
   *
   * The callback's result and its own errors pass through unchanged. When the action may not run the callback is not
   * called and a {@link ShieldError} says why. `context` is read once, before the request: pass the callback the same
   * values, because these are what is decided on and what people approve.
   */
  async guard<T>(
    actionType: string,
    target: string,
    context: Context | null | undefined,
    executeFn: () => T | PromiseLike<T>,
    details: ActionDetails = {},
  ): Promise<Awaited<T>> {
    if (typeof executeFn !== "function") throw new TypeError("`executeFn` must be a function");
    const permission = await this.#permission(guardBody(actionType, target, context, newRequestId(), details));
    let result: Awaited<T>;
    try {
      result = await executeFn();
    } catch (error) {
      if (permission.governed) await reportBehind(this.#settings, permission.requestId, "failed", describeFailure(error));
      throw error;
    }
    if (permission.governed) await reportBehind(this.#settings, permission.requestId, "succeeded");
    return result;
  }

  /**
   * Asks for a decision and runs nothing. The answer is always the server's: without one this throws, whatever the fail
   * mode. After `REQUIRE_APPROVAL` continue with {@link pollApproval} and {@link redeem}.
   */
  async decide(request: DecideRequest): Promise<Decision> {
    const actionType = request.actionType ?? request.action;
    const body = guardBody(actionType, request.target, request.context, request.requestId ?? newRequestId(), request);
    const asked = await askForDecision(this.#settings, JSON.stringify(body), body.requestId);
    if (asked.kind !== "decision") throw unanswered(asked, body);
    this.#settings.onDecision(asked.decision);
    return asked.decision;
  }

  /** Waits until the approval is approved, denied or expired; throws `TIMEOUT` after `approvalTimeoutMs`. */
  async pollApproval(approvalId: string): Promise<ApprovalStatus> {
    return waitForVerdict(this.#settings, checkedApprovalId(approvalId));
  }

  /**
   * Trades a granted approval for permission to run the action now. The server decides again under today's policy: run
   * only on `ALLOW`. Repeating with the same `redemptionId` gives the same answer; a second id is refused.
   */
  async redeem(approvalId: string, redemptionId?: string): Promise<Decision> {
    const decision = await redeemApproval(this.#settings, checkedApprovalId(approvalId), redemptionId);
    this.#settings.onDecision(decision);
    return decision;
  }

  /** Tells the server what happened after an ALLOW from {@link decide} or {@link redeem}; `guard()` does so itself. */
  async reportOutcome(requestId: string, status: ExecutionStatus, detail?: string): Promise<OutcomeRecord> {
    return reportOutcome(this.#settings, requestId, status, detail);
  }

  /** Asks the server to verify the audit record of this agent's workspace. */
  async verifyAuditChain(): Promise<AuditVerification> {
    const what = "the audit record could not be verified";
    const result = await exchange(this.#settings, { method: "GET", path: "/api/audit/verify" }, this.#settings.timeoutMs);
    if (result.kind === "outage") throw fromOutage(what, result);
    const verification = result.status >= 200 && result.status <= 299 ? readVerification(result.body) : undefined;
    if (verification === undefined) throw fromAnswer(what, result);
    return verification;
  }

  /** The one place that says whether a callback may run: returns or throws. */
  async #permission(body: GuardBody): Promise<Permission> {
    const text = JSON.stringify(body);
    const asked = await askForDecision(this.#settings, text, body.requestId);
    if (asked.kind !== "decision") {
      const error = unanswered(asked, body);
      const open = this.#settings.failMode === "open" && Buffer.byteLength(text) <= LARGEST_OPEN_BYTES;
      if (asked.kind !== "outage" || !open) throw error;
      this.#settings.onFailOpen(error);
      return { governed: false };
    }
    const { decision } = asked;
    this.#settings.onDecision(decision);
    if (decision.decision === "ALLOW") return { governed: true, requestId: body.requestId };
    if (decision.decision === "REQUIRE_APPROVAL" && decision.approvalId !== null) {
      await obtainPermission(this.#settings, { ...decision, approvalId: decision.approvalId });
      return { governed: true, requestId: body.requestId };
    }
    throw fromDecision(`\`${body.action.type}\` on \`${body.action.target}\` is blocked`, decision);
  }
}

function unanswered(asked: Exclude<Asked, { kind: "decision" }>, body: GuardBody): ShieldError {
  const what = `no decision about \`${body.action.type}\` on \`${body.action.target}\``;
  const facts = { requestId: body.requestId };
  return asked.kind === "outage" ? fromOutage(what, asked, facts) : fromAnswer(what, asked, facts);
}

function newRequestId(): string {
  return `req_${randomUUID()}`;
}

function guardBody(
  type: unknown,
  target: unknown,
  context: unknown,
  requestId: string,
  { tool, subject, session }: ActionDetails,
): GuardBody {
  if (typeof type !== "string") throw new TypeError("the action type must be a string");
  if (typeof target !== "string") throw new TypeError("the target must be a string");
  return {
    action: { type, target, context: context ?? {}, ...(tool === undefined ? {} : { tool }) },
    requestId,
    ...(subject === undefined ? {} : { subject }),
    ...(session === undefined ? {} : { session }),
  };
}

function checkedApprovalId(id: string): string {
  if (!isApprovalId(id)) throw new TypeError(`not an approval id: \`${String(id)}\``);
  return id;
}
