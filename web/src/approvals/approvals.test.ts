import { expect, it } from "vitest";
import type { ApprovalView, DecisionView } from "../generated/types.gen";
import { summaryOf } from "./decide";
import { differences, group, type Group } from "./inbox";
import { fieldsOf, pieces } from "./shown";
import { usualOf } from "./usual";

const ask = (id: string, digest: string, createdAt: string, expiresAt: string) => ({ id, digest, createdAt, expiresAt }) as ApprovalView;

it("groups identical asks, oldest first, with the expiry that comes first", () => {
  const groups = group([ask("3", "b", "2026-01-03", "2026-02-03"), ask("2", "a", "2026-01-02", "2026-02-01"), ask("1", "a", "2026-01-01", "2026-02-02")]);
  expect(groups.map(({ digest, asks, soonest }) => [digest, asks.map(({ id }) => id), soonest])).toEqual([
    ["a", ["1", "2"], "2026-02-01"],
    ["b", ["3"], "2026-02-03"],
  ]);
});

it("tells asks apart whose summaries read the same", () => {
  const of = (digest: string, summary: string, text: string) => ({ digest, first: { action: { summary, text } } }) as Group;
  const told = differences([of("1", "Sync", "target: a\nrecords: 5\n"), of("2", "Sync", "target: a\n"), of("3", "Refund", "amount: 5\n")]);
  expect([...told]).toEqual([["1", "records: 5"], ["2", "records: none"]]);
});

it("lays out the server's text and adds nothing", () => {
  expect(fieldsOf("action: x\nnote: a: b\nempty: \n")).toEqual([
    { name: "action", value: "x" }, { name: "note", value: "a: b" }, { name: "empty", value: "" },
  ]);
  expect(pieces("pay⟨U+202E⟩me")).toEqual([{ text: "pay", hidden: false }, { text: "⟨U+202E⟩", hidden: true }, { text: "me", hidden: false }]);
  expect(pieces("⟨U+zz⟩")).toEqual([{ text: "⟨U+zz⟩", hidden: false }]);
});

it("counts what was decided and names what was not", () => {
  expect(summaryOf([{ id: "1", decided: true, state: "approved" }, { id: "2", decided: false, error: "forbidden", detail: "no" }])).toEqual({
    done: 1, failed: [{ id: "2", detail: "no" }],
  });
});

it("says what is unusual against what the agent did before", () => {
  const before = [20, 25, 30].map((riskScore) => ({ kind: "decision", decision: "ALLOW", target: "stripe", environment: "staging", riskScore }) as DecisionView);
  const action = { target: "bank", environment: "production" } as ApprovalView["action"];
  const usual = usualOf(before, { action, riskScore: 50 }, { agent: 40, types: [{ type: "transfer_funds", observations: 0, pace: 1 }] });
  expect(usual.filter(({ unusual }) => unusual).map(({ of, now, usually }) => [of, now, usually])).toEqual([
    ["Done before", "never", "0 of 100 of its actions"], ["Target", "bank", "stripe"],
    ["Environment", "production", "staging"], ["Risk", "50", "25, never above 30"],
  ]);
  expect(usualOf(before, { action: { target: "stripe", environment: "staging" } as ApprovalView["action"], riskScore: 25 }, undefined).some(({ unusual }) => unusual)).toBe(false);
});
