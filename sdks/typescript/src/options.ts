/**
 * The client's options: what a program may set, the defaults, and the one place where the environment is read.
 *
 * Every value is checked when the client is made, so that a bad one can never look like a server that cannot be reached:
 * in fail-open mode that would run the action.
 */
import type { Decision } from "./answers.js";
import type { ShieldError } from "./errors.js";

/** What happens to an action when the server truly could not answer. */
export type FailMode = "open" | "closed";

export interface ShieldOptions {
  /** The server's address. Default: `RUNPLANE_BASE_URL` from the environment, else `http://127.0.0.1:7070`. */
  baseUrl?: string;
  /** The agent's key. Default: `RUNPLANE_API_KEY` from the environment. */
  apiKey?: string;
  /** Milliseconds for a decision, retries included. Default 3000. */
  timeoutMs?: number;
  /**
   * `closed` (default): an action without an answer does not run. `open`: it runs, and only when the server truly could not
   * answer: no connection, no complete answer within `timeoutMs`, or a 5xx. Any other answer, everything after the server
   * has held an action for approval, and actions of more than 1 MiB are never overridden.
   */
  failMode?: FailMode;
  /** Milliseconds to wait for a person. Default 300000. */
  approvalTimeoutMs?: number;
  /** First pause between two looks at an approval; pauses grow to five times this. Default 2000. */
  approvalPollIntervalMs?: number;
  /** How long `guard()` waits for its outcome report before it returns; the report goes on behind it. Default 1000. */
  outcomeWaitMs?: number;
  /** Used instead of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** Called with every decision the server gives, for logs. What it throws is ignored. */
  onDecision?: (decision: Decision) => void;
  /** Called before an action runs without a decision because of `failMode: "open"`. What it throws is ignored. */
  onFailOpen?: (error: ShieldError) => void;
}

/** The options with defaults filled in and every value checked. */
export interface Settings {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly timeoutMs: number;
  readonly failMode: FailMode;
  readonly approvalTimeoutMs: number;
  readonly approvalPollIntervalMs: number;
  readonly outcomeWaitMs: number;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly onDecision: (decision: Decision) => void;
  readonly onFailOpen: (error: ShieldError) => void;
}

const LOCAL_DEFAULT = "http://127.0.0.1:7070";
/** The longest time a JavaScript timer can hold; more fires at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Checks `options` and fills in the defaults; throws `TypeError` naming the option that is wrong. */
export function resolve(options: ShieldOptions): Settings {
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  return {
    baseUrl: address(options.baseUrl ?? environment("RUNPLANE_BASE_URL") ?? LOCAL_DEFAULT),
    apiKey: key(options.apiKey ?? environment("RUNPLANE_API_KEY")),
    timeoutMs: milliseconds("timeoutMs", options.timeoutMs, 3_000, 1),
    failMode: failMode(options.failMode),
    approvalTimeoutMs: milliseconds("approvalTimeoutMs", options.approvalTimeoutMs, 300_000, 1),
    approvalPollIntervalMs: milliseconds("approvalPollIntervalMs", options.approvalPollIntervalMs, 2_000, 1),
    outcomeWaitMs: milliseconds("outcomeWaitMs", options.outcomeWaitMs, 1_000, 0),
    fetch: optionalFunction("fetch", options.fetch),
    onDecision: listener("onDecision", options.onDecision),
    onFailOpen: listener("onFailOpen", options.onFailOpen),
  };
}

function environment(name: string): string | undefined {
  const value = globalThis.process?.env?.[name];
  return value === undefined || value === "" ? undefined : value;
}

function address(text: unknown): string {
  if (typeof text !== "string") throw new TypeError("`baseUrl` must be a string");
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError(`\`baseUrl\` is not an address: \`${text}\``);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError("`baseUrl` must begin with http:// or https://");
  if (url.username !== "" || url.password !== "") throw new TypeError("`baseUrl` must not carry a user name or password");
  if (url.search !== "" || url.hash !== "") throw new TypeError("`baseUrl` must not carry a query or fragment");
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

function key(text: unknown): string {
  if (typeof text !== "string" || text === "") throw new TypeError("`apiKey` is missing: pass it or set RUNPLANE_API_KEY");
  if (!/^[\x21-\x7e]+$/.test(text)) throw new TypeError("`apiKey` may hold visible ASCII characters only");
  return text;
}

function failMode(value: unknown): FailMode {
  if (value === undefined || value === "closed") return "closed";
  if (value === "open") return "open";
  throw new TypeError("`failMode` must be `open` or `closed`");
}

function milliseconds(name: string, value: unknown, fallback: number, least: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number" || !(value >= least && value <= LONGEST_TIMER_MS)) {
    throw new TypeError(`\`${name}\` must be a number of milliseconds from ${least} to ${LONGEST_TIMER_MS}`);
  }
  return value;
}

function optionalFunction<F>(name: string, value: F | undefined): F | undefined {
  if (value !== undefined && typeof value !== "function") throw new TypeError(`\`${name}\` must be a function`);
  return value;
}

function listener<A>(name: string, value: ((argument: A) => void) | undefined): (argument: A) => void {
  const call = optionalFunction(name, value);
  return (argument) => {
    try {
      call?.(argument);
    } catch {
      // A listener only watches: it must not change whether the action runs.
    }
  };
}
