/**
 * One HTTP exchange with the server, with a bound on its time and on the size of its answer.
 *
 * It never throws and decides nothing: it only tells an *answer* (whatever it says) from an *outage*, the server's real
 * inability to answer. INVARIANT: fail-open acts on an outage and on nothing else, so whatever came back with a status
 * below 500 is an answer, readable or not.
 */
import type { Settings } from "./options.js";
import { CLIENT_NAME } from "./version.js";

/** `body` is `undefined` when what came back is not JSON. */
export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly body: unknown;
}

export interface Outage {
  readonly kind: "outage";
  readonly why: "timeout" | "network" | "server";
  /** For people. */
  readonly detail: string;
  readonly status?: number;
  /** The server's `Retry-After`. */
  readonly retryAfterMs?: number;
}

export type Exchange = Answer | Outage;

export interface Request {
  readonly method: "GET" | "POST";
  /** Begins with a slash. */
  readonly path: string;
  /** JSON text; the same text is sent again when the request is repeated. */
  readonly body?: string;
}

/** Far above any answer; a body beyond it is not read on. */
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Before giving up the event loop gets one more turn: a program that was too busy to read an answer that had arrived in time
 * must not mistake it for an outage.
 */
const LAST_LOOK_MS = 25;

/** Sends `request` and gives up after `timeoutMs`, headers and body included. */
export async function exchange(settings: Settings, request: Request, timeoutMs: number): Promise<Exchange> {
  const abort = new AbortController();
  const seen: Seen = {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<Exchange>((give) => {
    const giveUp = (): void => {
      give(refusal(seen) ?? { kind: "outage", why: "timeout", detail: `no answer within ${Math.round(timeoutMs)} ms` });
      abort.abort();
    };
    const lastLook = (): void => {
      timer = setTimeout(giveUp, LAST_LOOK_MS);
    };
    timer = setTimeout(lastLook, Math.max(0, timeoutMs - LAST_LOOK_MS));
  });
  try {
    return await Promise.race([send(settings, request, abort.signal, seen), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** The status line, once it is here: a refusal stays one even when its body never comes. */
interface Seen {
  status?: number;
}

function refusal({ status }: Seen): Answer | undefined {
  const refused = status !== undefined && status < 500 && (status < 200 || status > 299);
  return refused ? { kind: "answer", status, body: undefined } : undefined;
}

async function send(settings: Settings, request: Request, signal: AbortSignal, seen: Seen): Promise<Exchange> {
  const headers: Record<string, string> = { authorization: `Bearer ${settings.apiKey}`, "runplane-client": CLIENT_NAME };
  if (request.body !== undefined) headers["content-type"] = "application/json";
  let status: number;
  let retryAfter: string | null;
  let text: string | undefined;
  try {
    const ask = settings.fetch ?? globalThis.fetch;
    // SECURITY: a redirect is an answer that decides nothing; followed, it would show the key and the action to another place.
    const response = await ask(settings.baseUrl + request.path, {
      method: request.method,
      headers,
      redirect: "manual",
      signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    status = seen.status = response.status;
    retryAfter = response.headers.get("retry-after");
    text = await readBody(response);
  } catch (error) {
    return refusal(seen) ?? { kind: "outage", why: "network", detail: describe(error) };
  }
  if (status >= 500) {
    const retryAfterMs = seconds(retryAfter);
    const outage: Outage = { kind: "outage", why: "server", status, detail: `the server answered ${status}` };
    return retryAfterMs === undefined ? outage : { ...outage, retryAfterMs };
  }
  return { kind: "answer", status, body: parse(text) };
}

/** The whole body as text, or `undefined` when it is larger than any answer. */
async function readBody(response: Response): Promise<string | undefined> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let size = 0;
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > LARGEST_ANSWER_BYTES) {
      void reader.cancel().catch(() => undefined);
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch` hides the reason of a failed connection in `cause`. */
function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code: unknown = Reflect.get(cause, "code");
  return typeof code === "string" && !cause.message.includes(code) ? `${cause.message} (${code})` : cause.message;
}

function seconds(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1_000 : undefined;
}
