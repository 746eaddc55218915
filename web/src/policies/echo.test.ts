import { expect, it } from "vitest";
import { Echo } from "./echo";

it("what was said a moment ago does not undo what was typed since", () => {
  const echo = new Echo();
  echo.say("a");
  echo.say("ab");
  expect(echo.replaces("a", "ab")).toBe(false);
  expect(echo.replaces("ab", "ab")).toBe(false);
});

it("what somebody else wants is shown, also a text that was typed once", () => {
  const echo = new Echo();
  echo.say("draft");
  expect(echo.replaces("in force", "draft")).toBe(true);
  echo.say("in force, edited");
  expect(echo.replaces("in force, edited", "in force, edited")).toBe(false);
  expect(echo.replaces("draft", "in force, edited")).toBe(true);
});
