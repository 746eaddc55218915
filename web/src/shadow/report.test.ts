import { expect, test } from "vitest";
import type { ShadowReport } from "../generated/types.gen";
import { added } from "./report";

const page = (rule: string, different: number, count: number, next?: number): ShadowReport => ({
  decisions: 10, omitted: 0, next,
  rules: [{ rule, mode: "shadow", calls: 4, different, errors: 1, changes: [{ from: "ALLOW", to: "BLOCK", count }], examples: [] }],
});

test("pages of a report are added up, and the rule that changes most comes first", () => {
  const sum = added([page("a/one", 1, 1, 7), page("b/two", 5, 5, 9), page("a/one", 2, 2)]);
  expect(sum.decisions).toBe(30);
  expect(sum.next).toBeUndefined();
  expect(sum.rules.map(({ rule, different, calls, errors }) => [rule, different, calls, errors])).toEqual([["b/two", 5, 4, 1], ["a/one", 3, 8, 2]]);
  expect(sum.rules[1]?.changes).toEqual([{ from: "ALLOW", to: "BLOCK", count: 3 }]);
});
