import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "../../contracts/wire-client/real-server.mjs";
import { programs } from "./build/programs.js";
import { differences, runDemo, table } from "./demo.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

for (const program of programs) {
  test(`${program.domain}: every step ends as expected, and the tool ran exactly when it might`, async () => {
    const rows = await runDemo(server, [program]);
    assert.ok(rows.length >= 4);
    assert.deepEqual(
      rows.flatMap((row) => row.wrong.map((difference) => `${row.step.wish}: ${difference}`)),
      [],
      table(rows),
    );
  });
}

test("every domain shows an action that runs and one that does not", () => {
  assert.equal(new Set(programs.map((program) => program.domain)).size, 6);
  for (const program of programs) {
    const steps = program.steps(undefined, undefined);
    assert.ok(steps.some((step) => step.expect === "ran" && step.person === undefined), program.domain);
    assert.ok(steps.some((step) => step.person === "approves"), program.domain);
    assert.ok(steps.some((step) => step.expect !== "ran"), program.domain);
  }
});

test("a step that ends otherwise than expected is seen", () => {
  const step = { wish: "w", expect: "blocked", act: () => undefined };
  const blocked = { decisions: [{ decision: "BLOCK" }], ending: "blocked", runs: 0 };
  assert.deepEqual(differences(step, blocked), []);
  assert.equal(differences(step, { ...blocked, runs: 1 }).length, 1);
  assert.equal(differences(step, { ...blocked, ending: "ran" }).length, 1);
  assert.equal(differences(step, { ...blocked, decisions: [{ decision: "ALLOW" }] }).length, 1);
  assert.equal(differences(step, { decisions: [], ending: "TIMEOUT", runs: 0 }).length, 2);
});
