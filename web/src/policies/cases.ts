/** Test cases of a policy: the lines that `runplane policy test` reads, kept in this browser and copied from here to a file. */
import type { Call } from "./api";

export interface Case {
  id: string;
  action: Call["action"];
  subject?: string;
  session?: string;
  expect: string;
  why?: string;
}

export type Line = { line: number; case: Case } | { line: number; problem: string };

const OUTCOMES = ["ALLOW", "REQUIRE_APPROVAL", "BLOCK"];

/** Each line that is not empty, as a case or with what is wrong with it. */
export function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((raw, place): Line[] => {
    const line = place + 1;
    if (raw.trim() === "") return [];
    try {
      const read = JSON.parse(raw) as Partial<Case> & { setup?: unknown; steps?: unknown };
      if (read.setup !== undefined) return [];
      if (read.steps !== undefined) return [{ line, problem: "cases of several steps are for `runplane policy test`" }];
      if (typeof read.action?.type !== "string" || typeof read.action.target !== "string") return [{ line, problem: "it needs an `action` with `type` and `target`" }];
      if (!OUTCOMES.includes(read.expect ?? "")) return [{ line, problem: `\`expect\` is one of ${OUTCOMES.join(", ")}` }];
      return [{ line, case: { ...read, id: read.id ?? `line ${line}`, action: read.action, expect: read.expect ?? "" } }];
    } catch {
      return [{ line, problem: "it is no JSON object on one line" }];
    }
  });
}

/** One more line at the end; the same case is not kept twice. */
export function kept(text: string, policy: string, action: Call["action"], expect: string): string {
  const lines = linesOf(text);
  const same = JSON.stringify(action);
  if (lines.some((each) => "case" in each && JSON.stringify(each.case.action) === same && each.case.expect === expect)) return text;
  const id = `${policy}/${action.type}-${lines.length + 1}`;
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${before}${JSON.stringify({ id, action, expect })}\n`;
}

/** SECURITY: a case holds a call as it was made. Whoever else signs in on this browser does not see it. */
const key = (user: string, policy: string) => `runplane.tests.${user}.${policy}`;

export function load(user: string, policy: string): string {
  try {
    return localStorage.getItem(key(user, policy)) ?? "";
  } catch {
    return "";
  }
}

export function save(user: string, policy: string, text: string): void {
  try {
    if (text === "") localStorage.removeItem(key(user, policy));
    else localStorage.setItem(key(user, policy), text);
  } catch {
    // A browser that keeps nothing: the cases live as long as the page.
  }
}
