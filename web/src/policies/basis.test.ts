import { expect, it } from "vitest";
import { follow } from "./basis";

it("a text that nobody has changed goes with what is in force", () => {
  expect(follow({ text: "one", base: "one" }, "two")).toEqual({ text: "two", base: "two" });
});

it("a draft stays, and remembers what it was made from", () => {
  expect(follow({ text: "mine", base: "one" }, "two")).toEqual({ text: "mine", base: "one" });
});

it("a draft that was put in force is no draft any more", () => {
  expect(follow({ text: "mine", base: "one" }, "mine")).toEqual({ text: "mine", base: "mine" });
});
