/** Many guard requests over few connections, at a rate or as fast as they are answered. Pipelined; bodies are not looked at. */
import { connect } from "node:net";

const HEAD_END = "\r\n\r\n";

/** Varied calls that no rule holds for a person, so that nothing waits: [type, target, context]. */
const KINDS = [
  [9, () => ["read_balance", "stripe", {}]],
  [8, (roll) => ["process_refund", "stripe", { amount: 4 + roll(490), currency: "usd", charge: `ch_3${roll(9999)}` }]],
  [5, (roll) => ["create_charge", "stripe", { amount: 12 + roll(900), currency: "usd", customerId: `cus_${roll(999)}` }]],
  [1, (roll) => ["create_charge", "stripe", { amount: 52_000 + roll(9000), currency: "usd", customerId: "cus_211" }]],
  [9, (roll) => ["execute_query", ["orders-db", "analytics"][roll(2)], { sql: `SELECT id, status FROM orders WHERE id = ${roll(99_999)} LIMIT 10` }]],
  [7, (roll) => ["inspect_resource", "aws", { instanceId: `i-0${roll(9999)}` }]],
  [5, (roll) => ["post_message", "slack", { channel: ["#deploys", "#support", "#ops"][roll(3)], text: "Nightly run finished." }]],
  [3, () => ["sync_data", "salesforce", { direction: "pull" }]],
  [2, (roll) => ["generate_document", "docs", { template: ["offer", "invoice"][roll(2)] }]],
];
const TOTAL = KINDS.reduce((sum, [weight]) => sum + weight, 0);

function call(roll) {
  let place = roll(TOTAL);
  const [type, target, context] = (KINDS.find(([weight]) => (place -= weight) < 0) ?? KINDS[0])[1](roll);
  return { action: { type, target, context } };
}

/** Counts answers on a connection; gives back how many came with these bytes. */
function counter() {
  let rest = "";
  const seen = { ok: 0, other: 0 };
  const take = (bytes) => {
    rest += bytes.toString("latin1");
    let came = 0;
    for (;;) {
      const end = rest.indexOf(HEAD_END);
      if (end < 0) return came;
      const length = /^content-length: (\d+)\r?$/im.exec(rest.slice(0, end + 2));
      const whole = end + HEAD_END.length + Number(length?.[1] ?? 0);
      if (rest.length < whole) return came;
      if (rest.startsWith("HTTP/1.1 200")) seen.ok += 1;
      else seen.other += 1;
      rest = rest.slice(whole);
      came += 1;
    }
  };
  return { take, seen };
}

/**
 * Sends `count` calls in turn for each key. With `perSecond` no faster than that, else as fast as answers come.
 * Gives back how many were answered with 200 and how many otherwise, and how long it took.
 */
export async function load({ url, keys, count, perSecond, connections = 24, depth = 8, seed = 11 }) {
  const { hostname, port, host } = new URL(url);
  let state = seed;
  const roll = (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
  let sent = 0;
  const began = performance.now();
  const due = () => (perSecond === undefined ? count : Math.min(count, Math.ceil(((performance.now() - began) / 1000) * perSecond)));
  const request = () => {
    const body = JSON.stringify(call(roll));
    const key = keys[sent % keys.length];
    sent += 1;
    return `POST /api/v1/guard HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${key}\r\nrunplane-client: load\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  };
  const worker = () =>
    new Promise((done, failed) => {
      const socket = connect(Number(port), hostname);
      const { take, seen } = counter();
      let open = 0;
      let timer;
      const fill = () => {
        clearTimeout(timer);
        let out = "";
        while (open < depth && sent < due()) {
          out += request();
          open += 1;
        }
        if (out !== "") socket.write(out);
        if (open === 0 && sent >= count) socket.end(() => done(seen));
        else if (sent < count && open < depth) timer = setTimeout(fill, 4);
      };
      socket.on("connect", fill);
      socket.on("data", (bytes) => {
        open -= take(bytes);
        fill();
      });
      socket.on("error", failed);
      socket.on("close", () => done(seen));
    });
  const all = await Promise.all(Array.from({ length: Math.min(connections, count) }, worker));
  const seconds = (performance.now() - began) / 1000;
  return { ok: all.reduce((sum, { ok }) => sum + ok, 0), other: all.reduce((sum, { other }) => sum + other, 0), seconds };
}
