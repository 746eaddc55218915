import { expect, test } from "vitest";
import { compare, leastOf } from "./usual";

test("steps of size grow by one, two, five", () => {
  expect([0, 1, 2, 3, 4, 8, 10].map(leastOf)).toEqual(["0", "1", "2", "5", "10", "200", "1,000"]);
});

test("a call is compared with what is usual in each way that is known", () => {
  const rows = compare({ agent: 980, size: 10, types: [{ type: "process_refund", observations: 214, pace: 40, usualPace: 3, usualSize: 8 }] });
  expect(rows).toEqual([
    { of: "Done before", now: "214 times", usually: "22 of 100 of its actions", unusual: false },
    { of: "Within an hour", now: "call 40", usually: "fewer than 16", unusual: true },
    { of: "Size", now: "at least 1,000", usually: "below 500", unusual: true },
  ]);
});

test("nothing is unusual before enough is known, and what was never done is", () => {
  expect(compare({ agent: 12, types: [{ type: "a", observations: 0, pace: 1 }] })[0]).toMatchObject({ now: "never", usually: "not known yet: 12 of 30 outcomes", unusual: false });
  expect(compare({ agent: 40, types: [{ type: "a", observations: 0, pace: 1 }] })[0]).toMatchObject({ unusual: true });
  const unread = compare({ agent: 40, size: 47, types: [{ type: "a", observations: 35, pace: 1, usualSize: 3 }] });
  expect(unread[1]).toMatchObject({ now: "cannot be read", unusual: true });
});
