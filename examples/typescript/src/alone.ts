/**
 * Runs one example against a server that is already there: `npm run example payments`.
 *
 * Address and key come from `RUNPLANE_BASE_URL` and `RUNPLANE_API_KEY`. Held actions wait for you: approve or deny them from
 * another terminal.
 */
import { Runplane, RunplaneError } from "runplane";
import { FakeTool } from "./program.js";
import { programs } from "./programs.js";

const domain = process.argv[2];
const program = programs.find((one) => one.domain === domain);
if (program === undefined) {
  console.error(`usage: npm run example ${programs.map((one) => one.domain).join("|")}`);
  process.exit(1);
}

const tool = new FakeTool();
const runplane = new Runplane({
  onDecision: ({ decision, reason, approvalId }) => {
    console.log(`  ${decision}: ${reason}`);
    if (decision === "REQUIRE_APPROVAL") console.log(`  waiting for you: runplane approvals approve ${approvalId}`);
  },
});
for (const { wish, act } of program.steps(runplane, tool)) {
  console.log(wish);
  try {
    await act();
    console.log("  ran");
  } catch (error) {
    if (!(error instanceof RunplaneError)) throw error;
    console.log(`  did not run: ${error.message}`);
  }
}
console.log(`the tool ran ${tool.calls.length} times`);
