import { useSyncExternalStore } from "react";
import { countdown, exact, relative } from "./time";

/** One clock for all relative times on the page: ticks once a second while anybody looks. */
let now = new Date();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = new Date();
    for (const tell of listeners) tell();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Something made of the present; re-renders only when what is made of it changes. */
function useNow<T>(make: (now: Date) => T): T {
  return useSyncExternalStore(subscribe, () => make(now));
}

export function Ago({ at }: { at: string }) {
  const moment = new Date(at);
  const text = useNow((present) => relative(moment, present));
  return (
    <time dateTime={at} title={exact(moment)} className="num">
      {text}
    </time>
  );
}

/** What is left until a moment; turns urgent below two minutes. */
export function Countdown({ until, className }: { until: string; className?: string }) {
  const moment = new Date(until);
  const text = useNow((present) => countdown(moment, present));
  const urgent = useNow((present) => moment.getTime() - present.getTime() < 120_000);
  return (
    <time dateTime={until} title={`expires ${exact(moment)}`} className={className} data-urgent={urgent || undefined}>
      {text}
    </time>
  );
}
