import assert from "node:assert/strict";
import { test } from "node:test";
import { decided, DROP, fakeServer, GUARD, HANG, OUTCOME, recorded, tool } from "./fake-server.mjs";

const ALLOWED = { [GUARD]: decided("ALLOW") };

test("success is reported under the id of the decision", async (t) => {
  const server = await fakeServer(t, { ...ALLOWED, [OUTCOME]: recorded });
  await server.client().guard("create_charge", "stripe", null, tool());
  const [report] = server.to("POST", "/api/v1/executions/");
  assert.equal(report.path, `/api/v1/executions/${server.requests[0].body.requestId}`);
  assert.deepEqual(report.body, { status: "succeeded" });
});

test("the callback's own error passes through as the same object, and is reported without its text", async (t) => {
  const server = await fakeServer(t, { ...ALLOWED, [OUTCOME]: recorded });
  for (const thrown of [new RangeError("card 4242 was declined"), "a string", null, { code: "BLOCKED" }]) {
    const caught = await server
      .client()
      .guard("create_charge", "stripe", null, () => Promise.reject(thrown))
      .then(
        () => assert.fail("it must reject"),
        (error) => error,
      );
    assert.equal(caught, thrown);
  }
  const reports = server.to("POST", "/api/v1/executions/").map((request) => request.body);
  assert.deepEqual(reports[0], { status: "failed", detail: "RangeError" });
  assert.deepEqual(
    reports.map((report) => report.status),
    ["failed", "failed", "failed", "failed"],
  );
});

test("a callback that throws at once is reported as failed", async (t) => {
  const server = await fakeServer(t, { ...ALLOWED, [OUTCOME]: recorded });
  const broken = new TypeError("x is not a function");
  const run = () => {
    throw broken;
  };
  await assert.rejects(server.client().guard("create_charge", "stripe", null, run), (error) => error === broken);
  assert.equal(server.to("POST", "/api/v1/executions/")[0].body.status, "failed");
});

for (const [name, reply] of Object.entries({
  "refused": { status: 409, json: { error: "outcome_conflict" } },
  "unreadable": { text: "<html>" },
  "401": { status: 401, json: { error: "invalid_key" } },
  "cut": DROP,
  "503": { status: 503, json: {} },
  "silent": HANG,
})) {
  test(`a report that fails (${name}) changes neither the result nor the error`, async (t) => {
    const server = await fakeServer(t, { ...ALLOWED, [OUTCOME]: reply });
    const client = server.client({ outcomeWaitMs: 50 });
    assert.equal(await client.guard("create_charge", "stripe", null, tool("kept")), "kept");
    const broken = new Error("the tool's own");
    await assert.rejects(
      client.guard("create_charge", "stripe", null, () => Promise.reject(broken)),
      (error) => error === broken,
    );
  });
}

test("guard waits for its report no longer than outcomeWaitMs", async (t) => {
  const server = await fakeServer(t, { ...ALLOWED, [OUTCOME]: HANG });
  const started = performance.now();
  await server.client({ outcomeWaitMs: 60 }).guard("create_charge", "stripe", null, tool());
  const took = performance.now() - started;
  assert.ok(took >= 55 && took < 1_000, `took ${took} ms`);
});

test("a lost report is repeated behind the result", async (t) => {
  let tell;
  const arrived = new Promise((resolve) => (tell = resolve));
  const server = await fakeServer(t, {
    ...ALLOWED,
    [OUTCOME]: (request, earlier) => {
      if (earlier < 2) return DROP;
      tell(request.body.status);
      return recorded(request);
    },
  });
  await server.client({ outcomeWaitMs: 0 }).guard("create_charge", "stripe", null, tool());
  assert.ok(server.to("POST", "/api/v1/executions/").length < 3, "guard did not wait for the report");
  assert.equal(await arrived, "succeeded");
});

test("reportOutcome tells what was recorded, or why not", async (t) => {
  const server = await fakeServer(t, {
    "POST /api/v1/executions/req_1": recorded,
    "POST /api/v1/executions/req_2": { status: 409, json: { error: "outcome_conflict" } },
  });
  const record = await server.client().reportOutcome("req_1", "unknown", "the process died");
  assert.equal(record.status, "unknown");
  assert.deepEqual(server.requests[0].body, { status: "unknown", detail: "the process died" });
  await assert.rejects(server.client().reportOutcome("req_2", "failed"), { code: "UNKNOWN", status: 409, reasonCode: "outcome_conflict" });
});
