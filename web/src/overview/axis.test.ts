import { expect, test } from "vitest";
import { changeOf, endOfBar, nameOf, ticksOf } from "./axis";

const HOUR = 3_600_000;
const bars = (from: string, bar: number, count: number) => Array.from({ length: count }, (_, place) => ({ at: new Date(Date.parse(from) + place * bar).toISOString() }));

test("bars end at a round time after now", () => {
  const now = new Date(2026, 2, 1, 12, 7, 31);
  expect(endOfBar(now, HOUR / 2)).toEqual(new Date(2026, 2, 1, 12, 30));
  expect(endOfBar(now, 12 * HOUR)).toEqual(new Date(2026, 2, 2, 0, 0));
  expect(endOfBar(new Date(2026, 2, 1, 12, 30), HOUR / 2)).toEqual(new Date(2026, 2, 1, 13, 0));
});

test("the axis names every third hour of a day, and days of a week", () => {
  const start = new Date(2026, 2, 1, 12, 30).toISOString();
  const day = ticksOf(bars(start, HOUR / 2, 48), 24 * HOUR);
  expect(day.map((at) => new Date(at).getHours())).toEqual([15, 18, 21, 0, 3, 6, 9, 12]);
  expect(nameOf(day[0] ?? "", 24 * HOUR)).toMatch(/15.00/);
  expect(ticksOf(bars(new Date(2026, 2, 1).toISOString(), 2 * HOUR, 84), 168 * HOUR)).toHaveLength(7);
});

test("a change is said against the time before, where there was one", () => {
  expect(changeOf(112, 100)).toBe("+12 %");
  expect(changeOf(50, 100)).toBe("−50 %");
  expect(changeOf(100, 100)).toBe("as before");
  expect(changeOf(5, 0)).toBeUndefined();
  expect(changeOf(5, undefined)).toBeUndefined();
});
