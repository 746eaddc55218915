/**
 * A standing permission: what a person approved once, allowed from now on within bounds. Pure.
 *
 * Of several rules the strictest counts, so a permission of its own would change nothing. It is written into the policy that
 * held the ask: an exception in each rule that held it, and a rule that allows exactly that and counts it.
 */
import type { ApprovalView } from "../generated/types.gen";

export interface Bounds {
  /** Most for each number of the arguments; absent ones may be anything. */
  most: Record<string, number>;
  /** Arguments that must be as they were. */
  same: readonly string[];
  /** How often in 24 hours. */
  count: number;
  /** Last day, as `YYYY-MM-DD`. */
  until: string;
}

type Asked = Pick<ApprovalView, "action" | "agent" | "requirements">;
type Plain = string | number | boolean;

const DAY_MS = 86_400_000;
const NAME = /^[A-Za-z_]\w*$/;
/** Longer texts are rarely the same twice. */
const SHORT = 60;

/** Arguments a bound can be put on: plain values with a name that a condition can say. */
export function fieldsOf({ action }: Pick<ApprovalView, "action">): [name: string, value: Plain][] {
  const members = Object.entries((action.context ?? {}) as Record<string, unknown>);
  return members.filter((member): member is [string, Plain] => NAME.test(member[0]) && ["string", "number", "boolean"].includes(typeof member[1]));
}

/** As narrow as the ask itself. */
export function startBounds(asked: Pick<ApprovalView, "action">, now: Date): Bounds {
  const fields = fieldsOf(asked);
  return {
    most: Object.fromEntries(fields.filter((field): field is [string, number] => typeof field[1] === "number")),
    same: fields.filter(([, value]) => typeof value === "boolean" || (typeof value === "string" && value.length <= SHORT)).map(([name]) => name),
    count: 5,
    until: new Date(now.getTime() + 30 * DAY_MS).toISOString().slice(0, 10),
  };
}

const literal = (value: unknown): string => JSON.stringify(value);

/** What the permission covers, as a condition. The last day is part of it. */
export function conditionOf({ action, agent }: Pick<Asked, "action" | "agent">, bounds: Bounds): string {
  const values = new Map(fieldsOf({ action }));
  const end = new Date(Date.parse(`${bounds.until}T00:00:00Z`) + DAY_MS).toISOString().replace(".000", "");
  return [
    `agent.id == ${literal(agent.id)}`,
    `target == ${literal(action.target)}`,
    `environment == ${literal(action.environment)}`,
    ...Object.entries(bounds.most).map(([name, most]) => `context.${name} <= ${most}`),
    // A refund of minus 800 is not a small one.
    ...Object.entries(bounds.most).filter(([, most]) => most >= 0).map(([name]) => `context.${name} >= 0`),
    ...bounds.same.filter((name) => values.has(name)).map((name) => `context.${name} == ${literal(values.get(name))}`),
    `now < timestamp(${literal(end)})`,
  ].join(" && ");
}

/** The policy that holds asks like this one, and its rules; nothing if there are several, or the engine itself holds them. */
export function heldBy({ requirements }: Pick<Asked, "requirements">): { policy: string; rules: string[] } | undefined {
  const places = requirements.map(({ rule }) => [rule.slice(0, rule.indexOf("/")), rule.slice(rule.indexOf("/") + 1)] as const);
  const policy = places[0]?.[0];
  if (policy === undefined || policy === "runplane" || places.some(([other]) => other !== policy)) return undefined;
  return { policy, rules: [...new Set(places.map(([, rule]) => rule))] };
}

interface Block {
  /** Lines of the rule, first and one past the last. */
  from: number;
  to: number;
  indent: string;
  flow: boolean;
}

function blockOf(lines: readonly string[], id: string): Block | undefined {
  const plain = id.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const head = new RegExp(`^(\\s*)-\\s*(\\{\\s*)?id:\\s*["']?${plain}["']?\\s*([,}#].*)?$`);
  const from = lines.findIndex((line) => head.test(line));
  const match = head.exec(lines[from] ?? "");
  if (match === null) return undefined;
  const indent = match[1] ?? "";
  let to = from + 1;
  const belongs = (line: string) => line.trim() !== "" && (/^\s*/.exec(line)?.[0].length ?? 0) > indent.length;
  while (to < lines.length && belongs(lines[to] ?? "")) to += 1;
  return { from, to, indent, flow: match[2] !== undefined };
}

/** The rule with this exception added; nothing if it is written in a way that is left to people. */
function excepting(block: readonly string[], { indent, flow }: Block, condition: string): string[] | undefined {
  if (flow) {
    const line = block[0] ?? "";
    const end = /\s*\}\s*(#.*)?$/.exec(line);
    if (block.length !== 1 || end === null || /[{,]\s*unless:/.test(line)) return undefined;
    return [`${line.slice(0, end.index)}, unless: ${literal(condition)} }${end[1] === undefined ? "" : ` ${end[1]}`}`];
  }
  const at = block.findIndex((line) => new RegExp(`^${indent}\\s+unless:`).test(line));
  if (at < 0) return [...block, `${indent}  unless: ${literal(condition)}`];
  const written = /^(\s*)unless:\s*(.+)$/.exec(block[at] ?? "");
  const before = written === null ? undefined : scalar(written[2] ?? "");
  if (before === undefined) return undefined;
  return block.with(at, `${written?.[1] ?? ""}unless: ${literal(`(${before}) || (${condition})`)}`);
}

/** A text on one line, plain or in quotes. */
function scalar(written: string): string | undefined {
  const text = written.trim();
  if (/^"(?:[^"\\]|\\.)*"$/.test(text)) return JSON.parse(text) as string;
  if (/^'(?:[^']|'')*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  return /^[|>&*!{["'%@`]/.test(text) || text.includes(" #") ? undefined : text;
}

/** The text of the policy with the permission in it, and the id of the rule that allows. */
export function permit(yaml: string, rules: readonly string[], asked: Asked, bounds: Bounds): { yaml: string; rule: string } | undefined {
  const condition = conditionOf(asked, bounds);
  let lines = yaml.split("\n");
  let place: Block | undefined;
  for (const rule of rules) {
    const block = blockOf(lines, rule);
    const excepted = block && excepting(lines.slice(block.from, block.to), block, condition);
    if (block === undefined || excepted === undefined) return undefined;
    lines = [...lines.slice(0, block.from), ...excepted, ...lines.slice(block.to)];
    place = { ...block, to: block.from + excepted.length };
  }
  if (place === undefined) return undefined;
  const { to, indent } = place;
  const slug = `standing-${asked.agent.name}-${asked.action.type}`.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 56).replace(/-$/, "");
  let id = slug;
  for (let number = 2; blockOf(lines, id) !== undefined; number += 1) id = `${slug}-${number}`;
  const groups = [...new Set(asked.requirements.flatMap(({ from }) => from))];
  const quorum = Math.max(1, ...asked.requirements.map((requirement) => requirement.quorum));
  const approval = [...(groups.length > 0 ? [`from: [${groups.map(literal).join(", ")}]`] : []), ...(quorum > 1 ? [`quorum: ${quorum}`] : [])].join(", ");
  const allow = [
    `${indent}# Standing permission for ${asked.agent.name.replaceAll(/[^\x20-\x7e]/g, "?")}, until ${bounds.until}. Beyond the bounds a person is asked as before.`,
    `${indent}- id: ${id}`,
    `${indent}  action: ${asked.action.type}`,
    `${indent}  when: ${literal(condition)}`,
    `${indent}  decision: ALLOW`,
    `${indent}  reason: ${literal(`Standing permission for ${asked.agent.name}, until ${bounds.until}`)}`,
    `${indent}  limit: { count: ${bounds.count}, within: 24h, per: [agent], otherwise: REQUIRE_APPROVAL }`,
    ...(approval === "" ? [] : [`${indent}  approval: { ${approval} }`]),
  ];
  return { yaml: [...lines.slice(0, to), ...allow, ...lines.slice(to)].join("\n"), rule: id };
}
