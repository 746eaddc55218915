import { expect, test } from "vitest";
import { kept, linesOf } from "./cases";

const refund = { type: "process_refund", target: "stripe", context: { amount: 800 } };

test("cases are lines of JSON, and each wrong one says why", () => {
  const text = ['{"setup": {}}', "", JSON.stringify({ id: "a", action: refund, expect: "BLOCK" }), '{"action": {"type": "x"}}', JSON.stringify({ action: refund, expect: "MAYBE" }), "{", JSON.stringify({ steps: [] })].join("\n");
  const lines = linesOf(text);
  expect(lines.map((each) => ("case" in each ? each.case.id : each.problem))).toEqual([
    "a", "it needs an `action` with `type` and `target`", "`expect` is one of ALLOW, REQUIRE_APPROVAL, BLOCK", "it is no JSON object on one line", "cases of several steps are for `runplane policy test`",
  ]);
  expect(lines.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7]);
});

test("a call that was tried is kept once, on a line of its own", () => {
  const one = kept("", "payments", refund, "BLOCK");
  expect(one).toBe('{"id":"payments/process_refund-1","action":{"type":"process_refund","target":"stripe","context":{"amount":800}},"expect":"BLOCK"}\n');
  expect(kept(one, "payments", refund, "BLOCK")).toBe(one);
  expect(linesOf(kept(one.trim(), "payments", refund, "ALLOW"))).toHaveLength(2);
});
