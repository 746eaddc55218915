/**
 * What an owner does while Runplane runs: agents and their keys, what is taken out as proof, a setting, one agent stopped, the
 * numbers of the node, and a server that goes away and comes back. One story on a server of its own.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test as nodeTest } from "node:test";
import { promisify } from "node:util";
import { binary } from "../contracts/wire-client/real-server.mjs";
import { Runplane } from "../sdks/typescript/dist/index.mjs";
import { accessible, api, openPage, screenshot, startBrowser, startServer } from "./harness.mjs";
import { OWNER, setUpOwner } from "./people.mjs";

let folder, server, browser, main, ask, agent;
const client = (apiKey) => new Runplane({ baseUrl: server.url, apiKey, approvalTimeoutMs: 60_000, approvalPollIntervalMs: 100 });
const settled = (promise) => promise.then((value) => ({ value }), (error) => ({ error }));
/** Each of another charge: the same one twice is held. */
const refund = (apiKey, amount) => settled(client(apiKey).guard("process_refund", "stripe", { amount, currency: "usd", charge: `ch_${amount}` }, async () => "ran"));
const run = (...args) => promisify(execFile)(binary(), [...args, "--json"]).then(({ stdout }) => ({ code: 0, stdout }), ({ code, stdout, stderr }) => ({ code, stdout, stderr }));

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "runplane-e2e-"));
  browser = await startBrowser();
  server = await startServer({ kept: folder });
  ask = api(server);
  main = await openPage(browser, server.url, { expects: /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)|The code of this page did not arrive/ });
  await setUpOwner(main.page, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const test = (name, story) =>
  nodeTest(name, async () => {
    try {
      await story(main.page);
    } catch (error) {
      await screenshot(main.page, `failed-${name.slice(0, 40).replace(/\W+/g, "-")}`);
      throw error;
    }
  });

test("an agent is registered; its key is shown once, works, is rotated and revoked", async (page) => {
  await page.goto("/agents");
  await page.getByRole("button", { name: "New agent" }).click();
  await page.getByRole("dialog").getByPlaceholder("refund-desk").fill("refund-desk");
  await page.getByRole("button", { name: "Register" }).click();
  const shown = () => page.getByText("Shown only now.").locator("..").locator("code").innerText();
  const first = await shown();
  await accessible(page, "a key, once");
  await screenshot(page, "agent-key-once");
  assert.equal((await refund(first, 20)).error, undefined);
  await page.getByRole("button", { name: "I have the key" }).click();
  await page.getByRole("heading", { name: "refund-desk" }).waitFor();
  agent = new URL(page.url()).pathname.split("/").at(-1);
  const gone = async (secret) => assert.equal((await page.content()).includes(secret), false, "the key is still on the page");
  await gone(first);
  await page.reload();
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await gone(first);

  const change = async (name) => {
    await page.getByRole("button", { name: /^Change key/ }).first().click();
    await page.getByRole("menuitem", { name }).click();
  };
  await change("Rotate, the old one ends now");
  const second = await shown();
  assert.notEqual(second, first);
  await page.getByRole("button", { name: "I have it" }).click();
  await gone(second);
  assert.notEqual((await refund(first, 21)).error, undefined, "the old key still works");
  assert.equal((await refund(second, 22)).error, undefined);
  await change("Revoke now");
  await page.getByRole("button", { name: /^Change key/ }).first().waitFor({ state: "detached" });
  assert.notEqual((await refund(second, 23)).error, undefined, "a revoked key still works");
  await page.getByRole("button", { name: "New key" }).click();
  agent = { id: agent, key: await shown() };
  assert.equal((await refund(agent.key, 24)).error, undefined);
  await page.getByRole("button", { name: "I have it" }).click();
});

test("a decision tells its approval from the question to what really happened", async (page) => {
  const waiting = refund(agent.key, 800);
  await page.goto("/approvals");
  await page.getByRole("heading", { name: "Refund 800 usd through stripe" }).waitFor();
  await page.keyboard.press("a");
  await page.getByRole("textbox", { name: "Comment" }).fill("Checked the order");
  await page.getByRole("textbox", { name: "Comment" }).press("Enter");
  assert.equal((await waiting).error, undefined);
  let row;
  while (row?.decision !== "REQUIRE_APPROVAL") [row] = (await ask("GET", "/api/v1/decisions?limit=1&outcome=REQUIRE_APPROVAL")).decisions;
  await page.goto(`/decisions?open=${row.requestId}&by=${row.agent.id}`);
  const steps = page.getByRole("heading", { name: "What happened" }).locator("xpath=ancestor::section").getByRole("listitem");
  await steps.filter({ hasText: "The program reports: succeeded" }).waitFor();
  const told = (await steps.allInnerTexts()).map((step) => step.replace(/\s+/g, " "));
  const expected = [/^Asked: held/, new RegExp(`^${OWNER.displayName} approved Checked the order`), /^Redeemed, decided again: allowed/, /^The program reports: succeeded/];
  assert.equal(told.length, expected.length, told.join("\n"));
  expected.forEach((step, place) => assert.match(told[place], step));
  await steps.first().scrollIntoViewIfNeeded();
  await screenshot(page, "decision-timeline");
});

test("a receipt and the whole ledger are taken out, and hold elsewhere", async (page) => {
  const save = async (click, name) => {
    const [download] = await Promise.all([page.waitForEvent("download"), click()]);
    const path = join(folder, name);
    await download.saveAs(path);
    return path;
  };
  const receipt = await save(() => page.getByRole("link", { name: "Receipt" }).click(), "receipt.json");
  const verified = await run("receipt", "verify", receipt);
  assert.equal(verified.code, 0, verified.stderr);
  assert.equal(JSON.parse(verified.stdout).valid, true);
  await page.goto("/ledger");
  const size = (await ask("GET", "/api/v1/ledger/checkpoint")).size;
  const copy = await save(() => page.getByRole("link", { name: "Export all" }).click(), "ledger.ndjson");
  assert.ok((await readFile(copy, "utf8")).trimEnd().split("\n").length >= size);
  const whole = await run("audit", "verify", copy);
  assert.equal(whole.code, 0, `${whole.stdout}${whole.stderr}`);
});

test("a setting is changed, and holds", async (page) => {
  await page.goto("/settings");
  await page.getByLabel("Open approvals per agent").fill("2");
  await page.getByRole("button", { name: "Save limits" }).click();
  await page.getByText("Saved, and recorded on the ledger").waitFor();
  await page.getByRole("button", { name: "Save limits" }).waitFor({ state: "detached" });
  const waiting = [901, 902].map((amount) => refund(agent.key, amount));
  while ((await ask("GET", "/api/v1/approvals?status=pending")).approvals.length < 2) await page.waitForTimeout(25);
  assert.equal((await refund(agent.key, 903)).error?.code, "BLOCKED", "a third ask waits too");
  for (const { id } of (await ask("GET", "/api/v1/approvals?status=pending")).approvals) await ask("POST", `/api/v1/approvals/${id}/deny`, {});
  await Promise.all(waiting);
});

test("one agent is stopped: the switch says who and when, others go on", async (page) => {
  await page.goto("/containment");
  await page.getByRole("button", { name: "Stop one thing…" }).click();
  await page.getByRole("combobox", { name: "Agent" }).click();
  await page.getByRole("option", { name: "refund-desk" }).click();
  await page.getByLabel("Why").fill("Refunds too fast");
  await page.getByRole("button", { name: "Stop it now" }).click();
  const thrown = page.getByRole("listitem").filter({ hasText: "Refunds too fast" });
  await thrown.getByText("refund-desk").waitFor();
  await thrown.getByText(OWNER.displayName).waitFor();
  const [{ at, by }] = (await ask("GET", "/api/v1/containment")).switches;
  assert.equal(await thrown.locator("time").getAttribute("datetime"), at);
  assert.match(await thrown.locator("time").getAttribute("title"), /Z$/);
  assert.equal(await thrown.getByTitle(by).innerText(), OWNER.displayName);
  await accessible(page, "one agent stopped");
  await screenshot(page, "containment-one-agent");
  assert.equal((await refund(agent.key, 25)).error?.code, "BLOCKED");
  assert.equal((await refund(server.agentKey, 26)).error, undefined, "another agent");
  await thrown.getByRole("button", { name: "Release…" }).click();
  await thrown.getByRole("button", { name: "Let them act again" }).click();
  await page.getByText("No switch is on").waitFor();
  assert.equal((await refund(agent.key, 27)).error, undefined);
});

test("the numbers of the node say so, and lead to the decisions they are about", async (page) => {
  await page.goto("/");
  const health = page.getByRole("heading", { name: "This node" }).locator("xpath=ancestor::section");
  await health.getByText("other nodes count for themselves").waitFor();
  const { latency } = await ask("GET", "/api/v1/statistics");
  for (const name of ["Answer, median", "Answer, 99 of 100"]) {
    const link = health.getByText(name).locator("..").getByRole("link");
    assert.equal(new URL(await link.getAttribute("href"), server.url).searchParams.get("since"), latency.since);
  }
  await health.getByText("Answer, 99 of 100").locator("..").getByRole("link").click();
  await page.waitForURL(/\/decisions\?since=/);
  await page.getByRole("row").first().waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Time" }).inputValue(), "Chosen span");
});

test("a server that stops is said on the page, with what to do; when it is back, so is the page", async (page) => {
  await page.goto("/decisions");
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole("row").first().waitFor();
  const { port } = new URL(server.url);
  await server.stop();
  const notice = page.getByRole("alert").filter({ hasText: "The server stopped answering" });
  await notice.getByText("Check that it runs").waitFor();
  await page.getByText("No answer", { exact: true }).waitFor();
  // What was read stays readable.
  assert.ok((await page.getByRole("row").count()) > 1);
  // A page whose code is there and whose answers are not, then one whose code this browser never had.
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("alert").getByText("unreachable").waitFor();
  await page.getByRole("link", { name: "Users" }).click();
  await page.getByText("The page is loaded again as soon as it answers").waitFor();
  await accessible(page, "the server has stopped");
  await screenshot(page, "server-stopped");
  server = await startServer({ kept: folder, port });
  await page.getByRole("heading", { name: "Users" }).waitFor();
  await page.getByRole("main").getByRole("listitem").filter({ hasText: OWNER.displayName }).waitFor();
  await notice.waitFor({ state: "detached" });
  await page.getByText("Live", { exact: true }).waitFor();
  // The same session, and what happens now arrives.
  await page.goto("/approvals");
  const waiting = refund(agent.key, 950);
  await page.getByRole("heading", { name: "Refund 950 usd through stripe" }).waitFor();
  await page.keyboard.press("d");
  await page.getByRole("textbox", { name: "Comment" }).press("Enter");
  assert.equal((await waiting).error?.code, "DENIED");
});

test("nothing was wrong on the way", () => assert.deepEqual(main.wrong, []));
