/** The text being written, and the text in force that it was made from. What is in force can change meanwhile. */
import { useState } from "react";

export interface Made {
  text: string;
  /** What was in force when the draft was begun, or when its writer last looked at what is. */
  base: string;
}

/** What becomes of a draft when another text is in force: one that nobody has changed goes with it, any other stays as it is. */
export function follow({ text, base }: Made, active: string): Made {
  return text === base || text === active ? { text: active, base: active } : { text, base };
}

export function useDraft(active: string, start: string) {
  const [made, setMade] = useState<Made>({ text: start, base: active });
  const [seen, setSeen] = useState(active);
  let current = made;
  if (seen !== active) {
    current = follow(made, active);
    setSeen(active);
    setMade(current);
  }
  return {
    ...current,
    changed: current.text !== active,
    /** Somebody else's text came into force under this draft. */
    overtaken: current.base !== active && current.text !== active,
    write: (text: string) => setMade((before) => ({ ...before, text })),
    /** Drops the draft for what is in force. */
    take: () => setMade({ text: active, base: active }),
    /** Goes on with the draft, knowing what is in force. */
    keep: () => setMade((before) => ({ ...before, base: active })),
  };
}
