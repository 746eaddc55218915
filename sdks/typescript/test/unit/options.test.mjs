import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as runplane from "runplane";
import { decided, fakeServer, GUARD, OUTCOME, recorded, tool } from "./fake-server.mjs";

const { Runplane, RunplaneError, Shield, ShieldError, GuardBlockedError, GuardDeniedError } = runplane;

test("older names are the same classes", () => {
  assert.equal(Runplane, Shield);
  assert.equal(RunplaneError, ShieldError);
  assert.ok(new GuardBlockedError("m") instanceof ShieldError);
  assert.ok(new GuardDeniedError("m") instanceof RunplaneError);
  assert.equal(new GuardBlockedError("m").code, "BLOCKED");
  assert.equal(new GuardDeniedError("m").code, "DENIED");
  assert.equal(new ShieldError("TIMEOUT", "m", { requestId: "r" }).requestId, "r");
  assert.equal(new ShieldError("TIMEOUT", "m").name, "ShieldError");
});

test("CommonJS programs get the same names", async (t) => {
  const required = createRequire(import.meta.url)("runplane");
  assert.deepEqual(Object.keys(required).sort(), Object.keys(runplane).sort());
  const charge = tool();
  const server = await fakeServer(t, { [GUARD]: decided("ALLOW"), [OUTCOME]: recorded });
  await new required.Shield({ baseUrl: server.baseUrl, apiKey: "k" }).guard("a", "b", null, charge);
  assert.equal(charge.runs, 1);
});

test("the version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  assert.equal(runplane.VERSION, manifest.version);
  assert.equal(manifest.dependencies, undefined, "no runtime dependency");
  for (const script of ["preinstall", "install", "postinstall", "prepare"]) assert.equal(manifest.scripts[script], undefined);
});

test("an option that is wrong is refused when the client is made", () => {
  const wrong = {
    "no key": { apiKey: undefined },
    "an empty key": { apiKey: "" },
    "a key with a line break": { apiKey: "rpk\r\nx: y" },
    "a key with a space": { apiKey: "Bearer rpk" },
    "a key outside ASCII": { apiKey: "rpк" },
    "no address": { baseUrl: "here" },
    "another scheme": { baseUrl: "ftp://127.0.0.1" },
    "an address with a password": { baseUrl: "http://a:b@127.0.0.1" },
    "an address with a query": { baseUrl: "http://127.0.0.1/?a=1" },
    "a misspelt fail mode": { failMode: "opne" },
    "a fail mode in capitals": { failMode: "OPEN" },
    "null as fail mode": { failMode: null },
    "no time": { timeoutMs: 0 },
    "negative time": { timeoutMs: -1 },
    "no number": { timeoutMs: Number.NaN },
    "text": { timeoutMs: "3000" },
    "more than a timer can hold": { approvalTimeoutMs: 2 ** 31 },
    "endless": { approvalTimeoutMs: Number.POSITIVE_INFINITY },
    "an interval of none": { approvalPollIntervalMs: 0 },
    "a fetch that is none": { fetch: "fetch" },
  };
  for (const [name, options] of Object.entries(wrong)) {
    assert.throws(() => new Shield({ baseUrl: "http://127.0.0.1:1", apiKey: "k", ...options }), TypeError, name);
  }
});

test("address and key come from the environment when they are not given", async (t) => {
  const server = await fakeServer(t, { [GUARD]: decided("ALLOW"), [OUTCOME]: recorded });
  process.env.RUNPLANE_BASE_URL = `${server.baseUrl}/`;
  process.env.RUNPLANE_API_KEY = "rpk_env";
  t.after(() => {
    delete process.env.RUNPLANE_BASE_URL;
    delete process.env.RUNPLANE_API_KEY;
  });
  await new Runplane().guard("a", "b", null, tool());
  assert.equal(server.requests[0].headers.authorization, "Bearer rpk_env");
  await new Runplane({ apiKey: "rpk_own" }).guard("a", "b", null, tool());
  assert.equal(server.to("POST", "/api/v1/guard")[1].headers.authorization, "Bearer rpk_own");
});

test("without an address the local default is asked", async () => {
  const asked = [];
  const fetch = (url) => {
    asked.push(url);
    return Promise.resolve(Response.json({ error: "x" }, { status: 400 }));
  };
  await assert.rejects(new Runplane({ apiKey: "k", fetch }).verifyAuditChain(), { code: "UNKNOWN" });
  assert.deepEqual(asked, ["http://127.0.0.1:7070/api/audit/verify"]);
});

test("an address may have a path in front", async (t) => {
  const server = await fakeServer(t, { "GET /runplane/api/audit/verify": { json: { valid: true, chainLength: 3 } } });
  const client = new Shield({ baseUrl: `${server.baseUrl}/runplane/`, apiKey: "k" });
  assert.deepEqual(await client.verifyAuditChain(), { valid: true, chainLength: 3 });
});

test("verifyAuditChain gives the server's finding or throws", async (t) => {
  const broken = { json: { valid: false, brokenAt: "17", chainLength: 20 } };
  const replies = [broken, { status: 401, json: { error: "invalid_key" } }, { json: { valid: "yes" } }, { status: 500, json: {} }];
  const server = await fakeServer(t, { "GET /api/audit/verify": replies });
  assert.deepEqual(await server.client().verifyAuditChain(), broken.json);
  await assert.rejects(server.client().verifyAuditChain(), { code: "UNKNOWN", status: 401 });
  await assert.rejects(server.client().verifyAuditChain(), { code: "UNKNOWN" });
  await assert.rejects(server.client().verifyAuditChain(), { code: "NETWORK_ERROR", status: 500 });
});

test("a fetch that ignores its signal, or throws, is bounded and classified like any other", async () => {
  const never = () => new Promise(() => undefined);
  const throws = () => {
    throw new Error("no such proxy");
  };
  const make = (fetch) => new Shield({ baseUrl: "http://127.0.0.1:1", apiKey: "k", timeoutMs: 150, fetch });
  await assert.rejects(make(never).guard("a", "b", null, tool()), { code: "TIMEOUT" });
  await assert.rejects(make(throws).guard("a", "b", null, tool()), { code: "NETWORK_ERROR" });
});

test("guard takes a function and strings only", async () => {
  const client = new Shield({ baseUrl: "http://127.0.0.1:1", apiKey: "k", failMode: "open" });
  const charge = tool();
  await assert.rejects(client.guard("a", "b", null, undefined), TypeError);
  await assert.rejects(client.guard(undefined, "b", null, charge), TypeError);
  await assert.rejects(client.guard("a", 7, null, charge), TypeError);
  assert.equal(charge.runs, 0);
});
