/**
 * A client that behaves exactly like the one already published for this product (1.2.x), written from its documented
 * behaviour alone and sharing no code with our own SDK.
 *
 * Programs out there hold such a client. What must stay true: it works against this server when only `baseUrl` and `apiKey`
 * change, and in fail-open mode, where it RUNS its callback on any non-2xx answer, on a time-out and on `expired`, the server
 * answers so that nothing runs which a clean answer would have stopped.
 *
 * It refuses to be clever: no `Runplane-Client` header, no retry, no redemption, no outcome report.
 */

/** The error of the published client. `code`: BLOCKED, DENIED, TIMEOUT, NETWORK_ERROR or UNKNOWN. */
export class WireError extends Error {
  constructor(code, message, requestId) {
    super(message);
    this.name = "WireError";
    this.code = code;
    this.requestId = requestId;
  }
}

/** The pause before look `n` (0 is the first look) at an approval: 0, 2, 4, 8, 10, 10 … s. */
export function pauseBefore(n, intervalMs = 2_000) {
  return n === 0 ? 0 : Math.min(intervalMs * 2 ** (n - 1), 10_000);
}

export class WireClient {
  /**
   * `clockFactor` shortens the client's own waiting: 0.01 makes its 300 s for an approval last 3 s. The 3 s it gives the
   * server for a decision are real in any case.
   */
  constructor({ baseUrl, apiKey, timeoutMs = 3_000, failMode = "closed", approvalTimeoutMs = 300_000, approvalPollIntervalMs = 2_000, clockFactor = 1 }) {
    this.baseUrl = baseUrl.replace(/\/+$/, "");
    this.apiKey = apiKey;
    this.timeoutMs = timeoutMs;
    this.failMode = failMode;
    this.approvalTimeoutMs = approvalTimeoutMs;
    this.approvalPollIntervalMs = approvalPollIntervalMs;
    this.clockFactor = clockFactor;
  }

  /** Runs `executeFn` on ALLOW, on an approval that reads `approved`, and in fail-open mode whenever it got no 2xx. */
  async guard(actionType, target, context, executeFn) {
    let decision;
    try {
      decision = await this.decide({ actionType, target, context });
    } catch (error) {
      return this.#failed(error, executeFn);
    }
    if (decision.decision === "ALLOW") return executeFn();
    if (decision.decision === "BLOCK") throw new WireError("BLOCKED", decision.reason, decision.requestId);
    if (decision.decision !== "REQUIRE_APPROVAL" || typeof decision.approvalId !== "string" || decision.approvalId === "") {
      throw new WireError("UNKNOWN", `unknown decision ${decision.decision}`, decision.requestId);
    }
    let approval;
    try {
      approval = await this.pollApproval(decision.approvalId);
    } catch (error) {
      return this.#failed(error, executeFn);
    }
    if (approval.status === "approved") return executeFn();
    if (approval.status === "expired") return this.#failed(new WireError("TIMEOUT", "approval expired", decision.requestId), executeFn);
    throw new WireError("DENIED", approval.comment ?? "denied", decision.requestId);
  }

  /** One POST with one abort timer over headers and body; any non-2xx is an outage to this client. */
  async decide({ actionType, target, context, requestId }) {
    const body = { action: { type: actionType, target, context: context ?? {} } };
    if (requestId !== undefined) body.requestId = requestId;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.timeoutMs);
    try {
      const response = await fetch(`${this.baseUrl}/api/v1/guard`, {
        method: "POST",
        headers: { Authorization: `Bearer ${this.apiKey}`, "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal: abort.signal,
      });
      const answer = await response.json();
      if (!response.ok) throw new WireError("NETWORK_ERROR", `${response.status} ${answer.error}`);
      return answer;
    } catch (error) {
      if (error instanceof WireError) throw error;
      throw new WireError(abort.signal.aborted ? "TIMEOUT" : "NETWORK_ERROR", String(error?.cause ?? error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Looks until the status is anything but `pending`. A failed look is repeated; the look itself has no time-out. */
  async pollApproval(approvalId) {
    const started = performance.now();
    for (let look = 0; ; look += 1) {
      const pause = pauseBefore(look, this.approvalPollIntervalMs) * this.clockFactor;
      if (performance.now() - started + pause >= this.approvalTimeoutMs * this.clockFactor) {
        throw new WireError("TIMEOUT", "nobody decided in time");
      }
      await new Promise((done) => setTimeout(done, pause));
      const answer = await this.#get(`/api/v1/approvals/${approvalId}`).catch(() => undefined);
      if (answer?.ok && answer.body.status !== "pending") return answer.body;
    }
  }

  async verifyAuditChain() {
    const { ok, status, body } = await this.#get("/api/audit/verify");
    if (!ok) throw new WireError("NETWORK_ERROR", `${status} ${body.error}`);
    return body;
  }

  async #get(path) {
    const response = await fetch(this.baseUrl + path, { headers: { Authorization: `Bearer ${this.apiKey}` } });
    return { ok: response.ok, status: response.status, body: await response.json() };
  }

  #failed(error, executeFn) {
    if (this.failMode === "open") return executeFn();
    throw error;
  }
}
