/** Decisions as the published client reads them, in both fail modes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WireClient } from "./client.mjs";
import { startServer } from "./real-server.mjs";

const ALLOWED = { actionType: "read_balance", target: "stripe", context: {} };
const BLOCKED = { actionType: "create_charge", target: "stripe", context: { amount: 60_000, currency: "usd" } };
const HELD = { actionType: "terminate_instance", target: "aws", context: { instanceId: "i-1" } };
const MODES = ["closed", "open"];

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

const client = (agent, options) => new WireClient({ baseUrl: server.baseUrl, apiKey: agent.key, clockFactor: 0.01, ...options });

function tool() {
  const run = () => {
    run.runs += 1;
    return "done";
  };
  run.runs = 0;
  return run;
}

for (const failMode of MODES) {
  test(`an allowed action runs (${failMode})`, async () => {
    const run = tool();
    assert.equal(await client(server.agent, { failMode }).guard(ALLOWED.actionType, ALLOWED.target, null, run), "done");
    assert.equal(run.runs, 1);
  });

  test(`a blocked action does not run (${failMode})`, async () => {
    const run = tool();
    const blocked = client(server.agent, { failMode }).guard(BLOCKED.actionType, BLOCKED.target, BLOCKED.context, run);
    await assert.rejects(blocked, { code: "BLOCKED" });
    assert.equal(run.runs, 0);
  });
}

test("a decision has every field the published client reads, with its type", async () => {
  const agent = await server.createAgent("fields");
  for (const [call, decision] of [[ALLOWED, "ALLOW"], [BLOCKED, "BLOCK"], [HELD, "REQUIRE_APPROVAL"]]) {
    const answer = await client(agent).decide(call);
    assert.equal(answer.decision, decision);
    assert.equal(typeof answer.reason, "string");
    assert.match(answer.requestId, /^[\x21-\x7e]{1,128}$/);
    assert.equal(typeof answer.matchedRule, "string");
    assert.equal(typeof answer.riskScore, "number");
    assert.equal(typeof answer.severity, "string");
    if (decision === "REQUIRE_APPROVAL") assert.match(answer.approvalId, /^[A-Za-z0-9_-]+$/);
    else assert.equal(answer.approvalId, null);
  }
});

test("the documented call scores 58 and is held", async () => {
  await server.settings({ targets: { "finance-system": { environment: "production", sensitivity: "high" } } });
  const agent = await server.createAgent("documented");
  const context = { amount: 12_000, environment: "production" };
  const answer = await client(agent).decide({ actionType: "transfer_funds", target: "finance-system", context });
  assert.equal(answer.decision, "REQUIRE_APPROVAL");
  assert.equal(answer.riskScore, 58);
});

test("a request id is answered with the same decision again, and its own id", async () => {
  const agent = await server.createAgent("repeats");
  const first = await client(agent).decide({ ...ALLOWED, requestId: "order-17" });
  const again = await client(agent).decide({ ...ALLOWED, requestId: "order-17" });
  assert.equal(first.requestId, "order-17");
  assert.equal(again.requestId, "order-17");
  assert.equal(again.decision, "ALLOW");
});

test("a request id used for another action is a BLOCK, not an error", async () => {
  const agent = await server.createAgent("conflicts");
  await client(agent).decide({ ...ALLOWED, requestId: "order-17" });
  const other = await client(agent).decide({ ...ALLOWED, target: "adyen", requestId: "order-17" });
  assert.equal(other.decision, "BLOCK");
});

test("another agent's request id is its own matter", async () => {
  const [one, other] = [await server.createAgent("one"), await server.createAgent("other")];
  await client(one).decide({ ...ALLOWED, requestId: "shared" });
  const answer = await client(other).decide({ ...ALLOWED, context: { account: "b" }, requestId: "shared" });
  assert.equal(answer.decision, "ALLOW");
});

test("the legacy path answers every shape of its body as the current path does", async () => {
  const { actionType, target, context } = BLOCKED;
  const bodies = [
    { action: actionType, target, context },
    { actionType, target, context },
    { action: { type: actionType, target, context } },
  ];
  for (const body of bodies) {
    const answer = await server.request("POST", "/api/decide", { key: server.agent.key, body });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.decision, "BLOCK");
    assert.equal(answer.body.action.type, "create_charge");
  }
});

test("a decision arrives well within the client's 3 s", async () => {
  const started = performance.now();
  await client(server.agent).decide(ALLOWED);
  assert.ok(performance.now() - started < 3_000);
});

test("the audit record verifies and grows with every decision", async () => {
  const before = await client(server.agent).verifyAuditChain();
  assert.equal(before.valid, true);
  assert.equal(before.brokenAt, undefined);
  await client(server.agent).decide(ALLOWED);
  const later = await client(server.agent).verifyAuditChain();
  assert.equal(later.valid, true);
  assert.ok(later.chainLength > before.chainLength);
});

test("a key the server does not take answers 401 invalid_key on every path of the published client", async () => {
  const agent = await server.createAgent("revoked");
  const keys = await server.admin("GET", `/agents/${agent.id}/keys`);
  const id = (keys.keys ?? keys)[0].id;
  await server.admin("POST", `/keys/${id}/revoke`);
  for (const key of [undefined, "", "x", "rpk_", `rpk_${"A".repeat(43)}`, agent.key]) {
    for (const [method, path] of [["POST", "/api/v1/guard"], ["GET", "/api/v1/approvals/apr_1"], ["GET", "/api/audit/verify"], ["POST", "/api/decide"]]) {
      const body = method === "POST" ? { action: { type: "read_balance", target: "stripe", context: {} } } : undefined;
      const answer = await server.request(method, path, { key, body });
      assert.equal(answer.status, 401, `${method} ${path} with \`${key}\``);
      assert.equal(answer.body.error, "invalid_key");
    }
  }
});

test("with a wrong key the closed client runs nothing; to the open one it is an outage, as documented", async () => {
  const wrong = { key: `rpk_${"A".repeat(43)}` };
  const run = tool();
  await assert.rejects(client(wrong).guard("read_balance", "stripe", {}, run), { code: "NETWORK_ERROR" });
  assert.equal(run.runs, 0);
  await client(wrong, { failMode: "open" }).guard("read_balance", "stripe", {}, run);
  assert.equal(run.runs, 1);
});

test("with nobody listening the open client runs: the tests of this folder can fail", async () => {
  const run = tool();
  const nowhere = new WireClient({ baseUrl: "http://127.0.0.1:1", apiKey: "k", failMode: "open" });
  await nowhere.guard("create_charge", "stripe", {}, run);
  assert.equal(run.runs, 1);
});
