/** Finds a rule in the text of its policy, to show it where it is written. */

export interface SourceLines {
  /** Number of the first line, from 1. */
  start: number;
  lines: string[];
}

/** Longest piece shown. */
const MOST = 14;

export function findRule(yaml: string, id: string): SourceLines | undefined {
  const lines = yaml.split("\n");
  const plain = id.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const head = new RegExp(`^(\\s*)-\\s*(\\{\\s*)?id:\\s*["']?${plain}["']?\\s*([,}#].*)?$`);
  const at = lines.findIndex((line) => head.test(line));
  if (at < 0) return undefined;
  const indent = /^\s*/.exec(lines[at] ?? "")?.[0].length ?? 0;
  let end = at + 1;
  while (end < lines.length && end - at < MOST) {
    const line = lines[end] ?? "";
    if (line.trim() === "" || (/^\s*/.exec(line)?.[0].length ?? 0) <= indent) break;
    end += 1;
  }
  return { start: at + 1, lines: lines.slice(at, end) };
}

/** `payments/refund-over-500` → policy and rule; rules of the engine itself have no text. */
export function splitRule(rule: string): { policy: string; id: string } | undefined {
  const slash = rule.indexOf("/");
  if (slash < 0 || rule.startsWith("runplane/")) return undefined;
  return { policy: rule.slice(0, slash), id: rule.slice(slash + 1) };
}
