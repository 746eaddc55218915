/**
 * Finds a rule in the text of its policy, to show it where it is written. Pure.
 *
 * Reads as much of YAML as tells the members of `rules` and their `id` apart, in block and in flow style, wherever in the rule
 * the id stands. What is written in another way is not found, and whoever asks says so.
 */

export interface SourceLines {
  /** Number of the first line, from 1. */
  start: number;
  lines: string[];
  /** Lines of the rule that are left out at its end. */
  more: number;
}

/** Longest piece shown. */
const MOST = 14;

interface Place {
  /** Of the first line, from 0, and of the first one after. */
  from: number;
  to: number;
}

export function findRule(yaml: string, id: string): SourceLines | undefined {
  const place = placeOf(yaml, id);
  if (place === undefined) return undefined;
  const lines = yaml.split("\n").slice(place.from, place.to);
  while (lines.length > 1 && isNothing(lines.at(-1) ?? "")) lines.pop();
  return { start: place.from + 1, lines: lines.slice(0, MOST), more: Math.max(0, lines.length - MOST) };
}

/** Where a rule begins: offset of its line. */
export function ruleAt(yaml: string, id: string): number | undefined {
  const place = placeOf(yaml, id);
  return place && yaml.split("\n").slice(0, place.from).reduce((sum, line) => sum + line.length + 1, 0);
}

/** `payments/refund-over-500` → policy and rule; rules of the engine itself have no text. */
export function splitRule(rule: string): { policy: string; id: string } | undefined {
  const slash = rule.indexOf("/");
  if (slash < 0 || rule.startsWith("runplane/")) return undefined;
  return { policy: rule.slice(0, slash), id: rule.slice(slash + 1) };
}

const isNothing = (line: string): boolean => /^\s*(#.*)?$/.test(line);
const indentOf = (line: string): number => /^ */.exec(line)?.[0].length ?? 0;

function placeOf(yaml: string, id: string): Place | undefined {
  const lines = yaml.split("\n");
  const head = /^(["']?)rules\1:[ \t]*/m.exec(yaml);
  if (head === null) return undefined;
  const after = head.index + head[0].length;
  if (yaml[after] === "[") return inFlow(yaml, after, id);
  const first = yaml.slice(0, head.index).split("\n").length;
  return blocks(lines, first).find(({ from, to }) => idOf(lines.slice(from, to)) === id);
}

/** The items of a list in block style, from a line on. */
function blocks(lines: readonly string[], from: number): Place[] {
  const places: Place[] = [];
  let indent: number | undefined;
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (isNothing(line)) continue;
    const own = indentOf(line);
    const isItem = /^ *-(\s|$)/.test(line);
    indent ??= isItem ? own : -1;
    if (own < indent || (own === indent && !isItem) || indent < 0) return closed(places, at);
    if (own === indent) closed(places, at).push({ from: at, to: lines.length });
  }
  return places;
}

function closed(places: Place[], at: number): Place[] {
  const last = places.at(-1);
  if (last !== undefined) last.to = at;
  return places;
}

function idOf(item: readonly string[]): string | undefined {
  const [first = ""] = item;
  const text = first.replace("-", " ");
  const lines = [text, ...item.slice(1)].filter((line) => !isNothing(line));
  const column = indentOf(lines[0] ?? "");
  if (lines[0]?.[column] === "{") return idIn(lines.join("\n"), column);
  for (const line of lines) {
    const [, , value] = indentOf(line) === column ? (/^(["']?)id\1:\s+(.*)$/.exec(line.slice(column)) ?? []) : [];
    if (value !== undefined) return scalar(value);
  }
  return undefined;
}

function scalar(text: string): string {
  const quoted = /^\s*(["'])(.*?)\1/.exec(text);
  return quoted?.[2] ?? text.replace(/\s#.*$/, "").trim();
}

/** Goes through flow style from an opening bracket to the one that closes it, past quotes and comments. */
function walk(text: string, open: number, visit: (at: number, depth: number) => void): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    const sign = text[at] ?? "";
    const before = text[at - 1] ?? "";
    if ((sign === '"' || sign === "'") && /[\s,:[{]/.test(before)) {
      const end = text.indexOf(sign, at + 1);
      if (end < 0) return text.length;
      at = end;
    } else if (sign === "#" && /\s/.test(before)) {
      const end = text.indexOf("\n", at);
      if (end < 0) return text.length;
      at = end;
    } else if (sign === "{" || sign === "[") {
      depth += 1;
      visit(at, depth);
    } else if (sign === "}" || sign === "]") {
      visit(at, depth);
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (sign === ",") visit(at, depth);
  }
  return text.length;
}

/** The id among the members of a map in flow style. */
function idIn(text: string, open: number): string | undefined {
  let found: string | undefined;
  let begin = open + 1;
  walk(text, open, (at, depth) => {
    if (depth !== 1 || at === open) return;
    const [, , value] = /^\s*(["']?)id\1:\s*(.*)$/s.exec(text.slice(begin, at)) ?? [];
    found ??= value === undefined ? undefined : scalar(value);
    begin = at + 1;
  });
  return found;
}

/** `rules: [{…}, {…}]` */
function inFlow(yaml: string, open: number, id: string): Place | undefined {
  const lineOf = (at: number) => yaml.slice(0, at).split("\n").length - 1;
  let place: Place | undefined;
  walk(yaml, open, (at, depth) => {
    if (place !== undefined || depth !== 2 || yaml[at] !== "{" || idIn(yaml, at) !== id) return;
    place = { from: lineOf(at), to: lineOf(walk(yaml, at, () => undefined) - 1) + 1 };
  });
  return place;
}
