/**
 * The errors that `guard()` and its neighbours throw when the action did not run.
 *
 * They are never used for the callback's own errors: those reach the caller as the same object that was thrown.
 */

import type { LimitUse } from "./answers.js";

/**
 * Why an action did not run.
 *
 * - `BLOCKED`: policy refuses it, at once or when the approval was redeemed
 * - `DENIED`: a person said no
 * - `TIMEOUT`: nobody decided in time, or the server gave no answer within `timeoutMs`
 * - `NETWORK_ERROR`: the server could not be reached, or answered that it cannot decide (5xx)
 * - `UNKNOWN`: the server answered something that allows nothing: a refused key, an unreadable body, an unexpected status
 */
export type ShieldErrorCode = "BLOCKED" | "DENIED" | "TIMEOUT" | "NETWORK_ERROR" | "UNKNOWN";

/** What is known about the refusal besides its code; every member may be absent. */
export interface ShieldErrorFacts {
  /** The id under which the server recorded the decision. */
  readonly requestId?: string | undefined;
  readonly approvalId?: string | undefined;
  /** The rule that decided, as `policy/rule`. */
  readonly matchedRule?: string | undefined;
  /** The server's reason, for people. */
  readonly reason?: string | undefined;
  /** The server's stable snake_case code: the reason code of a decision or the `error` of a refused request. */
  readonly reasonCode?: string | undefined;
  /** The HTTP status, when the refusal is about the request and not a decision. */
  readonly status?: number | undefined;
  /** What is used of the limits that the action falls under: which one is reached, and when it eases. */
  readonly limits?: readonly LimitUse[] | undefined;
}

/** The action did not run. `code` says why. */
export class ShieldError extends Error implements ShieldErrorFacts {
  override readonly name: string = "ShieldError";
  readonly code: ShieldErrorCode;
  readonly requestId?: string;
  readonly approvalId?: string;
  readonly matchedRule?: string;
  readonly reason?: string;
  readonly reasonCode?: string;
  readonly status?: number;
  readonly limits?: readonly LimitUse[];

  constructor(code: ShieldErrorCode, message: string, facts: ShieldErrorFacts = {}) {
    super(message);
    this.code = code;
    if (facts.requestId !== undefined) this.requestId = facts.requestId;
    if (facts.approvalId !== undefined) this.approvalId = facts.approvalId;
    if (facts.matchedRule !== undefined) this.matchedRule = facts.matchedRule;
    if (facts.reason !== undefined) this.reason = facts.reason;
    if (facts.reasonCode !== undefined) this.reasonCode = facts.reasonCode;
    if (facts.status !== undefined) this.status = facts.status;
    if (facts.limits !== undefined) this.limits = facts.limits;
  }
}

/** Policy refuses the action. `code` is `BLOCKED`. */
export class GuardBlockedError extends ShieldError {
  override readonly name: string = "GuardBlockedError";

  constructor(message: string, facts: ShieldErrorFacts = {}) {
    super("BLOCKED", message, facts);
  }
}

/** A person said no. `code` is `DENIED`. */
export class GuardDeniedError extends ShieldError {
  override readonly name: string = "GuardDeniedError";

  constructor(message: string, facts: ShieldErrorFacts = {}) {
    super("DENIED", message, facts);
  }
}
