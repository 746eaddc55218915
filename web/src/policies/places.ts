/** From the server's line and column to a range in the text. Pure. */

export interface Range {
  from: number;
  to: number;
}

/** Line and column count from 1, the column in characters (code points), as the server counts them. */
export function rangeAt(text: string, line: number, column: number): Range {
  const lines = text.split("\n");
  const index = Math.min(Math.max(1, line), lines.length) - 1;
  const start = lines.slice(0, index).reduce((sum, before) => sum + before.length + 1, 0);
  const own = lines[index] ?? "";
  const units = [...own].slice(0, Math.max(0, column - 1)).join("").length;
  const from = start + Math.min(units, own.length);
  const rest = own.slice(from - start);
  // The word that stands there; a sign by itself; the whole line if it is at its end.
  const word = /^[\p{L}\p{N}_.$-]+|^"[^"]*"|^'[^']*'|^\S+/u.exec(rest)?.[0] ?? "";
  if (word !== "") return { from, to: from + word.length };
  const indent = own.length - own.trimStart().length;
  return own.trim() === "" ? { from: start, to: start + own.length } : { from: start + indent, to: start + own.trimEnd().length };
}

/** The name a document gives itself. */
export function nameIn(yaml: string): string | undefined {
  return /^policy:\s*["']?([a-z0-9_.-]{1,64})["']?\s*(#.*)?$/m.exec(yaml)?.[1];
}
