/**
 * A small HTTP server under the test's full control, for answers and failures that a real server gives only by accident.
 */
import { createServer } from "node:http";
import { Runplane } from "runplane";

/** Answers that are no answers. */
export const DROP = Symbol("the connection is cut before the answer");
export const CUT = Symbol("the connection is cut in the middle of the body");
export const HANG = Symbol("nothing ever comes");
export const HANG_BODY = Symbol("headers come, the body never ends");

/**
 * Starts a server. `routes` maps `METHOD /path` (without the query; `*` at the end matches any rest) to a list of replies or
 * a function of the request that returns one. Of a list, the last reply repeats.
 * A reply is `{ status?, json?, text?, headers? }` or one of the symbols above (`{ status, broken: CUT | HANG_BODY }`).
 */
export async function fakeServer(t, routes) {
  const requests = [];
  const open = new Set();
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (part) => (text += part));
    request.on("end", () => {
      const path = request.url.split("?")[0];
      const seen = { method: request.method, url: request.url, path, headers: request.headers, text };
      seen.body = text === "" ? undefined : JSON.parse(text);
      const earlier = requests.filter((other) => other.method === seen.method && other.path === path).length;
      requests.push(seen);
      reply(response, request.socket, choose(routes, seen, earlier));
    });
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const close = () => {
    for (const socket of open) socket.destroy();
    return new Promise((closed) => server.close(closed));
  };
  t.after(close);
  const baseUrl = `http://127.0.0.1:${server.address().port}`;
  // The first `fetch` of a process loads much: that time belongs to no test.
  await (await fetch(`${baseUrl}/warm-up`)).text();
  requests.length = 0;
  return {
    baseUrl,
    requests,
    close,
    to: (method, path) => requests.filter((request) => request.method === method && request.path.startsWith(path)),
    client: (options) => new Runplane({ baseUrl, apiKey: "rpk_test", approvalPollIntervalMs: 5, ...options }),
  };
}

function choose(routes, seen, earlier) {
  const name = `${seen.method} ${seen.path}`;
  const key = Object.keys(routes).find((route) => (route.endsWith("*") ? name.startsWith(route.slice(0, -1)) : route === name));
  if (key === undefined) return { status: 404, json: { error: "unknown_path" } };
  const replies = routes[key];
  if (typeof replies === "function") return replies(seen, earlier);
  return Array.isArray(replies) ? replies[Math.min(earlier, replies.length - 1)] : replies;
}

function reply(response, socket, what) {
  if (what === HANG) return;
  if (what === DROP) return void socket.destroy();
  const status = what.status ?? 200;
  const text = what.text ?? JSON.stringify(what.json);
  if (what.broken === undefined) {
    response.writeHead(status, { "content-type": "application/json", ...what.headers });
    return void response.end(text);
  }
  response.writeHead(status, { "content-type": "application/json", "content-length": "4096" });
  response.write(text ?? "{");
  if (what.broken === CUT) setImmediate(() => socket.destroy());
}

/** A decision with the id of the request it answers. */
export function decided(decision, more = {}) {
  return (request) => ({
    json: {
      decision,
      reason: "because",
      requestId: request.body.requestId,
      approvalId: decision === "REQUIRE_APPROVAL" ? "apr_1" : null,
      matchedRule: "pack/rule",
      riskScore: 12,
      severity: "low",
      ...more,
    },
  });
}

export const GUARD = "POST /api/v1/guard";
export const APPROVAL = "GET /api/v1/approvals/apr_1";
export const REDEEM = "POST /api/v1/approvals/apr_1/redeem";
export const OUTCOME = "POST /api/v1/executions/*";

/** The server's answer to an outcome report. */
export function recorded(request) {
  return { json: { requestId: request.path.split("/").at(-1), status: request.body.status, recordedAt: "2026-01-01T00:00:00Z" } };
}

/** A tool that counts its runs. */
export function tool(result = "done") {
  const run = () => {
    run.runs += 1;
    return result;
  };
  run.runs = 0;
  return run;
}
