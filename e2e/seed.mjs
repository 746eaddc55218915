/**
 * Fills a running server with believable traffic, through the same endpoint that agents use.
 *
 *   node e2e/seed.mjs --url http://127.0.0.1:7070 --data .runplane [--calls 600] [--leave-open 14]
 *
 * Needs the admin token of `runplane dev` (read from the data folder) or RUNPLANE_ADMIN_TOKEN. Everything it writes is
 * recorded like any other action; use it on a folder made for trying things out.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A small deterministic generator, so that two runs make the same traffic. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const AGENTS = [
  { name: "refund-desk", environment: "production", labels: ["refund-desk", "tier-1"], source: "stripe" },
  { name: "data-janitor", environment: "production", labels: ["nightly"] },
  { name: "release-pilot", environment: "production", labels: ["ci"] },
  { name: "inbox-assistant", environment: "production", labels: ["support"] },
  { name: "crm-sync", environment: "staging", labels: ["nightly"] },
  { name: "back-office", environment: "production", labels: ["finance"] },
];

const QUERIES = [
  "SELECT id, status FROM orders WHERE placed_at > now() - interval '1 day' LIMIT 100",
  "SELECT count(*) FROM sessions",
  "UPDATE carts SET state = 'abandoned' WHERE touched_at < now() - interval '30 days'",
  "DELETE FROM sessions WHERE expires_at < now()",
  "SELECT email, full_name FROM customers",
  "WITH gone AS (DELETE FROM invites WHERE used RETURNING id) SELECT count(*) FROM gone",
];

/** One call: the agent it belongs to, its type, its target, its arguments. */
function* calls(random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const whole = (from, to) => from + Math.floor(random() * (to - from + 1));
  const kinds = [
    [9, () => [0, "read_balance", "stripe", {}]],
    [8, () => [0, "process_refund", "stripe", { amount: whole(4, 499), currency: "usd", charge: `ch_3${whole(1000, 9999)}` }]],
    [2, () => [0, "process_refund", "stripe", { amount: whole(520, 2400), currency: "usd", charge: `ch_3${whole(1000, 9999)}`, reason: pick(["Damaged on arrival", "Duplicate charge", "Customer asked twice"]) }]],
    [5, () => [5, "create_charge", "stripe", { amount: whole(12, 980), currency: "usd", customerId: `cus_${whole(100, 999)}` }]],
    [1, () => [5, "create_charge", "stripe", { amount: whole(1200, 48000), currency: "usd", customerId: `cus_${whole(100, 999)}` }]],
    [0.4, () => [5, "create_charge", "stripe", { amount: whole(52000, 90000), currency: "usd", customerId: "cus_211" }]],
    [0.5, () => [5, "transfer_funds", "bank", { amount: whole(900, 20000), currency: "eur", destination: `DE${whole(10, 99)}370400440532013000` }]],
    [10, () => [1, "execute_query", pick(["orders-db", "analytics"]), { sql: pick(QUERIES.slice(0, 2)) }]],
    [3, () => [1, "execute_query", "orders-db", { sql: pick(QUERIES) }]],
    [2, () => [1, "bulk_update", "staging-db", { table: "users", count: whole(5, 90), environment: "staging" }]],
    [1, () => [1, "modify_schema", "prod-db", { table: pick(["users", "orders"]), change: "add column locale text" }]],
    [0.6, () => [1, "delete_records", "users-database", { table: "users", where: "inactive", environment: "production" }]],
    [7, () => [2, "inspect_resource", "aws", { instanceId: `i-0${whole(1000, 9999)}` }]],
    [3, () => [2, "deploy_service", "kubernetes", { service: pick(["web", "api", "worker"]), environment: "production", percent: pick([5, 10]) }]],
    [1, () => [2, "deploy_service", "kubernetes", { service: pick(["web", "api"]), environment: "production", percent: 100 }]],
    [0.5, () => [2, "terminate_instance", "aws", { instanceId: `i-0${whole(1000, 9999)}` }]],
    [0.4, () => [2, "modify_security", "aws", { groupId: "sg-017", ingress: "0.0.0.0/0:22" }]],
    [6, () => [3, "post_message", "slack", { channel: pick(["#deploys", "#support", "#ops"]), text: pick(["Done.", "Nightly run finished.", "Ticket 4821 was closed."]) }]],
    [2, () => [3, "send_email", "smtp", { to: [pick(["mara@customer.example", "li@buyer.example", "sam@partner.example"])], subject: pick(["Your order", "Offer", "Re: invoice 2291"]), body: "As agreed on the phone." }]],
    [0.3, () => [3, "broadcast_notification", "push", { audience: "all-users", text: "We are back." }]],
    [4, () => [4, "sync_data", "salesforce", { direction: "pull" }]],
    [1, () => [4, "sync_data", "salesforce", { direction: "push", records: whole(10, 400) }]],
    [1, () => [4, "call_api", "github", { method: "POST", url: "https://api.github.com/repos/acme/web/issues", body: { title: "Flaky test" } }]],
    [0.3, () => [4, "manage_oauth_token", "github", { scope: "repo" }]],
    [3, () => [5, "generate_document", "docs", { template: pick(["offer", "invoice"]) }]],
    [2, () => [5, "export_data", "warehouse", { destination: "internal", rows: whole(50, 800) }]],
    [0.4, () => [5, "export_data", "warehouse", { destination: "external", rows: whole(50, 800) }]],
    [1, () => [5, "modify_record", "crm", { recordType: pick(["note", "contract"]), recordId: `r_${whole(1, 99)}` }]],
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
  for (;;) {
    let place = random() * total;
    const kind = kinds.find(([weight]) => (place -= weight) < 0) ?? kinds[0];
    const [agent, type, target, context] = kind[1]();
    yield { agent, type, target, context };
  }
}

/** Asks, decides part of what is held, redeems and reports; gives back how many of each outcome there were. */
export async function seed({ url, token, count = 600, leaveOpen = 14, seed: start = 7, log = () => {} }) {
  const call = async (method, path, body, credential = token) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${credential}`, "runplane-client": "seed", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };

  const random = generator(start);
  const existing = (await call("GET", "/api/v1/agents")).agents;
  const keys = [];
  for (const agent of AGENTS) {
    const known = existing.find(({ name }) => name === agent.name);
    keys.push(
      known
        ? (await call("POST", `/api/v1/agents/${known.id}/keys`, {})).key
        : (await call("POST", "/api/v1/agents", agent)).key.key,
    );
  }

  const outcomes = { ALLOW: 0, REQUIRE_APPROVAL: 0, BLOCK: 0 };
  const held = [];
  const traffic = calls(random);
  for (let done = 0; done < count; ) {
    const some = Array.from({ length: Math.min(16, count - done) }, () => traffic.next().value);
    done += some.length;
    await Promise.all(
      some.map(async ({ agent, type, target, context }) => {
        const answer = await call("POST", "/api/v1/guard", { action: { type, target, context } }, keys[agent]);
        outcomes[answer.decision] += 1;
        if (answer.decision === "REQUIRE_APPROVAL") held.push({ id: answer.approvalId, requestId: answer.requestId, agent });
        else if (answer.decision === "ALLOW" && random() < 0.7) {
          const status = random() < 0.96 ? "succeeded" : "failed";
          const detail = status === "failed" ? "the upstream answered 502" : undefined;
          await call("POST", `/api/v1/executions/${answer.requestId}`, { status, detail }, keys[agent]);
        }
      }),
    );
    if (done % 160 === 0) log(`${done} of ${count} calls`);
  }

  for (const { id, requestId, agent } of held.slice(0, Math.max(0, held.length - leaveOpen))) {
    const denied = random() < 0.25;
    const comment = denied ? "Not without a ticket" : random() < 0.4 ? "Checked with the customer" : undefined;
    await call("POST", `/api/v1/approvals/${id}/${denied ? "deny" : "approve"}`, { comment });
    if (denied || random() < 0.1) continue;
    const answer = await call("POST", `/api/v1/approvals/${id}/redeem`, { redemptionId: `seed-${id}` }, keys[agent]);
    if (answer.decision === "ALLOW") await call("POST", `/api/v1/executions/${requestId}`, { status: "succeeded" }, keys[agent]);
  }
  return outcomes;
}

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const data = option("data", ".runplane");
  const token = process.env.RUNPLANE_ADMIN_TOKEN ?? JSON.parse(readFileSync(join(data, "dev-keys.json"), "utf8")).adminToken;
  const outcomes = await seed({
    url: option("url", "http://127.0.0.1:7070"),
    token,
    count: Number(option("calls", "600")),
    leaveOpen: Number(option("leave-open", "14")),
    log: console.log,
  });
  console.log(outcomes);
}
