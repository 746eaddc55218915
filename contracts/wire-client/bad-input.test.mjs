/**
 * Input that no clean answer would allow. To the open client every non-2xx is an outage, so each of these must come back as
 * 200 BLOCK (or be held): never as an error, a cut connection or silence.
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { WireClient } from "./client.mjs";
import { startServer } from "./real-server.mjs";

const TEN_MB = 10 * 1024 * 1024;

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

function nested(depth) {
  let value = "x";
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}

/** Calls a program can make with the published client. Every one names an action that clean input may run. */
const CALLS = {
  "10 MB of context": ["read_balance", "stripe", { blob: "x".repeat(TEN_MB) }],
  "20 MB of context": ["read_balance", "stripe", { blob: "x".repeat(2 * TEN_MB) }],
  "2 MB of context": ["read_balance", "stripe", { blob: "x".repeat(2 * 1024 * 1024) }],
  "context 500 levels deep": ["read_balance", "stripe", nested(500)],
  "context 2000 levels deep": ["read_balance", "stripe", nested(2_000)],
  "a lone surrogate": ["read_balance", "stripe", { text: "\ud800" }],
  "an empty action type": ["", "stripe", {}],
  "an action type with a NUL": ["read_balance\u0000", "stripe", {}],
  "an action type of 10,000 letters": ["a".repeat(10_000), "stripe", {}],
  "an empty target": ["read_balance", "", {}],
  "a target with a control character": ["read_balance", "stripe\u001b[2J", {}],
  "a target of 10,000 letters": ["read_balance", "t".repeat(10_000), {}],
  "a context that is a list": ["read_balance", "stripe", ["amount"]],
  "a context that is text": ["read_balance", "stripe", "amount"],
  "an action type that is a number": [7, "stripe", {}],
  "a target that is an object": ["read_balance", { $ne: "" }, {}],
};

for (const failMode of ["closed", "open"]) {
  for (const [name, [actionType, target, context]] of Object.entries(CALLS)) {
    test(`${name}: refused as a decision, nothing runs (${failMode})`, async () => {
      let runs = 0;
      const client = new WireClient({ baseUrl: server.baseUrl, apiKey: server.agent.key, failMode });
      const refused = client.guard(actionType, target, context, () => (runs += 1));
      await assert.rejects(refused, { code: "BLOCKED" });
      assert.equal(runs, 0);
    });
  }
}

const deep = (depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const guard = (context) => `{"action":{"type":"read_balance","target":"stripe","context":${context}}}`;

/** Bodies that only a broken or hostile program sends. */
const BODIES = {
  "nothing": "",
  "no JSON": "guard",
  "JSON cut short": '{"action":{"type":"read_balance"',
  "null": "null",
  "a list": "[]",
  "an empty object": "{}",
  "no action": '{"requestId":"r"}',
  "an action without a target": '{"action":{"type":"read_balance","context":{}}}',
  "two contexts": '{"action":{"type":"read_balance","target":"stripe","context":{},"context":{"a":1}}}',
  "two actions": `{"action":{"type":"read_balance","target":"stripe","context":{}},"action":{"type":"delete_records","target":"db","context":{}}}`,
  "a key twice after unescaping": guard('{"a":1,"\\u0061":2}'),
  "100,000 levels": guard(deep(100_000)),
  "100,000 open brackets": "[".repeat(100_000),
  "a number without end": guard(`{"n":${"9".repeat(100_000)}}`),
  "a number beyond any double": guard('{"n":1e400}'),
  "a number two doubles could mean": guard('{"n":9007199254740993}'),
  "a request id that is a number": '{"action":{"type":"read_balance","target":"stripe","context":{}},"requestId":7}',
  "an empty request id": '{"action":{"type":"read_balance","target":"stripe","context":{}},"requestId":""}',
  "a request id of 200 characters": `{"action":{"type":"read_balance","target":"stripe","context":{}},"requestId":"${"r".repeat(200)}"}`,
  "10 MB of spaces": " ".repeat(TEN_MB),
  "10 MB of one string": guard(`{"blob":"${"x".repeat(TEN_MB)}"}`),
};

for (const [name, text] of Object.entries(BODIES)) {
  test(`body: ${name}: 200 BLOCK with a reason code`, async () => {
    for (const path of ["/api/v1/guard", "/api/decide"]) {
      const answer = await server.request("POST", path, { key: server.agent.key, text });
      assert.equal(answer.status, 200, `${path}: ${answer.text.slice(0, 200)}`);
      assert.equal(answer.body.decision, "BLOCK");
      assert.match(answer.body.reasonCode, /^[a-z][a-z0-9_]*$/);
      assert.equal(typeof answer.body.requestId, "string");
      assert.equal(answer.body.approvalId, null);
    }
  });
}

test("bytes that are no UTF-8 are a BLOCK", async () => {
  const body = Buffer.concat([Buffer.from('{"action":{"type":"read_balance","target":"stripe","context":{"t":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}}}')]);
  const headers = { authorization: `Bearer ${server.agent.key}`, "content-type": "application/json" };
  const response = await fetch(`${server.baseUrl}/api/v1/guard`, { method: "POST", headers, body });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).decision, "BLOCK");
});

test("a body that never ends is refused before the client's 3 s are over", async () => {
  const headers = { authorization: `Bearer ${server.agent.key}`, "content-type": "application/json", "content-length": "4096" };
  const started = performance.now();
  const { status, text } = await new Promise((answered, failed) => {
    const asking = request(`${server.baseUrl}/api/v1/guard`, { method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => {
        answered({ status: response.statusCode, text });
        asking.destroy();
      });
    });
    asking.once("error", failed);
    asking.write('{"action":{"type":"read_balance"');
  });
  assert.ok(performance.now() - started < 3_000);
  assert.equal(status, 200);
  assert.equal(JSON.parse(text).decision, "BLOCK");
});

test("a flood of approvals ends in BLOCK, not in an error", async () => {
  await server.settings({ limits: { openApprovalsPerAgent: 3 } });
  const agent = await server.createAgent("flood");
  const client = new WireClient({ baseUrl: server.baseUrl, apiKey: agent.key });
  const decisions = [];
  for (let n = 0; n < 5; n += 1) {
    const { decision } = await client.decide({ actionType: "terminate_instance", target: "aws", context: { instanceId: `i-${n}` } });
    decisions.push(decision);
  }
  assert.deepEqual(decisions, ["REQUIRE_APPROVAL", "REQUIRE_APPROVAL", "REQUIRE_APPROVAL", "BLOCK", "BLOCK"]);
});

test("answers outside the guard are JSON with an error code too", async () => {
  for (const [method, path] of [["POST", "/"], ["GET", "/api/v1/nothing"], ["GET", "/api/v1/guard"], ["DELETE", "/api/audit/verify"]]) {
    const answer = await server.request(method, path, { key: server.agent.key });
    assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${path} ${answer.status}`);
    assert.equal(typeof answer.body?.error, "string", `${method} ${path} ${answer.text}`);
  }
});

test("after all of it the server is healthy, and a clean call is answered as ever", async () => {
  const client = new WireClient({ baseUrl: server.baseUrl, apiKey: server.agent.key, failMode: "open" });
  assert.equal((await server.request("GET", "/healthz")).status, 200);
  assert.equal((await client.decide({ actionType: "read_balance", target: "stripe" })).decision, "ALLOW");
  assert.equal((await client.verifyAuditChain()).valid, true);
});
