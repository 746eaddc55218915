/** The client against the real binary: what a program sees when it allows, blocks, holds, and when people decide. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { GuardBlockedError, GuardDeniedError, Runplane } from "runplane";
import { startServer } from "../../../../contracts/wire-client/real-server.mjs";

const MODES = ["closed", "open"];
const HELD = ["terminate_instance", "aws", { instanceId: "i-1" }];

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

const client = (agent, options) => new Runplane({ baseUrl: server.baseUrl, apiKey: agent.key, approvalPollIntervalMs: 20, ...options });

function tool(result = "done") {
  const run = () => {
    run.runs += 1;
    return result;
  };
  run.runs = 0;
  return run;
}

/** Starts a guarded call that policy holds; `ended` gives `{ result }` or `{ error }`. */
function asking(agent, options, run = tool()) {
  const decisions = [];
  const onDecision = (decision) => decisions.push(decision);
  const ended = client(agent, { onDecision, ...options })
    .guard(...HELD, run)
    .then(
      (result) => ({ result }),
      (error) => ({ error }),
    );
  return { run, ended, decisions };
}

const recordOf = (requestId) =>
  server.eventually(
    async () => (await server.request("GET", `/api/v1/decisions/${requestId}`, { key: server.adminToken })).body,
    "the decision is listed",
  );

test("an allowed action runs, and its outcome is on the record", async () => {
  const seen = [];
  const run = tool({ balance: 7 });
  const result = await client(server.agent, { onDecision: (decision) => seen.push(decision) }).guard("read_balance", "stripe", null, run);
  assert.deepEqual(result, { balance: 7 });
  assert.equal(run.runs, 1);
  assert.equal(seen[0].decision, "ALLOW");
  const again = await client(server.agent).reportOutcome(seen[0].requestId, "succeeded");
  assert.equal(again.status, "succeeded", "the same report again is the same answer");
  await assert.rejects(client(server.agent).reportOutcome(seen[0].requestId, "failed"), { status: 409, reasonCode: "outcome_conflict" });
});

test("a failing callback is on the record as failed, and its error passes through", async () => {
  const seen = [];
  const broken = new RangeError("the tool's own");
  const guarded = client(server.agent, { onDecision: (decision) => seen.push(decision) }).guard("read_balance", "stripe", null, () => {
    throw broken;
  });
  await assert.rejects(guarded, (error) => error === broken);
  await assert.rejects(client(server.agent).reportOutcome(seen[0].requestId, "succeeded"), { reasonCode: "outcome_conflict" });
  assert.equal((await client(server.agent).reportOutcome(seen[0].requestId, "failed", "RangeError")).status, "failed");
});

for (const failMode of MODES) {
  test(`a blocked action does not run, and the rule is named (${failMode})`, async () => {
    const run = tool();
    const blocked = client(server.agent, { failMode }).guard("create_charge", "stripe", { amount: 60_000, currency: "usd" }, run);
    const error = await blocked.catch((reason) => reason);
    assert.ok(error instanceof GuardBlockedError);
    assert.equal(error.code, "BLOCKED");
    assert.match(error.matchedRule, /^payments\//);
    assert.equal(run.runs, 0);
  });

  test(`a refusal says which limit is reached and when it eases (${failMode})`, async () => {
    const agent = await server.createAgent(`limited-${failMode}`);
    const yaml = "policy: few\nrules:\n  - { id: cap, action: read_balance, limit: { count: 1, within: 1h, per: [agent] } }\n";
    await server.admin("PUT", "/policies/few", { yaml });
    const run = tool();
    const seen = [];
    const once = () => client(agent, { failMode, onDecision: (decision) => seen.push(decision) }).guard("read_balance", "stripe", null, run);
    await once();
    const error = await once().catch((reason) => reason);
    await server.admin("DELETE", "/policies/few");
    const of = ({ limits }) => limits.filter(({ rule }) => rule === "few/cap").map(({ used, of, remaining }) => [used, of, remaining]);
    assert.deepEqual([of(seen[0]), of(error)], [[["1", "1", "0"]], [["1", "1", "0"]]]);
    const eases = (Date.parse(error.limits.find(({ rule }) => rule === "few/cap").resetsAt) - Date.now()) / 1_000;
    assert.ok(error instanceof GuardBlockedError && eases > 3_500 && eases < 3_700, `${eases}`);
    assert.equal(run.runs, 1);
  });

  test(`an approved action is redeemed and runs once (${failMode})`, async () => {
    const agent = await server.createAgent(`approved-${failMode}`);
    const { run, ended, decisions } = asking(agent, { failMode });
    const { id } = await server.heldBy(agent);
    await server.approve(id, "fine");
    assert.deepEqual(await ended, { result: "done" });
    assert.equal(run.runs, 1);
    assert.deepEqual(decisions.map(({ decision }) => decision), ["REQUIRE_APPROVAL", "ALLOW"]);
    assert.equal(typeof decisions[1].permit, "string");
    assert.equal((await server.approval(id)).state, "redeemed");
    const outcome = await client(agent).reportOutcome(decisions[0].requestId, "succeeded");
    assert.equal(outcome.status, "succeeded");
  });

  test(`a denied action does not run (${failMode})`, async () => {
    const agent = await server.createAgent(`denied-${failMode}`);
    const { run, ended } = asking(agent, { failMode });
    await server.deny((await server.heldBy(agent)).id, "not today");
    const { error } = await ended;
    assert.ok(error instanceof GuardDeniedError);
    assert.equal(error.reason, "not today");
    assert.equal(run.runs, 0);
  });

  test(`an expired approval does not run (${failMode})`, async () => {
    await server.settings({ limits: { approvalSeconds: 1 } });
    const agent = await server.createAgent(`expired-${failMode}`);
    const { run, ended } = asking(agent, { failMode });
    const { error } = await ended;
    assert.equal(error.code, "TIMEOUT");
    assert.match(error.message, /expired/);
    assert.equal(run.runs, 0);
    await server.settings({ limits: { approvalSeconds: null } });
  });

  test(`an approval that today's policy refuses does not run, and the rule is named (${failMode})`, async () => {
    const agent = await server.createAgent(`tightened-${failMode}`);
    const { decision, approvalId } = await client(agent).decide({ actionType: HELD[0], target: HELD[1], context: HELD[2] });
    assert.equal(decision, "REQUIRE_APPROVAL");
    await server.approve(approvalId);
    const yaml = "policy: frozen\ndescription: Nothing is terminated\nrules:\n  - id: freeze\n    action: terminate_instance\n    decision: BLOCK\n    reason: Frozen\n";
    await server.admin("PUT", "/policies/frozen", { yaml });
    const redeemed = await client(agent, { failMode }).redeem(approvalId);
    await server.admin("DELETE", "/policies/frozen");
    assert.equal(redeemed.decision, "BLOCK");
    assert.equal(redeemed.matchedRule, "frozen/freeze");
  });

  test(`containment between approval and redemption stops the action (${failMode})`, async () => {
    const agent = await server.createAgent(`contained-${failMode}`);
    const { approvalId } = await client(agent).decide({ actionType: HELD[0], target: HELD[1], context: HELD[2] });
    await server.approve(approvalId);
    const { id } = await server.admin("POST", "/containment", { scope: "agent", value: agent.id, reason: "test of containment" });
    const redeemed = await client(agent, { failMode }).redeem(approvalId);
    await server.admin("DELETE", `/containment/${id}`);
    assert.equal(redeemed.decision, "BLOCK");
    assert.equal(redeemed.reasonCode, "containment");
  });

  test(`unknown and foreign approvals allow nothing and read alike (${failMode})`, async () => {
    const owner = await server.createAgent(`owner-${failMode}`);
    const stranger = await server.createAgent(`stranger-${failMode}`);
    const { approvalId } = await client(owner).decide({ actionType: HELD[0], target: HELD[1], context: HELD[2] });
    const ends = [];
    for (const id of [approvalId, "apr_00000000-0000-7000-8000-000000000000"]) {
      const ended = await client(stranger, { failMode, approvalTimeoutMs: 500 })
        .pollApproval(id)
        .catch((error) => ({ status: error.code }));
      ends.push(ended.status);
      await assert.rejects(client(stranger, { failMode }).redeem(id), { code: "UNKNOWN", status: 404, reasonCode: "unknown_approval" });
    }
    assert.equal(ends[0], ends[1]);
    assert.notEqual(ends[0], "approved");
  });

  test(`a wrong key runs nothing (${failMode})`, async () => {
    const run = tool();
    const wrong = client({ key: `rpk_${"A".repeat(43)}` }, { failMode });
    await assert.rejects(wrong.guard("read_balance", "stripe", null, run), { code: "UNKNOWN", status: 401, reasonCode: "invalid_key" });
    assert.equal(run.runs, 0);
  });

  test(`10 MB and over-deep contexts run nothing (${failMode})`, async () => {
    let deep = "x";
    for (let level = 0; level < 1_000; level += 1) deep = { a: deep };
    for (const context of [{ blob: "x".repeat(10 * 1024 * 1024) }, deep]) {
      const run = tool();
      await assert.rejects(client(server.agent, { failMode }).guard("read_balance", "stripe", context, run), { code: "BLOCKED" });
      assert.equal(run.runs, 0);
    }
  });
}

test("containment while a person decides stops the guarded action, whatever the person says", async () => {
  const agent = await server.createAgent("contained-while-held");
  const { run, ended } = asking(agent, { failMode: "open" });
  const { id } = await server.heldBy(agent);
  const contained = await server.admin("POST", "/containment", { scope: "agent", value: agent.id, reason: "test of containment" });
  await server.approve(id);
  const { error } = await ended;
  await server.admin("DELETE", `/containment/${contained.id}`);
  assert.ok(error instanceof GuardBlockedError);
  assert.equal(error.approvalId, id);
  assert.match(error.message, /was granted, but the action is refused now/);
  assert.equal(run.runs, 0);
});

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

test("a redemption repeated with its id is the same permit, another id is refused", async () => {
  const agent = await server.createAgent("redeems");
  const { approvalId } = await client(agent).decide({ actionType: HELD[0], target: HELD[1], context: HELD[2] });
  await assert.rejects(client(agent).redeem(approvalId, "early"), { status: 409, reasonCode: "approval_not_approved" });
  await server.approve(approvalId);
  const first = await client(agent).redeem(approvalId, "mine");
  const again = await client(agent).redeem(approvalId, "mine");
  assert.equal(first.decision, "ALLOW");
  assert.equal(again.permit, first.permit);
  await assert.rejects(client(agent).redeem(approvalId, "other"), { code: "BLOCKED", reasonCode: "already_redeemed" });
});

test("a look at an approval waits at the server instead of asking again and again", async () => {
  const agent = await server.createAgent("waits");
  const looks = [];
  const fetch = (url, init) => {
    if (init.method === "GET") looks.push(url);
    return globalThis.fetch(url, init);
  };
  const { ended } = asking(agent, { fetch, approvalPollIntervalMs: 1 });
  const { id } = await server.heldBy(agent);
  for (let n = 0; n < 50; n += 1) await server.approval(id);
  await server.approve(id);
  assert.deepEqual(await ended, { result: "done" });
  assert.ok(looks.length <= 2, `${looks.length} looks`);
});

test("a lost answer is asked for again and counted once", async () => {
  const agent = await server.createAgent("lossy");
  const decisions = [];
  let lost = 0;
  const fetch = async (url, init) => {
    const response = await globalThis.fetch(url, init);
    if (!url.endsWith("/guard") || lost > 0) return response;
    lost += 1;
    await response.text();
    throw new TypeError("the answer was lost");
  };
  const run = tool();
  await client(agent, { fetch, onDecision: (decision) => decisions.push(decision) }).guard("read_balance", "stripe", null, run);
  assert.equal(lost, 1);
  assert.equal(run.runs, 1);
  assert.equal(decisions[0].replayed, true);
});

test("a decision is recorded with everything the client sent", async () => {
  const agent = await server.createAgent("recorded");
  const details = { subject: "ana", session: "s-1", tool: "stripe.balance.retrieve" };
  const decision = await client(agent).decide({ actionType: "read_balance", target: "stripe", ...details });
  const record = await recordOf(decision.requestId);
  assert.ok(JSON.stringify(record).includes(decision.requestId));
});

test("the audit record verifies", async () => {
  const { valid, chainLength } = await client(server.agent).verifyAuditChain();
  assert.equal(valid, true);
  assert.ok(chainLength > 0);
});

test("a CommonJS program works the same", async () => {
  const { Shield } = createRequire(import.meta.url)("runplane");
  const run = tool();
  assert.equal(await new Shield({ baseUrl: server.baseUrl, apiKey: server.agent.key }).guard("read_balance", "stripe", {}, run), "done");
  assert.equal(run.runs, 1);
});
