import assert from "node:assert/strict";
import { test } from "node:test";
import { CUT, decided, DROP, fakeServer, GUARD, HANG, HANG_BODY, OUTCOME, recorded, tool } from "./fake-server.mjs";

/** Ends the attempts at once. */
const NOT_SOON = { "retry-after": "60" };

/** Real inability of the server, with the code it gets in fail-closed mode. */
const OUTAGES = {
  "a cut connection": [DROP, "NETWORK_ERROR"],
  "an answer that never comes": [HANG, "TIMEOUT"],
  "an answer that never ends": [{ status: 200, broken: HANG_BODY }, "TIMEOUT"],
  "an answer cut in the middle": [{ status: 200, broken: CUT }, "NETWORK_ERROR"],
  "500": [{ status: 500, json: { error: "internal" }, headers: NOT_SOON }, "NETWORK_ERROR"],
  "503": [{ status: 503, json: { error: "store_unavailable" }, headers: NOT_SOON }, "NETWORK_ERROR"],
  "503 with an allowing body": [{ status: 503, json: { decision: "ALLOW", requestId: "r" }, headers: NOT_SOON }, "NETWORK_ERROR"],
  "502 of a proxy": [{ status: 502, text: "<html>bad gateway</html>", headers: NOT_SOON }, "NETWORK_ERROR"],
};

for (const [name, [reply, code]] of Object.entries(OUTAGES)) {
  test(`${name}: does not run in fail-closed mode`, async (t) => {
    const charge = tool();
    const server = await fakeServer(t, { [GUARD]: reply });
    await assert.rejects(server.client({ timeoutMs: 700 }).guard("create_charge", "stripe", null, charge), { code });
    assert.equal(charge.runs, 0);
  });

  test(`${name}: runs in fail-open mode, and says so`, async (t) => {
    const charge = tool();
    const said = [];
    const server = await fakeServer(t, { [GUARD]: reply, [OUTCOME]: recorded });
    const onFailOpen = (error) => said.push(error.code);
    const client = server.client({ timeoutMs: 700, failMode: "open", onFailOpen });
    assert.equal(await client.guard("create_charge", "stripe", null, charge), "done");
    assert.equal(charge.runs, 1);
    assert.deepEqual(said, [code]);
    assert.equal(server.to("POST", "/api/v1/executions/").length, 0, "nothing was allowed, so nothing is reported");
  });
}

test("nobody listening: closed refuses, open runs", async (t) => {
  const server = await fakeServer(t, {});
  await server.close();
  const charge = tool();
  await assert.rejects(server.client({ timeoutMs: 700 }).guard("create_charge", "stripe", null, charge), { code: "NETWORK_ERROR" });
  assert.equal(charge.runs, 0);
  await server.client({ timeoutMs: 700, failMode: "open" }).guard("create_charge", "stripe", null, charge);
  assert.equal(charge.runs, 1);
});

test("a lost request is repeated with the same bytes and the same request id", async (t) => {
  const charge = tool();
  const replies = [DROP, { status: 200, broken: CUT }, { status: 503, json: { error: "overloaded" } }];
  const server = await fakeServer(t, {
    [GUARD]: (request, earlier) => replies[earlier] ?? decided("ALLOW", { replayed: true })(request),
    [OUTCOME]: recorded,
  });
  await server.client().guard("create_charge", "stripe", { amount: 5 }, charge);
  const asked = server.to("POST", "/api/v1/guard");
  assert.equal(asked.length, 4);
  assert.equal(new Set(asked.map((request) => request.text)).size, 1);
  assert.equal(charge.runs, 1);
});

test("an attempt that hangs leaves time for another", async (t) => {
  const charge = tool();
  const server = await fakeServer(t, {
    [GUARD]: (request, earlier) => (earlier === 0 ? HANG : decided("ALLOW")(request)),
    [OUTCOME]: recorded,
  });
  await server.client({ timeoutMs: 3_000 }).guard("create_charge", "stripe", null, charge);
  assert.equal(server.to("POST", "/api/v1/guard").length, 2);
  assert.equal(charge.runs, 1);
});

test("a BLOCK after an outage is not overridden by fail-open", async (t) => {
  const charge = tool();
  const server = await fakeServer(t, { [GUARD]: (request, earlier) => (earlier === 0 ? DROP : decided("BLOCK")(request)) });
  await assert.rejects(server.client({ failMode: "open" }).guard("create_charge", "stripe", null, charge), { code: "BLOCKED" });
  assert.equal(charge.runs, 0);
});

test("a retry-after beyond the time limit ends the attempts at once", async (t) => {
  const server = await fakeServer(t, { [GUARD]: { status: 503, json: {}, headers: { "retry-after": "60" } } });
  const started = performance.now();
  await assert.rejects(server.client({ timeoutMs: 3_000 }).guard("a", "b", null, tool()), { code: "NETWORK_ERROR", status: 503 });
  assert.ok(performance.now() - started < 2_000);
  assert.equal(server.requests.length, 1);
});

test("attempts end within the overall time limit", async (t) => {
  const server = await fakeServer(t, { [GUARD]: HANG });
  const started = performance.now();
  await assert.rejects(server.client({ timeoutMs: 600 }).guard("a", "b", null, tool()), { code: "TIMEOUT" });
  const took = performance.now() - started;
  assert.ok(took >= 590 && took < 3_000, `took ${took} ms`);
});

test("an action too large for the server is never run unanswered", async (t) => {
  const charge = tool();
  const server = await fakeServer(t, { [GUARD]: { status: 502, text: "too large for me", headers: { "retry-after": "60" } } });
  const context = { blob: "x".repeat(1024 * 1024) };
  await assert.rejects(server.client({ failMode: "open" }).guard("a", "b", context, charge), { code: "NETWORK_ERROR", status: 502 });
  assert.equal(charge.runs, 0);
});

test("a busy program does not mistake an answer that is already here for an outage", async (t) => {
  const charge = tool();
  const server = await fakeServer(t, { [GUARD]: decided("BLOCK") });
  const { port } = new URL(server.baseUrl);
  // The answer is put on the wire by another thread, while this one is kept busy past the time limit.
  const { Worker } = await import("node:worker_threads");
  const relay = new Worker(RELAY, { eval: true, workerData: { port: Number(port) } });
  t.after(() => relay.terminate());
  const listening = await new Promise((ready) => relay.once("message", ready));
  const client = server.client({ failMode: "open", timeoutMs: 300, baseUrl: `http://127.0.0.1:${listening}` });
  const asking = client.guard("create_charge", "stripe", null, charge);
  await new Promise((turn) => relay.once("message", turn));
  const until = performance.now() + 500;
  while (performance.now() < until);
  await assert.rejects(asking, { code: "BLOCKED" });
  assert.equal(charge.runs, 0);
});

/** Answers BLOCK to any request, a moment after it has told that the request is there. */
const RELAY = `
  const { createServer } = require("node:http");
  const { parentPort } = require("node:worker_threads");
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => (text += part));
    request.on("end", () => {
      parentPort.postMessage("asked");
      setTimeout(() => response.end(JSON.stringify({ decision: "BLOCK", reason: "r", requestId: JSON.parse(text).requestId })), 50);
    });
  });
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
`;

test("decide never invents an answer, whatever the fail mode", async (t) => {
  const server = await fakeServer(t, { [GUARD]: { status: 503, json: {}, headers: NOT_SOON } });
  const client = server.client({ failMode: "open" });
  await assert.rejects(client.decide({ actionType: "create_charge", target: "stripe" }), { code: "NETWORK_ERROR" });
});
