/**
 * The event stream of the server, as a reason to ask again.
 *
 * Events say which answers are old; the answers themselves come from the lists. So a thousand events a second cost one
 * request a second, and a stream that breaks costs nothing but freshness: lists are polled until it is back.
 */
import { useEffect, useSyncExternalStore } from "react";
import { queries, refresh } from "./queries";

export type Liveness = "live" | "polling" | "offline";

/** Shortest time between two rounds of asking again. */
const PACE_MS = 1_000;
/** How often lists are asked again while there is no stream. */
const POLL_MS = 5_000;

const STALE: Record<string, readonly string[]> = {
  decision: ["listDecisions", "getStatistics", "listLimits"],
  approval: ["listApprovals", "listApprovalGroups", "getApproval", "getStatistics"],
  outcome: ["getDecision"],
  control: [
    "listPolicies", "getPolicy", "listPolicyVersions", "getPolicyVersion", "policyHits", "listAgents", "getAgent", "listKeys",
    "getSettings", "getCatalogue", "listUsers", "getUser", "getSession",
  ],
  containment: ["listSwitches"],
  clock: ["getCheckpoint"],
  head: ["getCheckpoint"],
};
const POLLED = [...new Set([...(STALE.decision ?? []), ...(STALE.approval ?? []), "listSwitches", "getCheckpoint"])];

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
    if (operations.includes("listDecisions")) for (const tell of tickListeners) tell();
    void refresh(...operations.filter((operation) => operation !== "listDecisions"));
  }
}

function connect(): () => void {
  const pacer = new Pacer();
  let source: EventSource | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  const open = () => {
    source = new EventSource("/api/v1/events");
    source.addEventListener("hello", () => {
      failures = 0;
      become("live");
    });
    for (const [type, operations] of Object.entries(STALE)) {
      source.addEventListener(type, (event) => {
        pacer.add(operations);
        if (type === "approval") announce(event as MessageEvent<string>);
      });
    }
    source.addEventListener("gap", () => void queries.invalidateQueries());
    source.onerror = () => {
      become(navigator.onLine ? "polling" : "offline");
      if (source?.readyState !== EventSource.CLOSED) return;
      // The browser gives up on a refusal; the session may be over, or the server too old.
      failures += 1;
      again = setTimeout(open, Math.min(60_000, 2_000 * 2 ** failures));
    };
  };
  open();
  const poll = setInterval(() => {
    if (state !== "live" && !document.hidden) pacer.add(POLLED);
  }, POLL_MS);
  return () => {
    source?.close();
    clearTimeout(again);
    clearInterval(poll);
    pacer.stop();
    become("polling");
  };
}

function announce(message: MessageEvent<string>): void {
  const event = JSON.parse(message.data) as ApprovalEvent;
  for (const tell of approvalListeners) tell(event);
}

/** Keeps the stream open as long as somebody is signed in. */
export function useLive(signedIn: boolean): void {
  useEffect(() => (signedIn ? connect() : undefined), [signedIn]);
}
