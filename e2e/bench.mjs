/**
 * `make bench-web`: the dashboard over many decisions and a busy stream, in real Chromium against the real binary.
 *
 *   RUNPLANE_BIN=…/release/runplane node e2e/bench.mjs [--rows 1000000] [--rate 1000] [--seconds 15] [--json FILE]
 *                                                      [--data FOLDER] [--only seed]
 *
 * Writes the rows through the guard endpoint first, which takes some minutes for a million. With a folder they are kept
 * and written once: `--only seed` writes them, a run after that measures.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { api, openPage, startBrowser, startServer } from "./harness.mjs";
import { load } from "./load.mjs";
import { interact, observe, quantile, scrollThrough } from "./measure.mjs";
import { AGENTS } from "./seed.mjs";

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
}

const rows = Number(option("rows", "1000000"));
const rate = Number(option("rate", "1000"));
const seconds = Number(option("seconds", "15"));
const found = {};
const tell = (name, value) => {
  found[name] = value;
  console.log(name.padEnd(34), JSON.stringify(value));
};

const kept = option("data", undefined);
if (kept !== undefined) mkdirSync(kept, { recursive: true });
const server = await startServer({ kept });
const browser = await startBrowser();
try {
  const ask = api(server);
  const keys = [];
  const known = (await ask("GET", "/api/v1/agents")).agents;
  for (const agent of AGENTS) {
    const id = known.find(({ name }) => name === agent.name)?.id;
    keys.push(id === undefined ? (await ask("POST", "/api/v1/agents", agent)).key.key : (await ask("POST", `/api/v1/agents/${id}/keys`, {})).key);
  }
  const there = (await ask("GET", "/api/v1/decisions?limit=1")).ledgerSize;
  if (there < rows) tell("seeded", await load({ url: server.url, keys, count: rows - there, connections: 48, depth: 16 }));
  for (;;) {
    const { projectedTo, ledgerSize } = await ask("GET", "/api/v1/decisions?limit=1");
    if (projectedTo === ledgerSize) break;
    await new Promise((done) => setTimeout(done, 500));
  }
  tell("decisions listed", (await ask("GET", "/api/v1/decisions?limit=1")).projectedTo);
  if (option("only", "") === "seed") process.exit(await server.stop());

  const timed = async (path) => {
    const times = [];
    for (let run = 0; run < 5; run += 1) {
      const begin = performance.now();
      await ask("GET", path);
      times.push(performance.now() - begin);
    }
    return Math.round(times.sort((a, b) => a - b)[2] * 10) / 10;
  };
  tell("list, newest 100, ms", await timed("/api/v1/decisions?limit=100"));
  tell("list, from the middle, ms", await timed(`/api/v1/decisions?limit=100&cursor=${Math.floor(rows / 2)}`));
  tell("search, found at once, ms", await timed("/api/v1/decisions?limit=100&q=refund%20stripe"));
  tell("search, nothing in 20,000, ms", await timed("/api/v1/decisions?limit=100&q=nothing-like-this"));
  tell("statistics of 30 days, ms", await timed(`/api/v1/statistics?from=${new Date(Date.now() - 30 * 86_400_000).toISOString()}`));
  tell("hits of a policy, 31 days, ms", await timed("/api/v1/policies/payments/hits?within=31d"));

  const { page } = await openPage(browser, server.url, { reducedMotion: "no-preference" });
  await page.addInitScript(observe);
  await page.goto(server.setupUrl);
  await page.getByLabel("User name").fill("ada");
  await page.getByLabel("Your name").fill("Ada Lovelace");
  await page.locator("input[name=password]").fill("a quiet engine of brass");
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();

  for (const [path, shown] of [["/", "h1"], ["/decisions", "[role=row]"], ["/approvals", "h1"]]) {
    const times = [];
    for (let run = 0; run < 9; run += 1) {
      await page.goto(path, { waitUntil: "commit" });
      await page.locator(shown).first().waitFor();
      // Painted and answering: the heading is there and nothing that runs keeps the page from taking a key.
      times.push(await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))));
    }
    tell(`interactive: ${path}, ms`, Math.round(quantile(times.sort((a, b) => a - b), 0.5)));
  }

  await page.goto("/decisions");
  await page.getByRole("row").first().waitFor();
  tell("scroll, 1,000 px/s", await scrollThrough(page, { seconds, pixels: 17 }));
  tell("scroll, 30,000 px/s", await scrollThrough(page, { seconds, pixels: 500 }));
  tell("heap after scrolling, MB", await page.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 1e6)));
  const begin = performance.now();
  await page.goto("/decisions?q=nothing-like-this");
  await page.getByText("No decision fits").waitFor({ timeout: 120_000 });
  tell("search of everything in the page, ms", Math.round(performance.now() - begin));

  const busy = async (name, path, act, hearsAll = false) => {
    await page.goto(path);
    await page.locator("main h1").waitFor();
    // The page needs no event per decision; here it takes in every one.
    if (hearsAll) await page.evaluate(() => new EventSource("/api/v1/events").addEventListener("decision", ({ data }) => JSON.parse(data)));
    await page.waitForTimeout(500);
    const [sent, felt] = await Promise.all([load({ url: server.url, keys, count: rate * seconds, perSecond: rate }), interact(page, 30, act)]);
    tell(`${rate} events/s, ${name}`, { perSecond: Math.round(sent.ok / sent.seconds), ...felt });
  };
  const pause = () => page.waitForTimeout((seconds * 1000) / 40);
  await busy("decisions", "/decisions", async (time) => {
    if (time % 2 === 0) await page.getByRole("row").nth(3).click();
    else await page.keyboard.press("Escape");
    await pause();
  });
  await busy("overview", "/", async (time) => {
    await page.getByRole("radiogroup", { name: "Time" }).locator("label").nth(time % 3).click();
    await pause();
  });
  await busy("approvals", "/approvals", async () => {
    await page.getByRole("button", { name: /Account of/ }).click();
    await page.keyboard.press("Escape");
    await pause();
  });
  await busy("decisions, each told to the page", "/decisions", async () => {
    await page.getByRole("button", { name: /Account of/ }).click();
    await page.keyboard.press("Escape");
    await pause();
  }, true);

  const answers = async () => {
    const times = [];
    for (let call = 0; call < 400; call += 1) {
      const begin = performance.now();
      const response = await fetch(`${server.url}/api/v1/guard`, {
        method: "POST", headers: { authorization: `Bearer ${keys[0]}`, "runplane-client": "bench", "content-type": "application/json" },
        body: JSON.stringify({ action: { type: "read_balance", target: "stripe", context: {} } }),
      });
      await response.arrayBuffer();
      times.push(performance.now() - begin);
    }
    times.sort((a, b) => a - b);
    return { p50: Math.round(quantile(times, 0.5) * 100) / 100, p99: Math.round(quantile(times, 0.99) * 100) / 100 };
  };
  tell("guard, nobody listens, ms", await answers());
  const ended = new AbortController();
  const listeners = await Promise.all(keys.flatMap((key) => Array.from({ length: 40 }, () => fetch(`${server.url}/api/v1/events`, { headers: { authorization: `Bearer ${key}` }, signal: ended.signal }))));
  tell(`guard, ${listeners.length} listeners that do not read, ms`, await answers());
  ended.abort();
  const file = option("json", undefined);
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
} finally {
  await browser.close();
  await server.stop();
}
