/** Keyboard shortcuts: one listener, a list of what is bound now, and nothing while somebody types. */
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Shortcut {
  /** `j`, `g d`, `shift+a`, `mod+k`, `Enter`. */
  keys: string;
  label: string;
  group: string;
  run: () => void;
  /** Works also while a text field has the focus. */
  always?: boolean;
}

const SEQUENCE_MS = 900;
let bound: readonly Shortcut[] = [];
const listeners = new Set<() => void>();
let pending = "";
let pendingSince = 0;

function change(next: readonly Shortcut[]): void {
  bound = next;
  for (const tell of listeners) tell();
}

export function nameOf(event: KeyboardEvent): string {
  const mod = event.metaKey || event.ctrlKey ? "mod+" : "";
  const shift = event.shiftKey && /^[a-zA-Z]$|^Enter$/.test(event.key) ? "shift+" : "";
  return mod + shift + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

function typing(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** A dialog has its own keys; a focused button or link keeps Enter. */
function taken(event: KeyboardEvent): boolean {
  // Closed lists stay in the document, unseen.
  if ([...document.querySelectorAll("[role=dialog], [role=menu], [role=listbox]")].some((element) => element.checkVisibility())) return true;
  const target = event.target;
  return event.key === "Enter" && target instanceof HTMLElement && target.closest("button, a, summary") !== null;
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const key = nameOf(event);
  const busy = typing(event) || taken(event);
  const sequence = Date.now() - pendingSince < SEQUENCE_MS && pending !== "" ? `${pending} ${key}` : key;
  // The latest binding wins: a page may use a key for something nearer.
  const match = bound.findLast((shortcut) => (shortcut.keys === sequence || shortcut.keys === key) && (!busy || shortcut.always));
  const starts = !busy && bound.some((shortcut) => shortcut.keys.startsWith(`${key} `));
  const exactly = bound.findLast((shortcut) => shortcut.keys === sequence && (!busy || shortcut.always));
  pending = starts && exactly === undefined ? key : "";
  pendingSince = Date.now();
  const chosen = exactly ?? (starts ? undefined : match);
  if (chosen === undefined) return;
  event.preventDefault();
  chosen.run();
}

let listening = false;

/** Binds shortcuts while the component is shown. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const signature = shortcuts.map(({ keys, label }) => `${keys}=${label}`).join("\n");
  useEffect(() => {
    if (!listening) {
      window.addEventListener("keydown", onKey);
      listening = true;
    }
    const mine = latest.current.map((shortcut, place): Shortcut => ({ ...shortcut, run: () => latest.current[place]?.run() }));
    change([...bound, ...mine]);
    return () => change(bound.filter((shortcut) => !mine.includes(shortcut)));
  }, [signature]);
}

export function useBound(): readonly Shortcut[] {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => bound,
  );
}

const MAC = typeof navigator !== "undefined" && /Mac|iP(hone|ad)/.test(navigator.userAgent);
const SHOWN: Record<string, string> = { mod: MAC ? "⌘" : "Ctrl", shift: "⇧", Enter: "↵", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓" };

/** The keys of a shortcut, as they are printed on a keyboard. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span aria-hidden>
      {keys.split(" ").map((step, place) => (
        <span key={place}>
          {place > 0 ? " " : ""}
          {step.split("+").map((key) => (
            <kbd key={key}>{SHOWN[key] ?? (key.length === 1 ? key.toUpperCase() : key)}</kbd>
          ))}
        </span>
      ))}
    </span>
  );
}
