import { expect, it } from "vitest";
import type { CatalogueView } from "../client/types.gen";
import { offersAt } from "./complete";
import { exampleFor } from "./example";
import { nameIn, rangeAt, ruleAt } from "./places";
import { standing } from "./templates";

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

it("finds the name of a document and the place of a rule", () => {
  expect(nameIn('# x\npolicy: "my-policy" # c\n')).toBe("my-policy");
  expect(nameIn("rules: []")).toBeUndefined();
  expect(ruleAt("rules:\n  - id: a\n  - id: ab\n", "ab")).toBe(17);
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

it("makes a standing permission as narrow as the ask", () => {
  const text = standing({
    action: { type: "process_refund", target: "stripe", context: { amount: 800, currency: "usd", "bad name": 1 } } as never, agent: { id: "agt_1", name: 'a"b' }, matchedRule: "p/r",
  });
  expect(text).toContain(String.raw`when: "agent.name == \"a\\\"b\" && context.amount <= 800 && context.currency == \"usd\""`);
  expect(text).not.toContain("bad name");
});
