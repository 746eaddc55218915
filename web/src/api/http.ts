/** How the generated client talks to the server, and what a refusal looks like to the page. */
import { noteReached } from "./reach";
import { client } from "../generated/client.gen";

/** A refusal of the server (RFC 9457), or the silence of a server that cannot be reached. */
export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when there was no answer. */
    readonly status: number,
    /** Stable code, one page each in docs/errors. */
    readonly code: string,
    readonly detail: string,
    readonly body: unknown = undefined,
  ) {
    super(detail);
    this.name = "Problem";
  }

  static of(failure: unknown): Problem {
    if (failure instanceof Problem) return failure;
    if (failure instanceof Error) return new Problem(-1, "page_error", failure.message);
    return new Problem(-1, "page_error", String(failure));
  }

  /** Whether asking again may help without anybody doing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

function read(body: unknown, status: number): Problem {
  if (typeof body === "object" && body !== null && "error" in body) {
    const { error, detail, title } = body as { error: unknown; detail?: unknown; title?: unknown };
    return new Problem(status, String(error), String(detail ?? title ?? error), body);
  }
  return new Problem(status, "unreadable_answer", `The server answered ${status} with something that is no problem document.`, body);
}

/** People who are told when a session has ended. */
const signedOut = new Set<() => void>();

export function onSignedOut(listener: () => void): () => void {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

/** Somebody who moved on does not want the answer any more: that says nothing about the server. */
const isWithdrawn = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

export function configure(): void {
  client.setConfig({ baseUrl: "", credentials: "same-origin" });
  client.interceptors.response.use((response) => {
    noteReached(true);
    return response;
  });
  client.interceptors.error.use((error, response) => {
    if (response === undefined) {
      if (!isWithdrawn(error)) noteReached(false);
      return new Problem(0, "unreachable", "The server did not answer.");
    }
    const problem = read(error, response.status);
    if (response.status === 401 && problem.code === "invalid_key") for (const tell of signedOut) tell();
    return problem;
  });
}
