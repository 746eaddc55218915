import assert from "node:assert/strict";
import { test } from "node:test";
import { GuardBlockedError, ShieldError, VERSION } from "runplane";
import { CUT, decided, fakeServer, GUARD, HANG_BODY, OUTCOME, recorded, tool } from "./fake-server.mjs";

const MODES = ["closed", "open"];

test("an allowed action runs once and its result passes through unchanged", async (t) => {
  const result = { id: "ch_1" };
  const charge = tool(result);
  const server = await fakeServer(t, { [GUARD]: decided("ALLOW"), [OUTCOME]: recorded });
  assert.equal(await server.client().guard("create_charge", "stripe", { amount: 5 }, charge), result);
  assert.equal(charge.runs, 1);
});

test("the request has the published form, plus the client's name and a request id", async (t) => {
  const server = await fakeServer(t, { [GUARD]: decided("ALLOW"), [OUTCOME]: recorded });
  await server.client().guard("create_charge", "stripe", { amount: 5 }, tool());
  const [request] = server.to("POST", "/api/v1/guard");
  assert.deepEqual(request.body.action, { type: "create_charge", target: "stripe", context: { amount: 5 } });
  assert.match(request.body.requestId, /^req_[0-9a-f-]{36}$/);
  assert.equal(request.headers.authorization, "Bearer rpk_test");
  assert.equal(request.headers["content-type"], "application/json");
  assert.equal(request.headers["runplane-client"], `runplane-ts/${VERSION}`);
});

test("no context is sent as an empty object", async (t) => {
  const server = await fakeServer(t, { [GUARD]: decided("ALLOW"), [OUTCOME]: recorded });
  await server.client().guard("read_balance", "stripe", null, tool());
  await server.client().guard("read_balance", "stripe", undefined, tool());
  assert.deepEqual(
    server.to("POST", "/api/v1/guard").map((request) => request.body.action.context),
    [{}, {}],
  );
});

test("subject, session and tool are sent when given", async (t) => {
  const server = await fakeServer(t, { [GUARD]: decided("ALLOW"), [OUTCOME]: recorded });
  const details = { subject: "ana", session: "s-1", tool: "stripe.charges.create" };
  await server.client().guard("create_charge", "stripe", null, tool(), details);
  const { body } = server.to("POST", "/api/v1/guard")[0];
  assert.equal(body.subject, "ana");
  assert.equal(body.session, "s-1");
  assert.equal(body.action.tool, "stripe.charges.create");
});

for (const failMode of MODES) {
  test(`a blocked action does not run (fail mode ${failMode})`, async (t) => {
    const charge = tool();
    const server = await fakeServer(t, { [GUARD]: decided("BLOCK", { reasonCode: "policy" }) });
    const refused = await server.client({ failMode }).guard("create_charge", "stripe", null, charge).catch((error) => error);
    assert.ok(refused instanceof GuardBlockedError && refused instanceof ShieldError);
    assert.equal(refused.code, "BLOCKED");
    assert.equal(refused.matchedRule, "pack/rule");
    assert.equal(refused.reasonCode, "policy");
    assert.match(refused.message, /`create_charge` on `stripe` is blocked by rule `pack\/rule`: because/);
    assert.equal(refused.requestId, server.requests[0].body.requestId);
    assert.equal(charge.runs, 0);
    assert.equal(server.requests.length, 1);
  });
}

test("what is used of limits is in the decision and in the refusal, and what is no limit is left out", async (t) => {
  const limit = { rule: "pack/cap", used: "3", of: "3", remaining: "0", withinSeconds: 3_600, resetsAt: "2026-01-01T01:00:00Z" };
  const limits = [limit, { rule: "pack/other" }, null, { ...limit, of: 3 }];
  const seen = [];
  const allowing = await fakeServer(t, { [GUARD]: decided("ALLOW", { limits }), [OUTCOME]: recorded });
  await allowing.client({ onDecision: (decision) => seen.push(decision) }).guard("read_balance", "stripe", null, tool());
  assert.deepEqual(seen[0].limits, [limit]);
  const blocking = await fakeServer(t, { [GUARD]: decided("BLOCK", { limits }) });
  const refused = await blocking.client().guard("read_balance", "stripe", null, tool()).catch((error) => error);
  assert.deepEqual(refused.limits, [limit]);
});

/** None of these is an ALLOW, and none is an outage. */
const NOT_AN_ALLOW = {
  "an empty body": { text: "" },
  "a page of a captive portal": { text: "<html>welcome</html>", headers: { "content-type": "text/html" } },
  "null": { text: "null" },
  "a list": { json: [{ decision: "ALLOW" }] },
  "no decision": (request) => ({ json: { requestId: request.body.requestId } }),
  "lower case": decided("allow"),
  "a decision with spaces": decided(" ALLOW "),
  "true instead of a word": decided(true),
  "an unknown decision": decided("ALLOW_ONCE"),
  "no request id": { json: { decision: "ALLOW", reason: "" } },
  "the answer to another request": decided("ALLOW", { requestId: "req_other" }),
  "a hold without an approval id": decided("REQUIRE_APPROVAL", { approvalId: null }),
  "a hold with an empty approval id": decided("REQUIRE_APPROVAL", { approvalId: "" }),
  "an approval id that leaves its path": decided("REQUIRE_APPROVAL", { approvalId: "../../v1/guard" }),
  "an approval id that is a dot segment": decided("REQUIRE_APPROVAL", { approvalId: ".." }),
  "an inherited decision": (request) => ({
    text: `{"__proto__":{"decision":"ALLOW"},"requestId":"${request.body.requestId}"}`,
  }),
  "401": { status: 401, json: { error: "invalid_key" } },
  "401 without a body": { status: 401, text: "" },
  "403": { status: 403, json: { error: "forbidden" } },
  "404": { status: 404, json: { error: "unknown_path" } },
  "413": { status: 413, json: { error: "too_large" } },
  "429": { status: 429, json: { error: "too_many" } },
  "an allowing body under 400": (request) => ({ ...decided("ALLOW")(request), status: 400 }),
  "a redirect": { status: 307, json: {}, headers: { location: "/elsewhere" } },
  "401 whose body never ends": { status: 401, broken: HANG_BODY },
  "401 whose body is cut": { status: 401, broken: CUT },
};

for (const [name, reply] of Object.entries(NOT_AN_ALLOW)) {
  for (const failMode of MODES) {
    test(`${name} allows nothing (fail mode ${failMode})`, async (t) => {
      const charge = tool();
      const server = await fakeServer(t, { [GUARD]: reply, "POST /elsewhere": decided("ALLOW") });
      const client = server.client({ failMode });
      const refused = await client.guard("create_charge", "stripe", null, charge).catch((error) => error);
      assert.ok(refused instanceof ShieldError, String(refused));
      assert.equal(refused.code, "UNKNOWN");
      assert.equal(charge.runs, 0);
    });
  }
}

test("the server's error code and status are on the error", async (t) => {
  const server = await fakeServer(t, { [GUARD]: { status: 401, json: { error: "invalid_key", detail: "no such key" } } });
  const refused = await server.client().guard("create_charge", "stripe", null, tool()).catch((error) => error);
  assert.equal(refused.status, 401);
  assert.equal(refused.reasonCode, "invalid_key");
  assert.match(refused.message, /the server answered 401 `invalid_key`: no such key/);
});

test("a context that is no JSON is refused before anything is sent, in fail-open mode too", async (t) => {
  const server = await fakeServer(t, { [GUARD]: decided("ALLOW"), [OUTCOME]: recorded });
  const cyclic = {};
  cyclic.self = cyclic;
  for (const context of [cyclic, { amount: 1n }]) {
    const charge = tool();
    await assert.rejects(server.client({ failMode: "open" }).guard("create_charge", "stripe", context, charge), TypeError);
    assert.equal(charge.runs, 0);
  }
  assert.equal(server.requests.length, 0);
});

test("an answer larger than any decision is not read on and allows nothing", async (t) => {
  const charge = tool();
  const text = `{"decision":"ALLOW","pad":"${"x".repeat(5 * 1024 * 1024)}"}`;
  const server = await fakeServer(t, { [GUARD]: { text } });
  await assert.rejects(server.client({ failMode: "open" }).guard("create_charge", "stripe", null, charge), { code: "UNKNOWN" });
  assert.equal(charge.runs, 0);
});

test("decide gives the server's answer, with its own and the older form of the request", async (t) => {
  const server = await fakeServer(t, { [GUARD]: decided("BLOCK", { epoch: 7 }) });
  const decision = await server.client().decide({ actionType: "create_charge", target: "stripe", requestId: "r-1" });
  assert.equal(decision.decision, "BLOCK");
  assert.equal(decision.requestId, "r-1");
  assert.equal(decision.epoch, 7);
  await server.client().decide({ action: "read_balance", target: "stripe", context: { a: 1 } });
  assert.deepEqual(server.requests[1].body.action, { type: "read_balance", target: "stripe", context: { a: 1 } });
});

test("listeners see decisions and cannot change them", async (t) => {
  const charge = tool();
  const seen = [];
  const server = await fakeServer(t, { [GUARD]: decided("ALLOW"), [OUTCOME]: recorded });
  const onDecision = (decision) => {
    seen.push(decision.decision);
    throw new Error("a broken log");
  };
  await server.client({ onDecision }).guard("create_charge", "stripe", null, charge);
  assert.deepEqual(seen, ["ALLOW"]);
  assert.equal(charge.runs, 1);
});
