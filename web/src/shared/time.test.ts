import { expect, it } from "vitest";
import { countdown, relative, span } from "./time";

const now = new Date("2026-03-01T12:00:00Z");
const after = (seconds: number) => new Date(now.getTime() + seconds * 1000);

it("says times in one unit, rounded down", () => {
  expect(relative(after(-4), now)).toBe("now");
  expect(relative(after(-59), now)).toBe("59 s ago");
  expect(relative(after(-3_599), now)).toBe("59 min ago");
  expect(relative(after(-7_200), now)).toBe("2 h ago");
  expect(relative(after(90_000), now)).toBe("in 1 d");
  expect(span(400 * 86_400_000)).toBe("1 y");
});

it("counts down to expired, and never below", () => {
  expect(countdown(after(247), now)).toBe("4:07");
  expect(countdown(after(4_320), now)).toBe("1 h 12 min");
  expect(countdown(after(90_000), now)).toBe("1 d 1 h");
  expect(countdown(after(0), now)).toBe("expired");
  expect(countdown(after(-5), now)).toBe("expired");
});
