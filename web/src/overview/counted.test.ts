import { expect, it } from "vitest";
import type { DecisionView } from "../client/types.gen";
import { counted } from "./counted";

const row = (minute: number, decision: string, riskScore: number, kind = "decision", count = 1) =>
  ({
    at: new Date(minute * 60_000).toISOString(), decision, riskScore, kind, count, agent: { id: "agt_1", name: "one" }, action: { type: "read" }, target: "t", matchedRule: "p/r",
  }) as DecisionView;

it("counts each decision once, in its piece of time and its band of risk", () => {
  const rows = [row(9, "ALLOW", 100), row(9, "ALLOW", 12, "redemption"), row(0, "BLOCK", 9, "decision", 3), row(5, "REQUIRE_APPROVAL", 50)];
  const statistics = counted(rows, { from: new Date(0), to: new Date(600_000), buckets: 2 }, { size: 4, root: "ab" }, 4, { waiting: 1 });
  expect(statistics.totals).toEqual({ allow: 1, requireApproval: 1, block: 3 });
  expect(statistics.decisions.map(({ allow, requireApproval, block }) => [allow, requireApproval, block])).toEqual([[0, 0, 3], [1, 1, 0]]);
  expect(statistics.risk[0]).toMatchObject({ from: 0, to: 9, block: 3 });
  expect(statistics.risk[9]).toMatchObject({ from: 90, to: 100, allow: 1 });
  expect(statistics.agents).toEqual([{ key: "agt_1", name: "one", allow: 1, requireApproval: 1, block: 3 }]);
});
