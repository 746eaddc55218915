/** Approvals as the published client lives through them: it runs as soon as a look says `approved`, and asks nothing more. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pauseBefore, WireClient } from "./client.mjs";
import { startServer } from "./real-server.mjs";

const HELD = { actionType: "terminate_instance", target: "aws", context: { instanceId: "i-1" } };
const MODES = ["closed", "open"];

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

const client = (agent, options) => new WireClient({ baseUrl: server.baseUrl, apiKey: agent.key, clockFactor: 0.02, ...options });
const look = (agent, id, headers = {}) => server.request("GET", `/api/v1/approvals/${id}`, { key: agent.key, headers });

function tool() {
  const run = () => {
    run.runs += 1;
    return "done";
  };
  run.runs = 0;
  return run;
}

/** Asks for the held action in the background; `ended` gives `{ result }` or `{ error }`. */
function asking(agent, options) {
  const run = tool();
  const ended = client(agent, options)
    .guard(HELD.actionType, HELD.target, HELD.context, run)
    .then(
      (result) => ({ result }),
      (error) => ({ error }),
    );
  return { run, ended };
}

/** An action of a new agent that the published client had held. */
async function heldAction(name) {
  const agent = await server.createAgent(name);
  const { decision, approvalId } = await client(agent).decide(HELD);
  assert.equal(decision, "REQUIRE_APPROVAL");
  return { agent, approvalId };
}

test("the published client looks at once, then after 2, 4, 8, 10, 10 … s", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((n) => pauseBefore(n)),
    [0, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000],
  );
});

for (const failMode of MODES) {
  test(`an approved action runs once (${failMode})`, async () => {
    const agent = await server.createAgent(`approved-${failMode}`);
    const { run, ended } = asking(agent, { failMode });
    await server.approve((await server.heldBy(agent)).id, "fine");
    assert.deepEqual(await ended, { result: "done" });
    assert.equal(run.runs, 1);
  });

  test(`a denied action does not run (${failMode})`, async () => {
    const agent = await server.createAgent(`denied-${failMode}`);
    const { run, ended } = asking(agent, { failMode });
    await server.deny((await server.heldBy(agent)).id, "not today");
    const { error } = await ended;
    assert.equal(error.code, "DENIED");
    assert.equal(error.message, "not today");
    assert.equal(run.runs, 0);
  });

  test(`an approval nobody gives in time ends as denied, so that nothing runs (${failMode})`, async () => {
    await server.settings({ limits: { legacyApprovalSeconds: 1 } });
    const agent = await server.createAgent(`expired-${failMode}`);
    const { run, ended } = asking(agent, { failMode });
    const { error } = await ended;
    assert.equal(error.code, "DENIED");
    assert.equal(error.message, "approval expired");
    assert.equal(run.runs, 0);
    await server.settings({ limits: { legacyApprovalSeconds: null } });
  });

  test(`unknown and foreign approvals end as denied, so that nothing runs (${failMode})`, async () => {
    const { approvalId } = await heldAction(`foreign-${failMode}`);
    const agent = await server.createAgent(`stranger-${failMode}`);
    for (const id of [approvalId, "apr_00000000-0000-7000-8000-000000000000", "nonsense", "apr_1"]) {
      const answer = await client(agent, { failMode }).pollApproval(id);
      assert.equal(answer.status, "denied");
      assert.equal(answer.comment, "unknown approval");
    }
  });

  test(`containment after the approval stops the action at the look that would show it (${failMode})`, async () => {
    const agent = await server.createAgent(`contained-${failMode}`);
    const { decision, approvalId } = await client(agent, { failMode }).decide(HELD);
    assert.equal(decision, "REQUIRE_APPROVAL");
    await server.approve(approvalId);
    const { id } = await server.admin("POST", "/containment", { scope: "agent", value: agent.id, reason: "test of containment" });
    const answer = await client(agent, { failMode }).pollApproval(approvalId);
    await server.admin("DELETE", `/containment/${id}`);
    assert.equal(answer.status, "denied");
    assert.equal(typeof answer.comment, "string");
    assert.equal((await client(agent, { failMode }).pollApproval(approvalId)).status, "denied", "and stays so");
  });

  test(`a policy published after the approval stops the action (${failMode})`, async () => {
    const agent = await server.createAgent(`tightened-${failMode}`);
    const { approvalId } = await client(agent, { failMode }).decide(HELD);
    await server.approve(approvalId);
    const yaml = "policy: frozen\ndescription: Nothing is terminated\nrules:\n  - id: freeze\n    action: terminate_instance\n    decision: BLOCK\n    reason: Frozen\n";
    await server.admin("PUT", "/policies/frozen", { yaml });
    const answer = await client(agent, { failMode }).pollApproval(approvalId);
    await server.admin("DELETE", "/policies/frozen");
    assert.equal(answer.status, "denied");
    assert.match(answer.comment, /frozen\/freeze|Frozen/);
  });
}

test("a server that is killed while a person decides keeps the approval, and the action runs once", async () => {
  const agent = await server.createAgent("killed");
  const { run, ended } = asking(agent);
  const { id } = await server.heldBy(agent);
  await server.killAndRestart();
  await server.approve(id);
  assert.deepEqual(await ended, { result: "done" });
  assert.equal(run.runs, 1);
  assert.equal((await client(agent).verifyAuditChain()).valid, true);
});

test("unknown and foreign approvals cannot be told apart", async () => {
  const { approvalId } = await heldAction("indistinct");
  const stranger = await server.createAgent("indistinct-stranger");
  const foreign = await look(stranger, approvalId);
  const unknown = await look(stranger, "apr_00000000-0000-7000-8000-000000000000");
  assert.equal(foreign.status, 200);
  assert.equal(unknown.status, 200);
  assert.deepEqual(foreign.body, unknown.body);
  const named = { "runplane-client": "test/1" };
  const [foreignNamed, unknownNamed] = [await look(stranger, approvalId, named), await look(stranger, "apr_1", named)];
  assert.equal(foreignNamed.status, unknownNamed.status);
  assert.equal(foreignNamed.body.error, unknownNamed.body.error);
});

test("a look answers at once while the approval is pending", async () => {
  const { agent, approvalId } = await heldAction("at-once");
  const started = performance.now();
  const { status, body } = await look(agent, approvalId);
  assert.ok(performance.now() - started < 2_000);
  assert.equal(status, 200);
  assert.equal(body.status, "pending");
});

test("an answered look is repeated with the same answer: a lost one does not lose the approval", async () => {
  const { agent, approvalId } = await heldAction("repeated");
  await server.approve(approvalId, "fine");
  const first = await client(agent).pollApproval(approvalId);
  assert.equal(first.status, "approved");
  assert.equal(first.comment, "fine");
  assert.equal(typeof first.resolvedAt, "string");
  assert.equal(typeof first.resolvedBy, "string");
  await server.admin("POST", "/containment", { scope: "agent", value: agent.id, reason: "too late" });
  assert.deepEqual(await client(agent).pollApproval(approvalId), first, "what was redeemed stays redeemed");
});

test("a look by a person, a stranger or a client with a name redeems nothing", async () => {
  const { agent, approvalId } = await heldAction("no-redemption");
  const stranger = await server.createAgent("no-redemption-stranger");
  await server.approve(approvalId);
  assert.equal((await server.approval(approvalId)).status, "approved");
  assert.equal((await look(stranger, approvalId)).body.status, "denied");
  const named = await look(agent, approvalId, { "runplane-client": "test/1" });
  assert.equal(named.body.status, "approved");
  assert.notEqual((await server.approval(approvalId)).state, "redeemed");
  assert.equal((await look(agent, approvalId)).body.status, "approved");
  assert.equal((await server.approval(approvalId)).state, "redeemed");
});

test("a look redeems the approval: it cannot be redeemed again explicitly", async () => {
  const { agent, approvalId } = await heldAction("once");
  await server.approve(approvalId);
  await client(agent).pollApproval(approvalId);
  const again = await server.request("POST", `/api/v1/approvals/${approvalId}/redeem`, {
    key: agent.key,
    body: { redemptionId: "second" },
    headers: { "runplane-client": "test/1" },
  });
  assert.equal(again.status, 409);
  assert.equal(again.body.error, "already_redeemed");
});

test("an approval asked for by this client is closed before its own 300 s", async () => {
  const { approvalId } = await heldAction("deadline");
  const { createdAt, expiresAt } = await server.approval(approvalId);
  const seconds = (Date.parse(expiresAt) - Date.parse(createdAt)) / 1_000;
  assert.ok(seconds > 0 && seconds <= 290, `${seconds} s`);
});

test("an agent's key approves nothing", async () => {
  const { agent, approvalId } = await heldAction("own-approval");
  const answer = await server.request("POST", `/api/v1/approvals/${approvalId}/approve`, { key: agent.key, body: {} });
  assert.ok(answer.status === 401 || answer.status === 403 || answer.status === 404, String(answer.status));
  assert.equal(typeof answer.body.error, "string");
  assert.equal((await server.approval(approvalId)).status, "pending");
});
