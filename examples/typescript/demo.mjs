/**
 * Runs every example against a real server of its own, plays the person who approves and denies, prints who ran and why,
 * and fails if anything ends otherwise than the examples expect.
 *
 * Needs the path of the binary in `RUNPLANE_BIN`.
 */
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { Runplane, RunplaneError } from "runplane";
import { startServer } from "../../contracts/wire-client/real-server.mjs";
import { FakeTool } from "./build/program.js";
import { programs } from "./build/programs.js";

/** What an operator registers once: which systems are production, which audience is internal. */
const SETTINGS = {
  internalDomains: ["acme.example"],
  targets: {
    "prod-db": { environment: "production" },
    "users-database": { environment: "production", sensitivity: "high" },
    "staging-db": { environment: "staging" },
    kubernetes: { environmentFrom: "context" },
    slack: { audience: "internal" },
    github: { hosts: ["api.github.com"] },
  },
};

const LOOK_EVERY_MS = 20;

/** What a step must show, from the first decision to the tool. */
export function differences(step, seen) {
  const wrong = [];
  const first = step.person !== undefined ? "REQUIRE_APPROVAL" : step.expect === "blocked" ? "BLOCK" : "ALLOW";
  const runs = step.expect === "ran" ? 1 : 0;
  if (seen.decisions[0]?.decision !== first) wrong.push(`expected ${first}, was ${seen.decisions[0]?.decision ?? "no decision"}`);
  if (seen.ending !== step.expect) wrong.push(`expected it to end as ${step.expect}, was ${seen.ending}`);
  if (seen.runs !== runs) wrong.push(`expected the tool to run ${runs} times, was ${seen.runs}`);
  return wrong;
}

/** Runs all programs; gives one row per step. */
export async function runDemo(server, list = programs) {
  await server.settings(SETTINGS);
  const rows = [];
  for (const program of list) {
    const agent = await server.createAgent(`${program.domain}-agent`);
    const decisions = [];
    const runplane = new Runplane({
      baseUrl: server.baseUrl,
      apiKey: agent.key,
      approvalTimeoutMs: 20_000,
      onDecision: (decision) => decisions.push(decision),
    });
    const tool = new FakeTool();
    for (const step of program.steps(runplane, tool)) {
      decisions.length = 0;
      const before = tool.calls.length;
      let over = false;
      const acting = endingOf(step).finally(() => (over = true));
      const [ending] = await Promise.all([acting, answerAsPerson(server, agent, step, () => over)]);
      const seen = { decisions: [...decisions], ending, runs: tool.calls.length - before };
      rows.push({ domain: program.domain, step, ...seen, wrong: differences(step, seen) });
    }
  }
  return rows;
}

async function endingOf(step) {
  try {
    await step.act();
    return "ran";
  } catch (error) {
    if (!(error instanceof RunplaneError)) throw error;
    return { BLOCKED: "blocked", DENIED: "denied" }[error.code] ?? `${error.code}: ${error.message}`;
  }
}

/** Decides what is held while the step lasts, as the step says; a question nobody expected is denied. */
async function answerAsPerson(server, agent, step, over) {
  while (!over()) {
    const { approvals } = await server.admin("GET", `/approvals?status=pending&agent=${agent.id}`);
    for (const { id } of approvals) {
      await (step.person === "approves" ? server.approve(id, "the demo approves") : server.deny(id, "the demo denies"));
    }
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}

/** The rows as text, for people. */
export function table(rows) {
  const lines = [["domain", "the agent wants to", "answer", "tool", "why"]];
  for (const { domain, step, decisions, runs, wrong } of rows) {
    const [first] = decisions;
    lines.push([domain, step.wish, answer(first?.decision, step.person), runs > 0 ? "ran" : "did not run", first?.reason ?? ""]);
    for (const difference of wrong) lines.push(["", "", "", "", `^ ${difference}`]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
  text.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return text.join("\n");
}

function answer(decision, person) {
  if (decision === "REQUIRE_APPROVAL") return person === "approves" ? "held, approved" : "held, denied";
  return { ALLOW: "allowed", BLOCK: "blocked" }[decision] ?? "none";
}

async function main() {
  const server = await startServer();
  try {
    const rows = await runDemo(server);
    console.log(table(rows));
    const { valid, chainLength } = await new Runplane({ baseUrl: server.baseUrl, apiKey: server.agent.key }).verifyAuditChain();
    const wrong = rows.filter((row) => row.wrong.length > 0).length;
    console.log(`\n${rows.length} actions, ${rows.filter((row) => row.runs > 0).length} ran, ${chainLength} entries on the record`);
    console.log(valid ? "the record verifies" : "THE RECORD DOES NOT VERIFY");
    if (wrong > 0) console.log(`${wrong} ended otherwise than expected`);
    return valid && wrong === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main().catch((error) => {
    console.error(error.message);
    return 1;
  });
}
