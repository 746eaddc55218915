/**
 * The event stream of the server, as a reason to ask again.
 *
 * Events say which answers are old; the answers themselves come from the lists. Of decisions and outcomes the page needs no
 * event each: that the ledger has grown is told a few times a second, however many there are. So a thousand decisions a
 * second cost one request a second, and a stream that breaks costs nothing but freshness: lists are polled until it is back,
 * every five seconds while somebody looks, and the number of waiting asks every thirty while nobody does.
 */
import { useEffect, useSyncExternalStore } from "react";
import { operation, queries, refresh } from "./queries";
import { isSilent, onReachedAgain } from "./reach";

export type Liveness = "live" | "polling" | "offline";

/** Shortest time between two rounds of asking again. */
const PACE_MS = 1_000;
/** Shortest time between two looks at a short list of decisions. */
const LISTS_MS = 5_000;
/** How often lists are asked again while there is no stream. */
const POLL_MS = 5_000;

const STALE: Record<string, readonly string[]> = {
  approval: ["listApprovals", "listApprovalGroups", "getApproval", "getStatistics"],
  control: [
    "listPolicies", "getPolicy", "listPolicyVersions", "getPolicyVersion", "policyHits", "listAgents", "getAgent", "listKeys",
    "getSettings", "getCatalogue", "listUsers", "getUser", "getSession",
  ],
  containment: ["listSwitches"],
  clock: ["getCheckpoint"],
  head: ["listDecisions", "getDecision", "getStatistics", "listLimits", "getCheckpoint"],
};
const POLLED = [...new Set([...(STALE.head ?? []), ...(STALE.approval ?? []), "listSwitches", "listPolicies", "getPolicy", "listPolicyVersions"])];
/** The same while nobody looks: only how many asks wait, which stands in the title. */
const HIDDEN_POLL_MS = 30_000;
const POLLED_HIDDEN = ["listApprovals"];
const STREAM = `/api/v1/events?types=${Object.keys(STALE).join(",")}`;

export interface ApprovalEvent {
  change: string;
  approvalId: string;
  requestId: string;
  agent: { id: string; name?: string };
}

let state: Liveness = "polling";
const watchers = new Set<() => void>();
const approvalListeners = new Set<(event: ApprovalEvent) => void>();
const tickListeners = new Set<() => void>();

function become(next: Liveness): void {
  if (state === next) return;
  state = next;
  for (const tell of watchers) tell();
}

export function useLiveness(): Liveness {
  return useSyncExternalStore(
    (tell) => {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    () => state,
  );
}

/** Something that wants each change of an approval, and not only the list after it. */
export function onApproval(listener: (event: ApprovalEvent) => void): () => void {
  approvalListeners.add(listener);
  return () => approvalListeners.delete(listener);
}

/** Told, at most once a second, that there are new decisions. */
export function onNewDecisions(listener: () => void): () => void {
  tickListeners.add(listener);
  return () => tickListeners.delete(listener);
}

class Pacer {
  private readonly due = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = 0;
  private lists = 0;

  add(operations: readonly string[]): void {
    for (const operation of operations) this.due.add(operation);
    this.timer ??= setTimeout(() => this.flush(), Math.max(60, this.last + PACE_MS - Date.now()));
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private flush(): void {
    this.timer = undefined;
    // Nobody looks: what is old is asked again when somebody does.
    if (document.hidden && !this.due.has("listApprovals")) return;
    this.last = Date.now();
    const operations = [...this.due];
    this.due.clear();
    if (operations.includes("listDecisions")) this.tellOfDecisions();
    void refresh(...operations.filter((operation) => operation !== "listDecisions"));
  }

  /** The list asks for what is newer by itself; short lists beside other things are asked again now and then. */
  private tellOfDecisions(): void {
    for (const tell of tickListeners) tell();
    if (this.last - this.lists < LISTS_MS) return;
    this.lists = this.last;
    void queries.invalidateQueries({ predicate: ({ queryKey }) => operation(queryKey) === "listDecisions" && queryKey[1] !== "window" });
  }
}

/** Takes an event of the stream, and what became of the stream itself. */
interface Ear {
  hear: (type: string, data: string) => void;
  become: (next: Liveness) => void;
}

/** Opens the stream, and again whenever the browser gives up on it. */
function listen(ear: Ear): () => void {
  let source: EventSource | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  const open = () => {
    source = new EventSource(STREAM);
    source.addEventListener("hello", () => {
      failures = 0;
      ear.become("live");
    });
    for (const type of [...Object.keys(STALE), "gap"]) source.addEventListener(type, ({ data }: MessageEvent<string>) => ear.hear(type, data));
    source.onerror = () => {
      ear.become(navigator.onLine ? "polling" : "offline");
      if (source?.readyState !== EventSource.CLOSED) return;
      // The browser gives up on a refusal; the session may be over, or the server too old.
      failures += 1;
      again = setTimeout(open, Math.min(60_000, 2_000 * 2 ** failures));
    };
  };
  open();
  return () => {
    source?.close();
    clearTimeout(again);
  };
}

/** What the page that holds the stream tells the others. */
type Told = { type: string; data: string } | { liveness: Liveness } | { asks: true };

/**
 * One stream for all pages of this browser: it keeps only six connections to a server, and a seventh page would wait for ever.
 * Whoever has the lock holds the stream and tells the others; when it closes, the next one has it.
 */
function share(ear: Ear): () => void {
  if (typeof navigator.locks === "undefined" || typeof BroadcastChannel === "undefined") return listen(ear);
  const channel = new BroadcastChannel("runplane-events");
  const ended = new AbortController();
  let own: Liveness | undefined;
  const tell = (told: Told) => {
    if (!ended.signal.aborted) channel.postMessage(told);
  };
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    if ("type" in data) ear.hear(data.type, data.data);
    else if ("liveness" in data) ear.become(data.liveness);
    else if (own !== undefined) tell({ liveness: own });
  };
  tell({ asks: true });
  const hold = () =>
    new Promise<void>((release) => {
      if (ended.signal.aborted) return release();
      const stop = listen({
        hear: (type, data) => {
          ear.hear(type, data);
          tell({ type, data });
        },
        become: (next) => {
          own = next;
          ear.become(next);
          tell({ liveness: next });
        },
      });
      ended.signal.addEventListener("abort", () => {
        stop();
        release();
      });
    });
  // Refused only because this page has stopped listening.
  navigator.locks.request("runplane-events", { signal: ended.signal }, hold).catch(() => undefined);
  return () => {
    ended.abort();
    channel.close();
  };
}

function connect(): () => void {
  const pacer = new Pacer();
  const stop = share({
    hear: (type, data) => {
      if (type === "gap") void queries.invalidateQueries();
      else pacer.add(STALE[type] ?? []);
      if (type === "approval") announce(data);
    },
    become,
  });
  let polled = Date.now();
  const poll = setInterval(() => {
    if (state === "live" && !isSilent()) return;
    if (document.hidden && Date.now() - polled < HIDDEN_POLL_MS) return;
    polled = Date.now();
    pacer.add(document.hidden ? POLLED_HIDDEN : POLLED);
  }, POLL_MS);
  // What could not be asked meanwhile is asked now.
  const deaf = onReachedAgain(() => void queries.invalidateQueries());
  return () => {
    stop();
    deaf();
    clearInterval(poll);
    pacer.stop();
    become("polling");
  };
}

function announce(data: string): void {
  const event = JSON.parse(data) as ApprovalEvent;
  for (const tell of approvalListeners) tell(event);
}

/** Keeps the stream open as long as somebody is signed in. */
export function useLive(signedIn: boolean): void {
  useEffect(() => (signedIn ? connect() : undefined), [signedIn]);
}
