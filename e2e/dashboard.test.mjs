/**
 * The dashboard in a real Chromium against the real binary. One story, in order: each test starts where the one before ended.
 *
 * Needs RUNPLANE_BIN, a built web/dist, the built SDK, and chromium. Screenshots are left in screens/.
 */
import assert from "node:assert/strict";
import { after, before, test as nodeTest } from "node:test";
import { load } from "./load.mjs";
import { interact, observe, scrollThrough } from "./measure.mjs";
import { accessible, openPage, screenshot, stage } from "./harness.mjs";
import { APPROVER, OWNER, VIEWER } from "./people.mjs";
import { seed } from "./seed.mjs";

let server, browser, main, ask, runplane, close;

before(async () => {
  ({ server, browser, main, ask, runplane, close } = await stage());
});

after(() => close?.());

/** A test that leaves a picture of where it failed. */
const test = (name, run) =>
  nodeTest(name, async () => {
    try {
      await run();
    } catch (error) {
      if (main !== undefined) await screenshot(main.page, `failed-${name.slice(0, 40).replace(/\W+/g, "-")}`);
      throw error;
    }
  });

let charges = 0;
/** Each of another charge: the same one twice is held. */
const refund = (amount, ran, charge = `ch_${(charges += 1)}`, reason = "Duplicate") =>
  runplane.guard("process_refund", "stripe", { amount, currency: "usd", charge, reason }, async () => ran());
const settled = (promise) => promise.then((value) => ({ value }), (error) => ({ error }));
const text = (page, label) => page.getByRole("textbox", { name: label });

test("a one-time link makes the first owner, and leaves the address bar at once", async () => {
  const { page } = main;
  assert.match(server.setupUrl ?? "", /\/setup#token=/);
  await page.goto("/");
  await page.getByText("Nobody has an account yet").waitFor();
  await page.goto(server.setupUrl);
  await page.reload();
  await page.goto("about:blank");
  await page.goto(server.setupUrl);
  await page.getByLabel("User name").fill(OWNER.username);
  assert.equal(new URL(page.url()).hash, "");
  await page.getByLabel("Your name").fill(OWNER.displayName);
  await page.locator("input[name=password]").fill(OWNER.password);
  await accessible(page, "set-up");
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});

test("signing out ends the session; a wrong password says so; the right one opens the page", async () => {
  const { page } = main;
  await page.getByRole("button", { name: /Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await accessible(page, "sign-in");
  await screenshot(page, "sign-in");
  page.expectsRefusals = true;
  await text(page, "User name").fill(OWNER.username);
  await page.locator("input[name=password]").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("User name or password is wrong").waitFor();
  page.expectsRefusals = false;
  await page.locator("input[name=password]").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});

test("the first owner answers for every group, and says so under Users", async () => {
  const { page } = main;
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await page.getByRole("heading", { name: "Users" }).waitFor();
  await page.getByText("*", { exact: true }).waitFor();
});

test("a held action is approved in the page, and the waiting SDK call runs", async () => {
  const { page } = main;
  await page.goto("/approvals");
  await page.getByText("Nothing waits").waitFor();
  let ran = 0;
  const waiting = settled(refund(800, () => (ran += 1)));
  await page.getByRole("heading", { name: "Refund 800 usd through stripe" }).waitFor();
  assert.match(await page.title(), /^\(1\)/);
  await page.getByText("payments/refund-over-500").first().waitFor();
  assert.equal(ran, 0);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("textbox", { name: "Comment" }).fill("Checked the order");
  await page.getByRole("button", { name: "Approve" }).click();
  const { error } = await waiting;
  assert.equal(error, undefined);
  assert.equal(ran, 1);
  await page.getByText("Nothing waits").waitFor();
});

test("somebody who looks elsewhere is told that an action waits, and not what", async () => {
  const page = await main.context.newPage();
  await page.addInitScript(() => {
    globalThis.told = [];
    globalThis.Notification = class {
      static permission = "granted";
      constructor(title, options) {
        globalThis.told.push({ title, ...options });
      }
    };
    Object.defineProperty(document, "hidden", { get: () => true });
  });
  await page.goto("/");
  await page.getByText("Live", { exact: true }).waitFor();
  const waiting = settled(refund(4321, () => assert.fail("it ran")));
  await page.waitForFunction(() => globalThis.told.length > 0);
  const [{ title, body }] = await page.evaluate(() => globalThis.told);
  assert.equal(title, "An action waits for you");
  assert.doesNotMatch(body, /4321|refund|stripe/i);
  await page.waitForFunction(() => document.title.startsWith("(1)"));
  await page.close();
  const { approvals } = await ask("GET", "/api/v1/approvals?status=pending");
  await ask("POST", `/api/v1/approvals/${approvals[0].id}/deny`, {});
  assert.equal((await waiting).error?.code, "DENIED");
  // What was looked at stays open, decided or not.
  await main.page.goto("/approvals");
  await main.page.getByText("Nothing waits").waitFor();
});

test("a denial reaches the SDK with its comment", async () => {
  const { page } = main;
  const waiting = settled(refund(900, () => assert.fail("it ran")));
  await page.getByRole("heading", { name: "Refund 900 usd through stripe" }).waitFor();
  await page.keyboard.press("d");
  const comment = page.getByRole("textbox", { name: "Comment" });
  await comment.fill("Not without a ticket");
  await comment.press("Enter");
  const { error } = await waiting;
  assert.equal(error?.code, "DENIED");
  assert.equal(error?.reason, "Not without a ticket");
});

test("the inbox is cleared by keyboard: one by one, and several at once", async () => {
  const { page } = main;
  let ran = 0;
  const waiting = [];
  for (const amount of [601, 602, 603, 604]) {
    waiting.push(settled(refund(amount, () => (ran += 1))));
    await page.getByRole("link", { name: `Refund ${amount} usd` }).waitFor();
  }
  await page.getByRole("heading", { name: "Refund 601 usd through stripe" }).waitFor();
  await page.keyboard.press("a");
  await page.getByRole("textbox", { name: "Comment" }).press("Enter");
  await page.getByRole("heading", { name: "Refund 602 usd through stripe" }).waitFor();
  await page.keyboard.press("x");
  await page.keyboard.press("j");
  await page.waitForURL((url) => url.pathname.includes("apr_"));
  await page.keyboard.press("x");
  await page.getByRole("heading", { name: "2 asks chosen" }).waitFor();
  await page.keyboard.press("a");
  await page.keyboard.press("Enter");
  await page.getByText("Approved 2 asks").waitFor();
  await page.getByRole("heading", { name: "Refund 604 usd through stripe" }).waitFor();
  await page.keyboard.press("d");
  await page.getByRole("textbox", { name: "Comment" }).press("Enter");
  const outcomes = await Promise.all(waiting);
  assert.equal(ran, 3);
  assert.equal(outcomes.filter(({ error }) => error?.code === "DENIED").length, 1);
  await page.getByText("Nothing waits").waitFor();
});

const POLICY = `policy: e2e
description: For this test
rules:
  - id: quiet-notes
    action: modify_record
    when: context.recordTyp == "note"
    decision: ALLOW
    reason: Notes are free
`;

test("a policy is written: the error stands under its characters, is fixed, tried, published and rolled back", async () => {
  const { page } = main;
  await page.goto("/policies/new");
  const editor = page.getByRole("textbox", { name: "Policy text" });
  const write = async (yaml) => {
    await editor.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(yaml);
  };
  await write(POLICY);
  const wrong = page.locator(".cm-lintRange-error");
  await wrong.first().waitFor();
  assert.equal((await wrong.allInnerTexts()).join(""), "recordTyp", "exactly the member that is wrong, not what it is a member of");
  await page.getByText("it cannot be published").waitFor();
  assert.equal(await page.getByRole("button", { name: "Publish…" }).isDisabled(), true);
  await accessible(page, "policy with an error");
  await write(POLICY.replace("recordTyp ", "recordType "));
  await page.getByText("It would be published").waitFor();

  const call = page.getByRole("textbox", { name: "Call to try" });
  await call.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(JSON.stringify({ type: "modify_record", target: "crm", context: { recordType: "note", recordId: "n_1" } }));
  await page.getByRole("button", { name: "Decide" }).click();
  await page.getByRole("region", { name: "Try it" }).getByText("e2e/quiet-notes").first().waitFor();

  const publish = async (message) => {
    await page.getByRole("button", { name: "Publish…" }).click();
    await page.getByLabel("What for").fill(message);
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
  };
  await publish("First version");
  await page.waitForURL("**/policies/e2e");
  await page.getByText("in force", { exact: true }).waitFor();
  await write(POLICY.replace("recordTyp ", "recordType ").replace("ALLOW", "BLOCK"));
  await page.getByText("It would be published").waitFor();
  await publish("Second version");
  const decide = async () => (await ask("POST", "/api/v1/policies/explain", { call: { action: { type: "modify_record", target: "crm", context: { recordType: "note", recordId: "n_1" } } } })).decision.outcome;
  assert.equal(await decide(), "BLOCK");

  await page.getByText("History", { exact: true }).click();
  await page.getByRole("button", { name: /First version/ }).click();
  await page.getByRole("button", { name: "Roll back to 1…" }).click();
  await page.getByLabel("Why").fill("Notes must be free");
  await page.getByRole("button", { name: "Roll back", exact: true }).click();
  await page.getByText("e2e is rolled back to version 1").waitFor();
  assert.notEqual(await decide(), "BLOCK");
  // What is in force again stands in the editor, and nothing is left to publish.
  await page.getByText("in force", { exact: true }).first().waitFor();
  assert.equal(await page.getByText("draft", { exact: true }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Publish…" }).isDisabled(), true);
  await page.getByText("Text", { exact: true }).click();
  assert.equal(await editor.innerText().then((text) => text.trimEnd()), POLICY.replace("recordTyp ", "recordType ").trimEnd());
});

test("a standing permission is made from an ask, tried, published, and holds within its bounds", async () => {
  const { page } = main;
  await page.goto("/approvals");
  let ran = 0;
  const damaged = (amount, charge, run) => settled(refund(amount, run, charge, "Damaged"));
  const waiting = damaged(700, "ch_first", () => (ran += 1));
  await page.getByRole("heading", { name: "Refund 700 usd through stripe" }).waitFor();
  await page.getByRole("link", { name: "Allow this kind from now on" }).click();
  await page.getByRole("heading", { name: "Standing permission" }).waitFor();
  await page.getByLabel("amount at most").waitFor();
  // The ask that waits counts as long as it is open.
  await page.getByLabel("At most, in 24 hours").fill("3");
  // Other charges of the same reason are meant, not this one again.
  await page.locator("main").getByLabel("reason is “Damaged”").check();
  await page.locator("main").getByLabel("charge is “ch_first”").uncheck();
  await accessible(page, "standing permission");
  await screenshot(page, "standing-permission");
  await page.getByRole("button", { name: "Write it into the policy" }).click();
  await page.getByText("It would be published").waitFor();
  await page.getByRole("region", { name: "Try it" }).getByText(/payments\/standing-/).first().waitFor();
  // The ask that waits counts as one of this charge.
  await page.getByRole("textbox", { name: "Call to try" }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(JSON.stringify({ type: "process_refund", target: "stripe", context: { amount: 700, charge: "ch_second", currency: "usd", reason: "Damaged" } }));
  await page.getByRole("button", { name: "Decide" }).click();
  await page.getByRole("region", { name: "Try it" }).getByRole("status").getByText("Allowed").waitFor();
  await screenshot(page, "standing-permission-tried");
  await page.getByRole("button", { name: "Publish…" }).click();
  await page.getByLabel("What for").fill("Refunds up to 700 for a month");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  // A new limit counts the past first, and holds until it has.
  while ((await ask("GET", "/api/v1/limits")).limits.some(({ state }) => state !== "ready")) await new Promise((done) => setTimeout(done, 50));
  for (const amount of [650, 700]) {
    const { error } = await damaged(amount, `ch_damaged_${amount}`, () => (ran += 1));
    assert.equal(error, undefined, `${amount} runs at once`);
  }
  assert.equal(ran, 2);
  // One more, and what is larger, waits as before.
  const third = damaged(651, "ch_damaged_651", () => assert.fail("it ran"));
  await page.goto("/approvals");
  await page.getByRole("link", { name: "Refund 651 usd" }).click();
  await page.getByRole("heading", { name: "Refund 651 usd through stripe" }).waitFor();
  await page.getByText("payments/standing-", { exact: false }).first().waitFor();
  await page.keyboard.press("d");
  await page.getByRole("textbox", { name: "Comment" }).press("Enter");
  assert.equal((await third).error?.code, "DENIED");
  await page.getByRole("heading", { name: "Refund 700 usd through stripe" }).waitFor();
  await page.keyboard.press("d");
  await page.getByRole("textbox", { name: "Comment" }).press("Enter");
  assert.equal((await waiting).error?.code, "DENIED");
  const { versions } = await ask("GET", "/api/v1/policies/payments/versions");
  await ask("POST", "/api/v1/policies/payments/rollback", { version: versions[1].version });
});

test("decisions are filtered, opened, and proven in the browser", async () => {
  const { page } = main;
  await seed({ url: server.url, token: server.token, count: 160, leaveOpen: 8 });
  await page.goto("/decisions");
  await page.getByRole("combobox", { name: "Outcome" }).click();
  await page.getByRole("option", { name: "Blocked" }).click();
  await page.waitForURL(/outcome=BLOCK/);
  await page.getByRole("row").first().waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll("[role=row]")].every((row) => row.textContent.includes("Blocked")));
  await page.goto("/decisions?rule=payments%2Frefund-over-500&outcome=REQUIRE_APPROVAL");
  await page.getByRole("row").first().click();
  await page.waitForURL(/open=/);
  await page.getByText("Refunds over 500 need a person").first().waitFor();
  await page.getByRole("button", { name: "Verify in my browser" }).click();
  await page.getByText("This entry is in the signed ledger").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Escape");
  await page.waitForURL((url) => !url.search.includes("open="));

  // Free text: what the list says, words in any order.
  await page.goto("/decisions");
  await page.getByRole("row").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("refund-over data-janitor");
  await page.getByText("No decision fits").waitFor();
  await page.getByRole("textbox", { name: "Search decisions" }).fill("REFUND-over refund-desk");
  await page.waitForURL(/q=REFUND/);
  await page.waitForFunction(() => {
    const rows = [...document.querySelectorAll("[role=row]")];
    return rows.length > 3 && rows.every((row) => row.textContent.includes("refund-over-500"));
  });
});

test("a limit near its cap stands on the overview", async () => {
  const { page } = main;
  const yaml = `policy: narrow
description: For this test
rules:
  - id: five-balances
    action: read_balance
    limit: { count: 5, within: 1h, per: [agent], otherwise: BLOCK }
`;
  await ask("PUT", "/api/v1/policies/narrow", { yaml });
  for (let time = 0; time < 5; time += 1) await settled(runplane.guard("read_balance", "stripe", {}, async () => "ran"));
  await page.goto("/");
  await page.getByRole("heading", { name: "Limits near their cap" }).waitFor();
  try {
    await page.getByRole("link", { name: "narrow/five-balances" }).first().waitFor();
    await page.getByText("of 5 in 1 h").first().waitFor();
    await accessible(page, "overview with limits");
    await screenshot(page, "overview-limits");
  } finally {
    await ask("DELETE", "/api/v1/policies/narrow");
  }
});

test("rules show what they are used for, and which are not", async () => {
  const { page } = main;
  await page.goto("/policies");
  await page.getByText("hits in 31 days").first().waitFor();
  await page.goto("/policies/payments?view=rules");
  await page.getByRole("link", { name: "refund-over-500" }).waitFor();
  await page.getByText("not hit").first().waitFor();
  const { rules } = await ask("GET", "/api/v1/policies/payments/hits?within=31d");
  assert.ok(rules.find(({ rule }) => rule === "refund-over-500").hits > 3);
  assert.ok(rules.some(({ never }) => never));
});

test("the ledger is verified by the server and by the browser", async () => {
  const { page } = main;
  await page.goto("/ledger");
  await page.getByRole("button", { name: "Ask the server" }).click();
  await page.getByText("Valid", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Build the tree in my browser" }).click();
  await page.getByText(/entries, hashed here, lead to the signed root/).waitFor();
});

test("containment stops everything, says so on every page, and is released", async () => {
  const { page } = main;
  await page.goto("/containment");
  await page.getByRole("button", { name: "Stop everything" }).click();
  await page.getByLabel("Why").fill("Looks wrong");
  await page.getByRole("button", { name: "Stop everything now" }).click();
  await page.getByRole("heading", { name: "Everything is stopped" }).waitFor();
  const { error } = await settled(runplane.guard("read_balance", "stripe", {}, async () => assert.fail("it ran")));
  assert.equal(error?.code, "BLOCKED");
  await accessible(page, "containment, on");
  await screenshot(page, "containment-on");
  await page.goto("/decisions");
  await page.getByText("Everything is stopped").waitFor();
  await page.getByRole("link", { name: "Show" }).click();
  await page.getByRole("button", { name: "Release…" }).first().click();
  await page.getByRole("button", { name: "Let them act again" }).first().click();
  await page.getByRole("heading", { name: "Agents may act" }).waitFor();
  const { error: none } = await settled(runplane.guard("read_balance", "stripe", {}, async () => "ran"));
  assert.equal(none, undefined);
});

test("observing is said on every page, stops nothing, and is ended", async () => {
  const { page } = main;
  await page.goto("/settings");
  await page.getByRole("button", { name: "Stop nothing until then" }).click();
  await page.getByText("Only observing: policies stop nothing").waitFor();
  await page.goto("/decisions");
  await page.getByText("Only observing: policies stop nothing").waitFor();
  await accessible(page, "observing");
  await screenshot(page, "observing");
  const { error } = await settled(refund(905, () => "ran"));
  assert.equal(error, undefined, "it runs, though a rule would hold it");
  let row;
  while (row?.reasonCode !== "observed") [row] = (await ask("GET", "/api/v1/decisions?limit=1")).decisions;
  await page.goto(`/decisions?open=${row.requestId}&by=${row.agent.id}`);
  await page.getByText("If enforced").waitFor();
  await page.goto("/settings");
  await page.getByRole("button", { name: "Enforce now" }).click();
  await page.getByText("Only observing: policies stop nothing").waitFor({ state: "detached" });
});

/** Invites somebody in the page and signs them in through their link, in a browser of their own. */
async function invite(person, role) {
  const { page } = main;
  await page.goto("/users");
  await page.getByRole("button", { name: "Invite somebody" }).click();
  await page.getByLabel("User name").fill(person.username);
  await page.getByLabel("Name", { exact: true }).fill(person.displayName);
  await page.getByRole("combobox", { name: "Role", exact: true }).click();
  await page.getByRole("option", { name: role }).click();
  await page.getByRole("button", { name: "Make the link" }).click();
  const link = await page.getByRole("dialog").locator("code").innerText();
  await page.getByRole("button", { name: "I have it" }).click();
  const theirs = await openPage(browser, server.url);
  await theirs.page.goto(link);
  await theirs.page.locator("input[name=password]").fill(person.password);
  await theirs.page.getByRole("button", { name: "Save and sign in" }).click();
  await theirs.page.getByRole("heading", { name: "Overview" }).waitFor();
  return theirs;
}

test("roles see and do only what they may", async () => {
  const viewer = await invite(VIEWER, "viewer");
  const approver = await invite(APPROVER, "approver");
  const pages = async ({ page }) => (await page.getByRole("navigation", { name: "Pages" }).first().getByRole("link").allInnerTexts()).map((name) => name.split("\n")[0]);
  assert.equal((await pages(viewer)).includes("Users"), false);
  assert.equal((await pages(main)).includes("Users"), true);

  await viewer.page.goto("/approvals");
  await viewer.page.getByText("Your role may look, but not decide").waitFor();
  assert.equal(await viewer.page.getByRole("button", { name: "Approve" }).count(), 0);
  await viewer.page.goto("/containment");
  await viewer.page.getByRole("heading", { name: "Agents may act" }).waitFor();
  assert.equal(await viewer.page.getByRole("button", { name: /Stop/ }).count(), 0);
  await viewer.page.goto("/policies");
  assert.equal(await viewer.page.getByRole("link", { name: "New policy" }).count(), 0);
  // What is hidden is refused too.
  const status = await viewer.page.evaluate(async () => {
    const { csrfToken } = await (await fetch("/api/v1/session")).json();
    const body = JSON.stringify({ scope: "workspace", reason: "no" });
    return (await fetch("/api/v1/containment", { method: "POST", headers: { "content-type": "application/json", "Runplane-Csrf": csrfToken }, body })).status;
  });
  assert.equal(status, 403);

  await approver.page.goto("/containment");
  await approver.page.getByRole("button", { name: "Stop everything" }).waitFor();
  // A role that is taken away counts from the next request on.
  const { users } = await ask("GET", "/api/v1/users");
  const { id } = users.find(({ username }) => username === APPROVER.username);
  await ask("PATCH", `/api/v1/users/${id}`, { role: "viewer" });
  await approver.page.reload();
  await approver.page.getByRole("heading", { name: "Agents may act" }).waitFor();
  assert.equal(await approver.page.getByRole("button", { name: /Stop/ }).count(), 0);
  const refused = /status of 403/;
  for (const { wrong, context } of [viewer, approver]) {
    assert.deepEqual(wrong.filter((line) => !refused.test(line)), []);
    await context.close();
  }
});

test("the first page is there within a second, and help and palette open by keyboard", async () => {
  const { page } = main;
  const times = [];
  for (let run = 0; run < 3; run += 1) {
    const start = performance.now();
    await page.goto("/approvals", { waitUntil: "commit" });
    await page.getByRole("heading", { name: "Approvals" }).waitFor();
    times.push(performance.now() - start);
  }
  const median = times.sort((a, b) => a - b)[1];
  console.log(`# interactive after ${median.toFixed(0)} ms (median of 3)`);
  // Generous: this machine also builds. The promise is a second on an idle one.
  assert.ok(median < 4_000, `interactive only after ${median} ms`);
  // Another theme, chosen as people choose it: no style element may be written for it.
  await page.getByRole("button", { name: /Account of/ }).click();
  await page.getByRole("menuitem", { name: "Dark" }).click();
  await page.locator("html[data-mantine-color-scheme=dark]").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Search or jump").waitFor();
  await accessible(page, "help");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search or jump" }).fill("create_charge");
  await accessible(page, "palette");
  await page.keyboard.press("Enter");
  await page.waitForURL(/catalogue\?type=create_charge/);
});

test("the list scrolls, and clicks are answered, while decisions pour in", async () => {
  const page = await main.context.newPage();
  await page.addInitScript(observe);
  await page.goto("/decisions");
  await page.getByRole("row").first().waitFor();
  await load({ url: server.url, keys: [server.agentKey], count: 1_500 });
  const scrolled = await scrollThrough(page, { seconds: 3, pixels: 120 });
  await page.goto("/decisions");
  await page.getByRole("row").first().waitFor();
  const [sent, felt] = await Promise.all([
    load({ url: server.url, keys: [server.agentKey], count: 1_200, perSecond: 300 }),
    interact(page, 12, async (time) => {
      if (time % 2 === 0) await page.getByRole("row").nth(2).click();
      else await page.keyboard.press("Escape");
      await page.waitForTimeout(250);
    }),
  ]);
  console.log(`# scrolled ${scrolled.rows} rows: frames ${JSON.stringify(scrolled.frames)}, long tasks ${JSON.stringify(scrolled.longTasks)}`);
  console.log(`# ${Math.round(sent.ok / sent.seconds)} decisions/s: interactions ${JSON.stringify(felt.interactions)}, long tasks ${JSON.stringify(felt.longTasks)}`);
  assert.ok(scrolled.rows > 100, "it did not scroll");
  // Generous: this machine also builds. `make bench-web` measures the real thing.
  assert.ok(scrolled.longTasks.max < 500, `a long task of ${scrolled.longTasks.max} ms while scrolling`);
  assert.ok(felt.interactions.p95 < 1_000, `an interaction took ${felt.interactions.p95} ms`);
  await page.close();
});

test("nothing was wrong on the way: no console error, no request to anybody else, a content policy on every page", () => {
  assert.deepEqual(main.wrong, []);
});
