/**
 * Asks the server for a decision, and asks again when the answer was lost.
 *
 * INVARIANT: every repetition carries the same bytes and so the same `requestId`: the server decides and counts the action
 * once and gives the recorded decision again.
 */
import { type Decision, readDecision } from "./answers.js";
import { now, pause } from "./clock.js";
import type { Settings } from "./options.js";
import { type Answer, exchange, type Outage } from "./transport.js";

/** One action, as sent. */
export interface GuardBody {
  readonly action: {
    readonly type: string;
    readonly target: string;
    readonly context: unknown;
    readonly tool?: string;
  };
  readonly requestId: string;
  readonly subject?: string;
  readonly session?: string;
}

export type Asked = { readonly kind: "decision"; readonly decision: Decision } | Answer | Outage;

/** The first attempt leaves this share of the time to a second one. */
const FIRST_ATTEMPT = 2 / 3;
const FIRST_PAUSE_MS = 50;

/** `text` is the JSON of a {@link GuardBody} with this `requestId`. */
export async function askForDecision(settings: Settings, text: string, requestId: string): Promise<Asked> {
  const request = { method: "POST", path: "/api/v1/guard", body: text } as const;
  const deadline = now() + settings.timeoutMs;
  let outage: Outage | undefined;
  for (let attempt = 0; ; attempt += 1) {
    const left = deadline - now();
    if (outage !== undefined && left <= 0) return outage;
    const result = await exchange(settings, request, attempt === 0 ? left * FIRST_ATTEMPT : left);
    if (result.kind === "answer") return understood(result, requestId);
    // What went wrong says more than that the time ran out while trying again.
    if (outage === undefined || result.why !== "timeout") outage = result;
    const wait = result.retryAfterMs ?? FIRST_PAUSE_MS * 2 ** attempt;
    if (now() + wait >= deadline) return outage;
    await pause(wait);
  }
}

function understood(answer: Answer, requestId: string): Asked {
  if (answer.status < 200 || answer.status > 299) return answer;
  const decision = readDecision(answer.body);
  if (decision === undefined) return answer;
  // An answer to another request allows nothing: something between us and the server mixed answers up.
  if (decision.requestId !== requestId && decision.decision !== "BLOCK") return answer;
  return { kind: "decision", decision };
}
