/** What can be written where the cursor is: members, action types, fields of the named action, facts. Pure. */
import type { CatalogueView, ContextFieldView } from "../generated/types.gen";

export interface Offer {
  label: string;
  detail?: string;
  info?: string;
  apply?: string;
  kind: "property" | "enum" | "variable" | "function";
}

export interface Offers {
  /** Offset in the text where what is offered begins. */
  from: number;
  offers: Offer[];
}

const TOP: readonly [string, string][] = [
  ["policy", "its name"], ["description", "for people"], ["source", "only calls of this platform"], ["mode", "enforce or shadow"],
  ["strict", "false: unknown names are warnings"], ["meters", "windowed counts and sums"], ["rules", "the rules"],
];
const RULE: readonly [string, string][] = [
  ["id", "unique in the policy"], ["action", "which actions it is about"], ["target", "which targets"], ["when", "condition that must hold"],
  ["unless", "condition that must not hold"], ["decision", "ALLOW, REQUIRE_APPROVAL or BLOCK"], ["severity", "low to critical"],
  ["reason", "one sentence, shown to agent and people"], ["approval", "{ from: [groups], expires: 30m }"], ["limit", "{ count: 60, within: 1m, per: [agent] }"],
  ["audit", "{ payload: full, tags: [] }"],
];
const VALUES: Record<string, readonly string[]> = {
  decision: ["ALLOW", "REQUIRE_APPROVAL", "BLOCK"], otherwise: ["BLOCK", "REQUIRE_APPROVAL"], severity: ["low", "medium", "high", "critical"],
  mode: ["enforce", "shadow"], strict: ["true", "false"], payload: ["full", "replay", "none"], effect: ["read", "write", "destructive", "unknown"],
  domain: ["payments", "database", "infrastructure", "communication", "integrations", "enterprise", "unknown"],
};
const FACTS: readonly [string, string][] = [
  ["context", "arguments of the call"], ["action.type", "canonical type"], ["action.types", "all types the call is"], ["action.effect", "read, write, destructive"],
  ["action.domain", ""], ["action.source", ""], ["action.tool", ""], ["target", "the system acted on"], ["environment", "where it takes effect"],
  ["agent.name", ""], ["agent.id", ""], ["agent.environment", ""], ["agent.labels", "list"], ["subject", "on whose behalf"], ["session", ""],
  ["risk.score", "0 to 100"], ["risk.severity", "low to critical"], ["now", "time of the ledger"],
  ["sql.kind", "what a query really does"], ["sql.tables", ""], ["recipients.external", ""], ["url.host", ""], ["shell.commands", ""], ["money.amount", ""],
];
const FUNCTIONS: readonly [string, string][] = [["has", "has(context.field): is it there"], ["type", "type(context.field) == number"], ["size", "size(list or text)"]];

const named = ([label, detail]: readonly [string, string], kind: Offer["kind"], suffix = ""): Offer => ({ label, detail, kind, apply: label + suffix });

/** `cursor` is an offset into `text`. */
export function offersAt(text: string, cursor: number, catalogue: CatalogueView | undefined): Offers | undefined {
  const start = text.lastIndexOf("\n", cursor - 1) + 1;
  const line = text.slice(start, cursor);
  if (/(^|\s)#/.test(line)) return undefined;
  const word = /[\w.*-]*$/.exec(line)?.[0] ?? "";
  const from = cursor - word.length;
  const member = memberOf(line);
  if (member === "when" || member === "unless" || member === "sum") return condition(text, start, from, word, catalogue);
  if (member === "action") return { from, offers: (catalogue?.actions ?? []).map(({ name, description, effect }) => ({ label: name, detail: effect, info: description, kind: "enum" })) };
  if (member !== undefined && VALUES[member] !== undefined) return { from, offers: VALUES[member].map((label) => ({ label, kind: "enum" })) };
  if (/^\s*(-\s*)?(\{\s*)?[\w-]*$/.test(line) || /[,{]\s*[\w-]*$/.test(line)) {
    const top = /^[\w-]*$/.test(line);
    return { from, offers: (top ? TOP : RULE).map((pair) => named(pair, "property", ": ")) };
  }
  return undefined;
}

/** The member whose value the end of the line is in. */
function memberOf(line: string): string | undefined {
  const matches = [...line.matchAll(/(?:^|[\s{,-])([a-z]+):\s/g)];
  const last = matches.at(-1);
  if (last === undefined) return undefined;
  const value = line.slice(last.index + last[0].length);
  // Past the end of a flow value another member begins.
  return /^[^[{"']*,\s*\w*$/.test(value) && /[{]/.test(line.slice(0, last.index + 1)) && !/\[[^\]]*$/.test(value) ? undefined : last[1];
}

function condition(text: string, lineStart: number, from: number, word: string, catalogue: CatalogueView | undefined): Offers {
  const dot = word.lastIndexOf("context.");
  if (dot >= 0) {
    const fields = fieldsFor(text, lineStart, catalogue);
    return {
      from: from + dot + "context.".length,
      offers: fields.map(({ name, kind, unit, description }) => ({ label: name, detail: unit == null ? kind : `${kind}, ${unit}`, info: description || undefined, kind: "variable" })),
    };
  }
  const meters = [...text.matchAll(/^\s{2,}(\w+):\s*\{\s*(?:sum|count):/gm)].map(([, name]) => ({ label: `meters.${name ?? ""}`, detail: "meter", kind: "variable" as const }));
  return { from, offers: [...FACTS.map((pair) => named(pair, "variable")), ...meters, ...FUNCTIONS.map((pair) => ({ ...named(pair, "function"), apply: `${pair[0]}(` }))] };
}

/** Fields of the actions that the rule around this line names; of all actions if it names none. */
function fieldsFor(text: string, lineStart: number, catalogue: CatalogueView | undefined): ContextFieldView[] {
  const before = text.slice(0, lineStart);
  const after = text.slice(lineStart);
  const begin = Math.max(0, before.lastIndexOf("- "), before.search(/- \{?\s*id:[^\n]*$/));
  const nextRule = /\n\s*- /.exec(after)?.index ?? after.length;
  const rule = before.slice(begin) + after.slice(0, nextRule);
  const action = /\baction:\s*(\[[^\]]*\]|[\w.*-]+)/.exec(rule)?.[1] ?? "";
  const names: readonly string[] = action.match(/[\w.-]+/g) ?? [];
  const actions = catalogue?.actions ?? [];
  const chosen = actions.filter(({ name }) => names.includes(name));
  const fields = (chosen.length > 0 ? chosen : actions).flatMap((each) => each.fields);
  const unique = new Map([...fields, ...(catalogue?.commonFields ?? [])].map((field) => [field.name, field]));
  return [...unique.values()];
}
