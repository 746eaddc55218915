/** The real binary on an empty folder, a real browser in front of it, and what must hold on every page. */
import { Runplane } from "../sdks/typescript/dist/index.mjs";
import { AxeBuilder } from "@axe-core/playwright";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { binary } from "../contracts/wire-client/real-server.mjs";

const CHROMIUM = process.env.RUNPLANE_CHROMIUM ?? "/usr/bin/chromium";
const SCREENS = join(import.meta.dirname, "screens");
const START_WITHIN_MS = 30_000;

/**
 * On an empty folder that goes with it, or on one that is kept; on a free port, or where it was before. RUNPLANE_E2E_DATABASE
 * names an empty PostgreSQL database to run on instead of the embedded one.
 */
export async function startServer({ kept, port } = {}) {
  const folder = kept ?? (await mkdtemp(join(tmpdir(), "runplane-e2e-")));
  const database = process.env.RUNPLANE_E2E_DATABASE;
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith("RUNPLANE_")) delete env[name];
  const data = join(folder, "data");
  const child = spawn(binary(), ["dev", "--data", data, "--listen", `127.0.0.1:${port ?? (await freePort())}`, "--json", ...(database === undefined ? [] : ["--database", database])], { env, stdio: ["ignore", "pipe", "pipe"] });
  process.once("exit", () => child.kill("SIGKILL"));
  let out = "";
  const announced = new Promise((done, failed) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        out += text;
        if (stream !== child.stdout) return;
        try {
          done(JSON.parse(out.slice(out.indexOf("{"))));
        } catch {
          // Not all of it is there yet.
        }
      });
    }
    child.once("exit", (code) => failed(new Error(`the server stopped with ${code}:\n${out}`)));
    setTimeout(() => failed(new Error(`the server did not say that it listens:\n${out}`)), START_WITHIN_MS).unref();
  });
  const { url, setupUrl, adminToken, agentKey, agentId } = await announced;
  const stop = async () => {
    child.kill("SIGTERM");
    await new Promise((done) => child.once("exit", done));
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  };
  return { url, setupUrl, token: adminToken, agentKey, agentId, stop };
}

function freePort() {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export async function startBrowser() {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`missing: ${CHROMIUM} — apt-get install chromium   (or name another one in RUNPLANE_CHROMIUM)`);
  }
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
}

/**
 * A page whose mistakes are kept, as are those of every other page of its context: errors on the console, uncaught errors,
 * requests to anybody else. `expects` is an error on the console that the test brings about.
 */
export async function openPage(browser, base, { expects, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: base, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(30_000);
  const wrong = [];
  context.on("page", (page) => watch(page, base, wrong, expects));
  return { context, page: await context.newPage(), wrong };
}

function watch(page, base, wrong, expects) {
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    // The browser itself notes answers that are refusals; tests that want a refusal look at what the page says.
    if (/^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text()) && page.expectsRefusals === true) return;
    if (expects?.test(message.text())) return;
    wrong.push(`console: ${message.text()} ${message.location().url} (${page.url()})`);
  });
  page.on("pageerror", (error) => wrong.push(`uncaught: ${error.message} (${page.url()})`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== base) wrong.push(`request to ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.request().resourceType() !== "document") return;
    const policy = response.headers()["content-security-policy"] ?? "";
    if (!policy.includes("default-src 'none'") || !policy.includes("script-src 'self'") || /script-src[^;]*unsafe/.test(policy)) {
      wrong.push(`no strict content policy on ${response.url()}`);
    }
  });
}

/** No serious finding of axe, on the whole page as it is now. */
export async function accessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = serious.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 4).map(({ html, failureSummary }) => `    ${html.slice(0, 200)}\n      ${failureSummary?.split("\n").slice(1, 3).join(" ")}`).join("\n")}`);
  assert.equal(told.length, 0, `${what}:\n${told.join("\n")}`);
}

export async function screenshot(page, name) {
  mkdirSync(SCREENS, { recursive: true });
  // Finished transitions: a theme that was changed a moment ago is shown as it will be.
  await page.screenshot({ path: join(SCREENS, `${name}.png`), animations: "disabled" });
}

/** Asks as a person with the admin token does. */
export function api(server) {
  return async (method, path, body) => {
    const response = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${server.token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path} answered ${response.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
}

/** A browser on a new server: a page, the API, and the SDK as the first agent. Close it in the end. */
export async function stage() {
  const browser = await startBrowser();
  const server = await startServer();
  const main = await openPage(browser, server.url);
  const runplane = new Runplane({ baseUrl: server.url, apiKey: server.agentKey, approvalTimeoutMs: 60_000, approvalPollIntervalMs: 100 });
  const close = async () => {
    await browser.close();
    await server.stop();
  };
  return { browser, server, ask: api(server), main, runplane, close };
}
