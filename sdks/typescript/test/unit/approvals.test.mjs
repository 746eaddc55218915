import assert from "node:assert/strict";
import { test } from "node:test";
import { GuardBlockedError, GuardDeniedError } from "runplane";
import { APPROVAL, CUT, decided, DROP, fakeServer, GUARD, HANG, OUTCOME, recorded, REDEEM, tool } from "./fake-server.mjs";

const MODES = ["closed", "open"];
const HELD = decided("REQUIRE_APPROVAL");
const APPROVED = { json: { status: "approved", resolvedAt: "2026-01-01T00:00:00Z", resolvedBy: "admin" } };
const PENDING = { json: { status: "pending" } };

/** The redeem answer carries the id of the held request. */
const redeemed = (decision, more) => ({
  json: { decision, reason: "because", requestId: "req_held", approvalId: "apr_1", matchedRule: "pack/cap", ...more },
});

async function held(t, routes, options) {
  const charge = tool();
  const server = await fakeServer(t, { [GUARD]: HELD, [OUTCOME]: recorded, ...routes });
  const settled = await server
    .client(options)
    .guard("create_charge", "stripe", { amount: 5000 }, charge)
    .then(
      (result) => ({ result }),
      (error) => ({ error }),
    );
  return { ...settled, server, runs: charge.runs };
}

test("an approved action runs once, after its approval was redeemed", async (t) => {
  const { result, runs, server } = await held(t, {
    [APPROVAL]: [PENDING, PENDING, APPROVED],
    [REDEEM]: redeemed("ALLOW", { permit: "p", permitExpiresAt: "2026-01-01T00:01:00Z" }),
  });
  assert.equal(result, "done");
  assert.equal(runs, 1);
  assert.equal(server.to("GET", "/api/v1/approvals/").length, 3);
  const [redeem] = server.to("POST", "/api/v1/approvals/");
  assert.match(redeem.body.redemptionId, /^rdm_[0-9a-f-]{36}$/);
  const [outcome] = server.to("POST", "/api/v1/executions/");
  assert.equal(outcome.path, `/api/v1/executions/${server.requests[0].body.requestId}`);
});

test("the look at an approval asks the server to wait, and says who asks", async (t) => {
  const { server } = await held(t, { [APPROVAL]: APPROVED, [REDEEM]: redeemed("ALLOW") });
  const [look] = server.to("GET", "/api/v1/approvals/");
  assert.equal(look.url, "/api/v1/approvals/apr_1?wait=25s");
  assert.match(look.headers["runplane-client"], /^runplane-ts\//);
});

for (const failMode of MODES) {
  test(`a denied action does not run (fail mode ${failMode})`, async (t) => {
    const denied = { json: { status: "denied", resolvedBy: "admin", comment: "not today" } };
    const { error, runs, server } = await held(t, { [APPROVAL]: [PENDING, denied] }, { failMode });
    assert.ok(error instanceof GuardDeniedError);
    assert.equal(error.code, "DENIED");
    assert.equal(error.approvalId, "apr_1");
    assert.equal(error.reason, "not today");
    assert.equal(error.requestId, server.requests[0].body.requestId);
    assert.match(error.message, /denied by admin: not today/);
    assert.equal(runs, 0);
  });

  test(`an expired approval does not run (fail mode ${failMode})`, async (t) => {
    const { error, runs, server } = await held(t, { [APPROVAL]: { json: { status: "expired" } } }, { failMode });
    assert.equal(error.code, "TIMEOUT");
    assert.equal(runs, 0);
    assert.equal(server.to("POST", "/api/v1/approvals/").length, 0);
  });

  test(`nobody decides in time: the action does not run (fail mode ${failMode})`, async (t) => {
    const { error, runs } = await held(t, { [APPROVAL]: PENDING }, { failMode, approvalTimeoutMs: 80 });
    assert.equal(error.code, "TIMEOUT");
    assert.match(error.message, /nobody decided within 80 ms/);
    assert.equal(runs, 0);
  });

  test(`the server goes away while a person decides: the action does not run (fail mode ${failMode})`, async (t) => {
    const options = { failMode, approvalTimeoutMs: 80, timeoutMs: 500 };
    for (const reply of [DROP, HANG, { status: 503, json: {} }]) {
      const { error, runs } = await held(t, { [APPROVAL]: reply }, options);
      assert.equal(error.code, "TIMEOUT");
      assert.equal(runs, 0);
    }
  });

  test(`an approval the redemption refuses does not run, and the rule is named (fail mode ${failMode})`, async (t) => {
    const { error, runs } = await held(t, { [APPROVAL]: APPROVED, [REDEEM]: redeemed("BLOCK") }, { failMode });
    assert.ok(error instanceof GuardBlockedError);
    assert.equal(error.code, "BLOCKED");
    assert.equal(error.matchedRule, "pack/cap");
    assert.match(error.message, /`apr_1` was granted, but the action is refused now by rule `pack\/cap`: because/);
    assert.equal(runs, 0);
  });

  test(`an approval that is gone, foreign or unreadable allows nothing (fail mode ${failMode})`, async (t) => {
    const replies = [
      { status: 404, json: { error: "unknown_approval" } },
      { status: 401, json: { error: "invalid_key" } },
      { json: { status: "APPROVED" } },
      { json: { status: true } },
      { json: ["approved"] },
      { text: "approved" },
    ];
    for (const reply of replies) {
      const { error, runs } = await held(t, { [APPROVAL]: reply, [REDEEM]: redeemed("ALLOW") }, { failMode });
      assert.equal(error.code, "UNKNOWN");
      assert.equal(runs, 0);
    }
  });

  test(`a redemption that is not an ALLOW runs nothing (fail mode ${failMode})`, async (t) => {
    const refusals = [
      [redeemed("REQUIRE_APPROVAL"), "BLOCKED"],
      [redeemed("allow"), "UNKNOWN"],
      [{ text: "{}" }, "UNKNOWN"],
      [{ status: 401, json: { error: "invalid_key" } }, "UNKNOWN"],
      [{ status: 404, json: { error: "unknown_approval" } }, "UNKNOWN"],
      [{ status: 409, json: { error: "already_redeemed" } }, "BLOCKED"],
      [{ status: 409, json: { error: "approval_not_approved", approvalStatus: "denied", status: 409 } }, "DENIED"],
      [{ status: 409, json: { error: "approval_not_approved", approvalStatus: "expired", status: 409 } }, "TIMEOUT"],
      [{ status: 409, json: { error: "approval_not_approved", status: 409 } }, "BLOCKED"],
    ];
    for (const [reply, code] of refusals) {
      const { error, runs } = await held(t, { [APPROVAL]: APPROVED, [REDEEM]: reply }, { failMode });
      assert.equal(error.code, code, JSON.stringify(reply));
      assert.equal(error.approvalId, "apr_1");
      assert.equal(runs, 0);
    }
  });
}

test("a lost answer to a look is asked for again", async (t) => {
  const { result, server } = await held(t, {
    [APPROVAL]: [DROP, { status: 500, json: {} }, { status: 200, broken: CUT }, { status: 429, json: {} }, APPROVED],
    [REDEEM]: redeemed("ALLOW"),
  });
  assert.equal(result, "done");
  assert.equal(server.to("GET", "/api/v1/approvals/").length, 5);
});

test("a lost redemption is repeated with the same id, and runs once", async (t) => {
  const { result, runs, server } = await held(t, {
    [APPROVAL]: APPROVED,
    [REDEEM]: [DROP, { status: 503, json: {} }, { status: 200, broken: CUT }, redeemed("ALLOW")],
  });
  assert.equal(result, "done");
  assert.equal(runs, 1);
  const ids = server.to("POST", "/api/v1/approvals/").map((request) => request.body.redemptionId);
  assert.equal(ids.length, 4);
  assert.equal(new Set(ids).size, 1);
});

test("a server that cannot redeem an approval runs nothing, in fail-open mode too", async (t) => {
  const gone = { status: 503, json: {}, headers: { "retry-after": "60" } };
  const { error, runs } = await held(t, { [APPROVAL]: APPROVED, [REDEEM]: gone }, { failMode: "open" });
  assert.equal(error.code, "NETWORK_ERROR");
  assert.equal(runs, 0);
});

test("a server that knows no wait is not asked more often than the rhythm", async (t) => {
  const options = { approvalTimeoutMs: 400, approvalPollIntervalMs: 20 };
  const { error, server } = await held(t, { [APPROVAL]: PENDING }, options);
  assert.equal(error.code, "TIMEOUT");
  // 0, 20, 60, 140, then every 100 ms until 400
  const looks = server.to("GET", "/api/v1/approvals/").length;
  assert.ok(looks >= 3 && looks <= 7, `${looks} looks`);
});

test("pollApproval tells how the approval ended", async (t) => {
  const server = await fakeServer(t, { [APPROVAL]: [PENDING, { json: { status: "denied", comment: "no" } }] });
  assert.deepEqual(await server.client().pollApproval("apr_1"), { status: "denied", comment: "no" });
});

test("pollApproval and redeem take approval ids only", async (t) => {
  const server = await fakeServer(t, {});
  for (const id of ["", "..", ".", "a/b", "a?wait=1", "a b", undefined]) {
    await assert.rejects(server.client().pollApproval(id), TypeError);
    await assert.rejects(server.client().redeem(id), TypeError);
  }
  assert.equal(server.requests.length, 0);
});

test("redeem sends the caller's redemption id and gives the decision", async (t) => {
  const server = await fakeServer(t, { [REDEEM]: redeemed("BLOCK") });
  const decision = await server.client().redeem("apr_1", "mine");
  assert.equal(decision.decision, "BLOCK");
  assert.deepEqual(server.requests[0].body, { redemptionId: "mine" });
});
