/**
 * What differs between people: what an author and a viewer may, who is called and how, and what stays in a browser that several
 * share. On a server of its own; each test stands by itself.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, openPage, screenshot, stage } from "./harness.mjs";
import { APPROVER, AUTHOR, join, OWNER, setUpOwner, signIn, signOut, VIEWER } from "./people.mjs";

let server, browser, main, ask, runplane, close;

before(async () => {
  ({ server, browser, main, ask, runplane, close } = await stage());
  await setUpOwner(main.page, server);
});

after(() => close?.());

const settled = (promise) => promise.then((value) => ({ value }), (error) => ({ error }));
const refund = (amount) => settled(runplane.guard("process_refund", "stripe", { amount, currency: "usd", charge: "ch_1" }, async () => "ran"));
async function pending(count) {
  for (;;) {
    const { approvals } = await ask("GET", "/api/v1/approvals?status=pending");
    if (approvals.length === count) return approvals;
    await new Promise((done) => setTimeout(done, 25));
  }
}
async function denyAll() {
  const { approvals } = await ask("GET", "/api/v1/approvals?status=pending");
  for (const { id } of approvals) await ask("POST", `/api/v1/approvals/${id}/deny`, {});
}

test("an author writes policies, and decides nothing", async () => {
  const author = await join(browser, server, ask, AUTHOR, "author");
  const { page } = author;
  const waiting = refund(900);
  const [{ id }] = await pending(1);
  await page.goto(`/approvals/${id}`);
  await page.getByText("Your role may look, but not decide").waitFor();
  assert.equal(await page.getByRole("button", { name: /Approve|Deny/ }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Notify me" }).count(), 0);
  // The keys that decide for others do nothing here.
  await page.keyboard.press("a");
  await page.keyboard.press("Enter");
  await pending(1);
  await accessible(page, "an ask, to an author");
  await screenshot(page, "author-ask");

  await page.goto("/policies/new");
  const yaml = "policy: authored\ndescription: By an author\nrules:\n  - { id: notes, action: modify_record, decision: ALLOW, reason: Notes are free }\n";
  await page.getByRole("textbox", { name: "Policy text" }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(yaml);
  await page.getByText("It would be published").waitFor();
  await page.getByRole("button", { name: "Publish…" }).click();
  await page.getByLabel("What for").fill("Written by an author");
  await page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true }).click();
  await page.waitForURL("**/policies/authored");
  const { versions } = await ask("GET", "/api/v1/policies/authored/versions");
  assert.deepEqual(versions.map(({ by, message }) => [by, message]), [[author.user.id, "Written by an author"]]);

  await page.goto("/containment");
  await page.getByRole("heading", { name: "Agents may act" }).waitFor();
  assert.equal(await page.getByRole("button", { name: /Stop/ }).count(), 0);
  // What is hidden is refused too.
  page.expectsRefusals = true;
  const status = await page.evaluate(async (approval) => {
    const { csrfToken } = await (await fetch("/api/v1/session")).json();
    return (await fetch(`/api/v1/approvals/${approval}/approve`, { method: "POST", headers: { "content-type": "application/json", "Runplane-Csrf": csrfToken }, body: "{}" })).status;
  }, id);
  assert.equal(status, 403);
  await denyAll();
  assert.equal((await waiting).error?.code, "DENIED");
  assert.deepEqual(author.wrong, []);
  await author.context.close();
});

/** A browser that notes what it would show, in a window that nobody looks at. */
function elsewhere(makable) {
  globalThis.told = [];
  globalThis.Notification = class {
    static permission = "granted";
    static requestPermission = async () => "granted";
    constructor(title, options) {
      if (!globalThis.makable) throw new TypeError("Failed to construct 'Notification': Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
      globalThis.told.push({ title, ...options });
    }
    close() {}
  };
  globalThis.makable = makable;
  Object.defineProperty(document, "hidden", { get: () => true });
}

test("who may decide is called; who may only look, or is not of the group that is asked, is not", async () => {
  const approver = await join(browser, server, ask, { ...APPROVER, groups: ["finance"] }, "approver");
  const other = await join(browser, server, ask, { ...APPROVER, username: "joan", displayName: "Joan Clarke", groups: ["security"] }, "approver");
  const viewer = await join(browser, server, ask, VIEWER, "viewer");
  for (const { context, page } of [approver, other, viewer]) {
    await context.addInitScript(elsewhere, true);
    await page.goto("/decisions");
    await page.getByText("Live", { exact: true }).waitFor();
  }
  const waiting = refund(910);
  await approver.page.waitForFunction(() => globalThis.told.length > 0);
  await approver.page.waitForFunction(() => document.title.startsWith("(1)"));
  assert.deepEqual((await approver.page.evaluate(() => globalThis.told)).map(({ title }) => title), ["An action waits for you"]);
  // The pages of the others know of it by now too.
  for (const { page } of [other, viewer]) {
    await page.getByRole("navigation", { name: "Pages" }).first().getByLabel("1 waiting").waitFor();
    assert.deepEqual(await page.evaluate(() => globalThis.told), []);
  }
  assert.doesNotMatch(await viewer.page.title(), /^\(/);
  await denyAll();
  await waiting;
  for (const { context, wrong } of [approver, other, viewer]) {
    assert.deepEqual(wrong, []);
    await context.close();
  }
});

test("where a page cannot make notifications it neither offers them nor breaks, and the title says it", async () => {
  const storageState = await main.context.storageState();
  for (const permission of ["default", "granted"]) {
    const phone = await openPage(browser, server.url, { storageState });
    await phone.context.addInitScript(elsewhere, false);
    await phone.context.addInitScript((value) => (globalThis.Notification.permission = value), permission);
    await phone.page.goto("/approvals");
    await phone.page.getByText("Live", { exact: true }).waitFor();
    assert.equal(await phone.page.getByRole("button", { name: "Notify me" }).count(), 0);
    const waiting = refund(920);
    await phone.page.waitForFunction(() => document.title.startsWith("(1)"));
    await denyAll();
    await waiting;
    await phone.page.waitForFunction(() => !document.title.startsWith("("));
    assert.deepEqual(phone.wrong, []);
    await phone.context.close();
  }
  // And where it can, it offers them.
  const desk = await openPage(browser, server.url, { storageState });
  await desk.context.addInitScript(elsewhere, true);
  await desk.context.addInitScript(() => (globalThis.Notification.permission = "default"));
  await desk.page.goto("/approvals");
  await desk.page.getByRole("button", { name: "Notify me" }).click();
  await desk.page.getByRole("button", { name: "Notify me" }).waitFor({ state: "detached" });
  await desk.context.close();
});

test("without the stream, a window that nobody looks at asks every thirty seconds what waits", async () => {
  const own = await openPage(browser, server.url, { storageState: await main.context.storageState(), expects: /net::ERR_FAILED/ });
  const { context, page } = own;
  await context.route("**/api/v1/events*", (route) => route.abort());
  await page.clock.install();
  await page.goto("/decisions");
  await page.getByText("Every 5 s", { exact: true }).waitFor();
  // From here on time goes only as it is told.
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 2_000);
  await page.evaluate(() => Object.defineProperty(document, "hidden", { get: () => true }));
  await page.clock.runFor(6_000);
  const waiting = refund(930);
  await pending(1);
  const asked = [];
  page.on("request", (request) => request.url().includes("/api/v1/") && !request.url().includes("/events") && asked.push(new URL(request.url()).pathname));
  await page.clock.runFor(18_000);
  assert.doesNotMatch(await page.title(), /^\(/);
  assert.deepEqual(asked, [], "nothing is asked more often");
  await page.clock.runFor(15_000);
  // The answer comes in real time, and is drawn in the page's.
  for (let tries = 0; !(await page.title()).startsWith("(1)"); tries += 1) {
    assert.ok(tries < 200, "the title does not say that one waits");
    await new Promise((done) => setTimeout(done, 25));
    await page.clock.runFor(10);
  }
  assert.deepEqual([...new Set(asked)], ["/api/v1/approvals"], "and nothing else");
  await denyAll();
  await waiting;
  assert.deepEqual(own.wrong, []);
  await context.close();
});

test("tests of a policy survive signing out, and are there for their writer alone", async () => {
  const shared = await join(browser, server, ask, { ...VIEWER, username: "ruth", displayName: "Ruth" }, "author");
  const { page, context } = shared;
  const kept = async () => (await context.storageState()).origins.flatMap(({ localStorage }) => localStorage).map(({ name }) => name).sort();
  const beside = page.getByRole("region", { name: "Try it" });
  await page.goto("/policies/payments");
  await beside.getByRole("button", { name: "Decide" }).click();
  await beside.getByRole("button", { name: "Keep as a test" }).click();
  await beside.getByText("Tests (1)").waitFor();
  assert.deepEqual(await kept(), [`runplane.tests.${shared.user.id}.payments`]);
  await signOut(page);
  await page.goto("/policies/payments");
  await signIn(page, OWNER);
  await beside.getByText("Tests", { exact: true }).waitFor();
  await beside.getByText("Tests", { exact: true }).click();
  await beside.getByText("No test yet").waitFor();
  await signOut(page);
  await page.goto("/policies/payments");
  await signIn(page, { ...VIEWER, username: "ruth" });
  await beside.getByText("Tests (1)").waitFor();
  // Whatever else was looked at left nothing but how the page looks and which key signs.
  await page.goto("/decisions");
  await page.getByRole("row").first().click();
  await page.getByRole("button", { name: "Verify in my browser" }).click();
  await page.getByText("This entry is in the signed ledger").waitFor();
  await page.goto("/approvals?status=closed");
  await signOut(page);
  for (const name of await kept()) assert.match(name, /^(runplane\.tests\.usr_\w+\.payments|runplane-key .+|mantine-color-scheme-value)$/);
  assert.deepEqual(await page.evaluate(() => [Object.keys(sessionStorage), document.cookie]), [[], ""]);
  assert.equal((await page.evaluate(() => indexedDB.databases())).length, 0);
  assert.deepEqual(shared.wrong, []);
  await context.close();
});

test("nothing was wrong on the way", () => assert.deepEqual(main.wrong, []));
