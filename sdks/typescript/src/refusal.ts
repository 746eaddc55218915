/** Turns answers and outages that allow nothing into the error that says so. */
import { type Decision, readText } from "./answers.js";
import { GuardBlockedError, ShieldError, type ShieldErrorFacts } from "./errors.js";
import type { Answer, Outage } from "./transport.js";

/** The server truly could not answer. */
export function fromOutage(what: string, outage: Outage, facts: ShieldErrorFacts = {}): ShieldError {
  const code = outage.why === "timeout" ? "TIMEOUT" : "NETWORK_ERROR";
  return new ShieldError(code, `${what}: ${outage.detail}`, { ...facts, status: outage.status });
}

/** The server answered, and what it said allows nothing: a refused key, an unknown path, an unreadable body. */
export function fromAnswer(what: string, answer: Answer, facts: ShieldErrorFacts = {}): ShieldError {
  const { status, body } = answer;
  const reasonCode = readText(body, "error");
  const reason = readText(body, "detail") ?? readText(body, "title");
  const said =
    status >= 200 && status <= 299
      ? "the server's answer could not be understood"
      : `the server answered ${status}${reasonCode === undefined ? "" : ` \`${reasonCode}\``}`;
  return new ShieldError("UNKNOWN", `${what}: ${said}${reason === undefined ? "" : `: ${reason}`}`, {
    ...facts,
    status,
    reasonCode,
    reason,
  });
}

/** A decision that forbids. */
export function fromDecision(what: string, decision: Decision, facts: ShieldErrorFacts = {}): GuardBlockedError {
  const rule = decision.matchedRule === "" ? "" : ` by rule \`${decision.matchedRule}\``;
  const reason = decision.reason === "" ? "" : `: ${decision.reason}`;
  return new GuardBlockedError(`${what}${rule}${reason}`, {
    requestId: decision.requestId,
    matchedRule: decision.matchedRule,
    reason: decision.reason,
    reasonCode: decision.reasonCode,
    limits: decision.limits,
    ...facts,
  });
}
