/**
 * Reads the server's answers. What has not exactly the documented shape is `undefined`, which allows nothing.
 *
 * Only own members count, so that neither a crafted body nor a polluted prototype can make an answer up.
 */

export type Outcome = "ALLOW" | "BLOCK" | "REQUIRE_APPROVAL";

/** A decision as the server gave it. Members the server adds later are kept. */
export interface Decision {
  decision: Outcome;
  /** Why, for people. */
  reason: string;
  /** The stable snake_case code of the reason. */
  reasonCode?: string;
  requestId: string;
  /** Never null with `REQUIRE_APPROVAL`. */
  approvalId: string | null;
  /** The rule that decided, as `policy/rule`; empty when no rule did. */
  matchedRule: string;
  /** 0 to 100. */
  riskScore: number;
  severity: string;
  /** The stored decision of an earlier request with the same id. */
  replayed?: boolean;
  /** After redeeming an approval: short-lived proof that this exact action may run. */
  permit?: string;
  /** RFC 3339. */
  permitExpiresAt?: string;
  /** What is used of the limits that the action falls under; empty where none does. */
  limits?: readonly LimitUse[];
}

/** Where an approval stands, as told to the agent that asked. Times are RFC 3339. */
export interface ApprovalStatus {
  status: "pending" | "approved" | "denied" | "expired";
  resolvedAt?: string;
  resolvedBy?: string;
  comment?: string;
}

/** What the server says about its audit record. */
export interface AuditVerification {
  valid: boolean;
  /** Where the record is broken, when it is. */
  brokenAt?: string;
  /** How many entries the record holds. */
  chainLength: number;
}

/** What really happened after an action was allowed. */
export type ExecutionStatus = "succeeded" | "failed" | "unknown";

/** The recorded outcome of one action. */
export interface OutcomeRecord {
  requestId: string;
  status: ExecutionStatus;
  /** RFC 3339. */
  recordedAt?: string;
}

/** What is used and left of one limit, the decision counted in. Amounts are exact decimals, as text. */
export interface LimitUse {
  /** `policy/rule`. */
  rule: string;
  /** The meter, where the limit is a condition about one. */
  meter?: string;
  used: string;
  of: string;
  remaining: string;
  withinSeconds: number;
  /** When the first of what is used comes back: RFC 3339. */
  resetsAt?: string;
}

type Members = Record<string, unknown>;

/** Ids go into paths unencoded in older clients; a dot segment would point elsewhere. */
const APPROVAL_ID = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,200}$/;

/** True for an id that is safe as one segment of a path. */
export function isApprovalId(value: unknown): value is string {
  return typeof value === "string" && APPROVAL_ID.test(value);
}

export function readDecision(body: unknown): Decision | undefined {
  const from = members(body);
  if (from === undefined) return undefined;
  const decision = own(from, "decision");
  const requestId = own(from, "requestId");
  const approvalId = own(from, "approvalId") ?? null;
  if (decision !== "ALLOW" && decision !== "BLOCK" && decision !== "REQUIRE_APPROVAL") return undefined;
  if (typeof requestId !== "string" || requestId === "") return undefined;
  if (approvalId !== null && !isApprovalId(approvalId)) return undefined;
  if (decision === "REQUIRE_APPROVAL" && approvalId === null) return undefined;
  const riskScore = own(from, "riskScore");
  return {
    ...from,
    decision,
    requestId,
    approvalId,
    reason: text(from, "reason") ?? "",
    matchedRule: text(from, "matchedRule") ?? "",
    riskScore: typeof riskScore === "number" ? riskScore : 0,
    severity: text(from, "severity") ?? "",
    limits: readLimits(own(from, "limits")),
  };
}

/** What is no limit in the documented shape is left out: a hint that cannot be read is none. */
function readLimits(list: unknown): LimitUse[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown): LimitUse[] => {
    const from = members(item);
    if (from === undefined) return [];
    const [rule, used, of, remaining] = ["rule", "used", "of", "remaining"].map((name) => text(from, name));
    const withinSeconds = own(from, "withinSeconds");
    if (rule === undefined || used === undefined || of === undefined || remaining === undefined) return [];
    if (typeof withinSeconds !== "number") return [];
    return [{ ...from, rule, used, of, remaining, withinSeconds }];
  });
}

export function readApproval(body: unknown): ApprovalStatus | undefined {
  const from = members(body);
  if (from === undefined) return undefined;
  const status = own(from, "status");
  if (status !== "pending" && status !== "approved" && status !== "denied" && status !== "expired") return undefined;
  return { ...from, status };
}

export function readVerification(body: unknown): AuditVerification | undefined {
  const from = members(body);
  if (from === undefined) return undefined;
  const valid = own(from, "valid");
  const chainLength = own(from, "chainLength");
  if (typeof valid !== "boolean" || typeof chainLength !== "number") return undefined;
  return { ...from, valid, chainLength };
}

export function readOutcome(body: unknown): OutcomeRecord | undefined {
  const from = members(body);
  if (from === undefined) return undefined;
  const requestId = own(from, "requestId");
  const status = own(from, "status");
  if (typeof requestId !== "string") return undefined;
  if (status !== "succeeded" && status !== "failed" && status !== "unknown") return undefined;
  return { ...from, requestId, status };
}

/** A text member of any answer, e.g. `error` of a refused request. */
export function readText(body: unknown, name: string): string | undefined {
  const from = members(body);
  return from === undefined ? undefined : text(from, name);
}

function members(body: unknown): Members | undefined {
  return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Members) : undefined;
}

function own(from: Members, name: string): unknown {
  return Object.hasOwn(from, name) ? from[name] : undefined;
}

function text(from: Members, name: string): string | undefined {
  const value = own(from, name);
  return typeof value === "string" ? value : undefined;
}
