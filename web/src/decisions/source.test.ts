import { expect, it } from "vitest";
import { findRule, ruleAt, splitRule } from "./source";

const YAML = `policy: p
rules:
  - id: one
    action: a

    when: x > 1

  # about two
  - { action: b, when: 'a, id: three', id: two }
  - action: c
    when: |
      id: four
    id: "one-more"
    context:
      id: five
  -
    action: d
    "id": six # the sixth
  - {
      action: e, # id: eight
      labels: [{ id: nine }],
      id: seven,
    }
description: after
`;

it("finds a rule where it is written, and only that one, wherever in it the id stands", () => {
  expect(findRule(YAML, "one")).toEqual({ start: 3, lines: ["  - id: one", "    action: a", "", "    when: x > 1"], more: 0 });
  expect(findRule(YAML, "two")).toEqual({ start: 9, lines: ["  - { action: b, when: 'a, id: three', id: two }"], more: 0 });
  expect(findRule(YAML, "one-more")).toMatchObject({ start: 10, lines: { length: 6 } });
  expect(findRule(YAML, "six")?.start).toBe(16);
  expect(findRule(YAML, "seven")).toMatchObject({ start: 19, lines: { length: 5 } });
  for (const other of ["on", ".*", "three", "four", "five", "eight", "nine"]) expect(findRule(YAML, other), other).toBeUndefined();
});

it("reads lists without indent, on one line, and texts without rules", () => {
  expect(findRule("rules:\n- id: a\n  action: x\n- action: y\n  id: b\nmode: shadow\n", "b")).toEqual({ start: 4, lines: ["- action: y", "  id: b"], more: 0 });
  expect(findRule('{"policy": "p",\n"rules": [\n {"id": "a"},\n {"action": "x",\n  "id": "b"}]}', "b")).toEqual({ start: 4, lines: [' {"action": "x",', '  "id": "b"}]}'], more: 0 });
  expect(findRule("rules: [{ id: a }, { id: b }]\n", "b")?.start).toBe(1);
  expect(findRule("rules: []\n", "b")).toBeUndefined();
  expect(findRule("policy: p\n", "b")).toBeUndefined();
});

it("says how much of a long rule it leaves out, and where a rule begins", () => {
  const long = `rules:\n  - id: long\n    when:\n${"      - x\n".repeat(20)}`;
  expect(findRule(long, "long")).toMatchObject({ start: 2, lines: { length: 14 }, more: 8 });
  expect(YAML.slice(ruleAt(YAML, "one-more")).startsWith("  - action: c")).toBe(true);
});

it("knows that rules of the engine have no text", () => {
  expect(splitRule("payments/refund-over-500")).toEqual({ policy: "payments", id: "refund-over-500" });
  expect(splitRule("runplane/containment")).toBeUndefined();
});
