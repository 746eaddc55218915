import { expect, it } from "vitest";
import type { DecisionList, DecisionView } from "../generated/types.gen";
import { joined, placeBefore, type LoadedPage } from "./rows";

const page = (start: number, indexes: number[], nextCursor: number | null): LoadedPage => ({
  start,
  list: { decisions: indexes.map((index) => ({ index }) as DecisionView), nextCursor, ledgerSize: 100, projectedTo: 100 } as DecisionList,
});

it("keeps the place of rows when pages before them were dropped", () => {
  const rows = joined([page(200, [60, 59], 59), page(202, [58], null)]);
  expect(rows).toMatchObject({ start: 200, complete: true });
  expect(rows.loaded.map(({ index }) => index)).toEqual([60, 59, 58]);
});

it("asks for what is newer than the newest row", () => {
  expect(placeBefore(page(0, [60, 59], 59))).toEqual({ at: 0, after: 60 });
  expect(placeBefore(page(0, [], null))).toEqual({ at: 0, after: 99 });
  expect(placeBefore({ start: 5, list: { ...page(0, [60], null).list, prevCursor: 80 } })).toEqual({ at: 5, after: 80 });
  expect(placeBefore({ start: 0, list: { ...page(0, [], null).list, projectedTo: 0 } })).toBeUndefined();
});
