/** Whether the server answers at all: what is on screen may be old while it does not. */
import { useSyncExternalStore } from "react";

/** One request that fails, as those do that a page leaves behind, is no silence yet. */
const PATIENCE_MS = 1_500;

/** Since when it does not answer. */
let silentSince: number | undefined;
let doubt: ReturnType<typeof setTimeout> | undefined;
const watchers = new Set<() => void>();

function become(since: number | undefined): void {
  clearTimeout(doubt);
  doubt = undefined;
  if (since === silentSince) return;
  silentSince = since;
  for (const tell of watchers) tell();
}

/** Told by each request: it was answered, whatever the answer, or it was not. */
export function noteReached(answered: boolean): void {
  if (answered) return become(undefined);
  if (silentSince !== undefined || doubt !== undefined) return;
  const since = Date.now();
  doubt = setTimeout(() => become(since), PATIENCE_MS);
}

function watch(tell: () => void): () => void {
  watchers.add(tell);
  return () => watchers.delete(tell);
}

/** Calls `tell` whenever the server answers again after it did not. */
export function onReachedAgain(tell: () => void): () => void {
  return watch(() => {
    if (silentSince === undefined) tell();
  });
}

export function isSilent(): boolean {
  return silentSince !== undefined;
}

export function useSilentSince(): number | undefined {
  return useSyncExternalStore(watch, () => silentSince);
}
