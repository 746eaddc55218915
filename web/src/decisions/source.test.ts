import { expect, it } from "vitest";
import { findRule, splitRule } from "./source";

const YAML = `policy: p
rules:
  - id: one
    action: a
    when: x > 1

  - { id: two, action: b }
  - id: "one-more"
    action: c
`;

it("finds a rule where it is written, and only that one", () => {
  expect(findRule(YAML, "one")).toEqual({ start: 3, lines: ["  - id: one", "    action: a", "    when: x > 1"] });
  expect(findRule(YAML, "two")).toEqual({ start: 7, lines: ["  - { id: two, action: b }"] });
  expect(findRule(YAML, "one-more")?.start).toBe(8);
  expect(findRule(YAML, "on")).toBeUndefined();
  expect(findRule(YAML, ".*")).toBeUndefined();
});

it("knows that rules of the engine have no text", () => {
  expect(splitRule("payments/refund-over-500")).toEqual({ policy: "payments", id: "refund-over-500" });
  expect(splitRule("runplane/containment")).toBeUndefined();
});
