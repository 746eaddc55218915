import { expect, it } from "vitest";
import type { CatalogueView } from "../generated/types.gen";
import { offersAt } from "./complete";
import { exampleFor } from "./example";
import { nameIn, rangeAt } from "./places";
import { conditionOf, heldBy, permit, startBounds } from "./standing";

const field = (name: string, more = {}) => ({ name, kind: "number", description: "", effective: false, required: false, ...more });
const catalogue = {
  actions: [
    { name: "process_refund", effect: "write", domain: "payments", description: "", fields: [field("amount", { required: true, unit: "money" })] },
    { name: "delete_records", effect: "destructive", domain: "database", description: "", fields: [field("table", { kind: "text" })] },
  ],
  commonFields: [field("note", { kind: "text" })],
} as unknown as CatalogueView;

const at = (text: string) => {
  const cursor = text.indexOf("|");
  return offersAt(text.replace("|", ""), cursor, catalogue)?.offers.map(({ label }) => label);
};

it("marks exactly the word at a line and column, counted in characters", () => {
  const text = "policy: a\nrules:\n  - when: 🙂 context.amont > 5\n";
  const { from, to } = rangeAt(text, 3, 13);
  expect(text.slice(from, to)).toBe("context.amont");
  const end = rangeAt(text, 3, 99);
  expect(text.slice(end.from, end.to)).toBe("- when: 🙂 context.amont > 5");
  expect(rangeAt(text, 99, 1)).toEqual({ from: text.length, to: text.length });
});

it("finds the name of a document", () => {
  expect(nameIn('# x\npolicy: "my-policy" # c\n')).toBe("my-policy");
  expect(nameIn("rules: []")).toBeUndefined();
});

it("offers members, values, action types, and the fields of the action a rule names", () => {
  expect(at("po|")).toContain("policy");
  expect(at("rules:\n  - id: a\n    dec|")).toContain("decision");
  expect(at("rules:\n  - decision: |")).toEqual(["ALLOW", "REQUIRE_APPROVAL", "BLOCK"]);
  expect(at("rules:\n  - action: pro|")).toContain("process_refund");
  expect(at("rules:\n  - id: a\n    action: process_refund\n    when: context.|")).toEqual(["amount", "note"]);
  expect(at("rules:\n  - id: a\n    when: context.|")).toEqual(["amount", "table", "note"]);
  expect(at("rules:\n  - id: a\n    when: ris|")).toContain("risk.score");
  expect(at("# a comment |")).toBeUndefined();
});

it("starts trying with a call the policy is about", () => {
  expect(exampleFor("rules:\n  - action: process_refund\n", catalogue)).toEqual({ type: "process_refund", target: "stripe", context: { amount: 800 } });
});

const asked = {
  action: { type: "process_refund", target: "stripe", environment: "production", context: { amount: 800, currency: "usd", "bad name": 1, note: "x".repeat(99) } } as never,
  agent: { id: "agt_1", name: "desk" },
  requirements: [{ rule: "payments/large", from: ["finance"], quorum: 1 }] as never,
};
const bounds = startBounds(asked, new Date("2026-03-01T12:00:00Z"));
const CONDITION = 'agent.id == "agt_1" && target == "stripe" && environment == "production" && context.amount <= 800 && context.amount >= 0 && context.currency == "usd" && now < timestamp("2026-04-01T00:00:00Z")';

it("starts with bounds as narrow as the ask", () => {
  expect(bounds).toEqual({ most: { amount: 800 }, same: ["currency"], count: 5, until: "2026-03-31" });
  expect(conditionOf(asked, bounds)).toBe(CONDITION);
  expect(conditionOf(asked, { ...bounds, most: {}, same: [] })).not.toContain("context");
});

it("writes the exception into the rule that held, and allows the same, counted", () => {
  const yaml = "policy: payments\nrules:\n  - id: large\n    action: process_refund\n    when: context.amount > 500\n\n  # next\n  - id: other\n    action: x\n";
  const { yaml: text, rule } = permit(yaml, ["large"], asked, bounds) ?? { yaml: "", rule: "" };
  expect(rule).toBe("standing-desk-process-refund");
  expect(text).toContain(`    when: context.amount > 500\n    unless: ${JSON.stringify(CONDITION)}\n  # Standing permission for desk`);
  expect(text).toContain(`    when: ${JSON.stringify(CONDITION)}\n    decision: ALLOW`);
  expect(text).toContain("limit: { count: 5, within: 24h, per: [agent], otherwise: REQUIRE_APPROVAL }");
  expect(text).toContain('approval: { from: ["finance"] }');
  expect(text.endsWith("\n\n  # next\n  - id: other\n    action: x\n")).toBe(true);
  expect(permit(text, ["large"], asked, bounds)?.rule).toBe("standing-desk-process-refund-2");
});

it("adds to an exception that is there, and leaves alone what it cannot read", () => {
  const write = (rule: string) => permit(`rules:\n${rule}\n`, ["r"], asked, bounds)?.yaml;
  expect(write('  - id: r\n    unless: a == "b"')).toContain(JSON.stringify(`(a == "b") || (${CONDITION})`));
  expect(write("  - id: r\n    unless: 'it''s'")).toContain(JSON.stringify(`(it's) || (${CONDITION})`));
  expect(write("  - { id: r, action: x } # why")).toContain(`- { id: r, action: x, unless: ${JSON.stringify(CONDITION)} } # why`);
  expect(write("  - id: r\n    unless: |\n      a")).toBeUndefined();
  expect(write("  - { id: r, unless: a }")).toBeUndefined();
  expect(write("  - id: other")).toBeUndefined();
  expect(heldBy(asked)).toEqual({ policy: "payments", rules: ["large"] });
  expect(heldBy({ requirements: [{ rule: "runplane/unreadable" }] as never })).toBeUndefined();
  expect(heldBy({ requirements: [{ rule: "a/x" }, { rule: "b/y" }] as never })).toBeUndefined();
});
