import { expect, it } from "vitest";
import { isFiltered, readFilters, signature, toQuery } from "./filters";

const now = new Date("2026-03-01T12:00:00Z");

it("reads an address, and leaves out what means nothing", () => {
  expect(readFilters({ outcome: "BLOCK", severity: "huge", q: 42, range: "24h", since: "yesterday", open: "req_1", other: "x" })).toEqual({
    outcome: "BLOCK", q: "42", range: "24h", open: "req_1",
  });
});

it("asks the server for a span that ends now, or for the chosen one", () => {
  expect(toQuery({ range: "1h", agent: "agt_1", open: "req_1", by: "agt_1" }, now)).toEqual({ agent: "agt_1", since: "2026-03-01T11:00:00.000Z" });
  expect(toQuery({ range: "1h", since: "2026-01-01T00:00:00Z" }, now)).toEqual({ since: "2026-01-01T00:00:00Z" });
  expect(toQuery({}, now)).toEqual({});
});

it("does not take an open row for a filter", () => {
  expect(isFiltered({ open: "req_1", by: "agt_1" })).toBe(false);
  expect(signature({ open: "req_1" })).toBe(signature({}));
  expect(signature({ q: "a" })).not.toBe(signature({}));
});
