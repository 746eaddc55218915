/**
 * Every page there is, in both themes and at both widths: no serious finding of axe, nothing to scroll sideways, and a picture
 * in screens/ to be looked at. With a server and traffic of its own.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, openPage, screenshot, stage } from "./harness.mjs";
import { setUpOwner } from "./people.mjs";
import { seed } from "./seed.mjs";

/** What the browser notes when a test cuts it off from the server. */
const CUT_OFF = /net::ERR_(FAILED|CONNECTION_REFUSED)/;

let server, browser, main, ask, close;

before(async () => {
  ({ server, browser, main, ask, close } = await stage());
});

after(() => close?.());

/** All four with RUNPLANE_FULL=1; otherwise the two in which everything occurs once. */
const LOOKS = [[1440, 900, "light"], [390, 844, "dark"], ...(process.env.RUNPLANE_FULL ? [[1440, 900, "dark"], [390, 844, "light"]] : [])];

/** The page as it is now, at both widths and in both themes. */
async function look(page, name) {
  await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
  for (const [width, height, theme] of LOOKS) {
    await page.setViewportSize({ width, height });
    await page.evaluate((value) => document.documentElement.setAttribute("data-mantine-color-scheme", value), theme);
    await page.waitForTimeout(150);
    await screenshot(page, `${name}-${width}-${theme}`);
    await accessible(page, `${name}, ${theme}, ${width} px`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px too wide at ${width} px`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

const heading = (page, name) => page.getByRole("heading", { name, level: 1 }).waitFor();

test("before anybody has an account: the door, the set-up page, and a link that has ended", async () => {
  const { context, page, wrong } = await openPage(browser, server.url, { expects: /status of 4\d\d/ });
  await page.goto("/");
  await heading(page, "Nobody has an account yet");
  // What it advises exists.
  await page.getByText("runplane users add ada --role owner").waitFor();
  await look(page, "first-run");
  await page.goto(`${server.url}/setup#token=rps_ended`);
  await heading(page, "This link does not work any more");
  await page.getByText("restart runplane serve or runplane dev").waitFor();
  await look(page, "setup-ended");
  await page.goto(server.setupUrl);
  await heading(page, "Make the first account");
  await look(page, "setup");
  assert.deepEqual(wrong, []);
  await context.close();
  await setUpOwner(main.page, server);
  // An overview that teaches the next step.
  await main.page.getByText("No agent has asked anything yet").waitFor();
  await look(main.page, "overview-empty");
});

test("signed out: the sign-in page, also where a page of the inside would be", async () => {
  const { context, page, wrong } = await openPage(browser, server.url);
  for (const [path, name] of [["/", "sign-in"], ["/no/such/page", "sign-in-elsewhere"]]) {
    await page.goto(path);
    await heading(page, "Sign in");
    await look(page, name);
  }
  assert.deepEqual(wrong, []);
  await context.close();
});

const PAGES = [
  "/", "/decisions", "/approvals", "/approvals?status=closed", "/policies", "/policies/new", "/policies/payments", "/policies/payments?view=rules", "/policies/payments?view=history",
  "/shadow", "/containment", "/agents", "/catalogue?type=process_refund", "/ledger", "/users", "/settings", "/no/such/page",
];

test("every page, in both themes and at both widths, is accessible", async () => {
  const { page } = main;
  await seed({ url: server.url, token: server.token, count: 160, leaveOpen: 8 });
  const { yaml } = await ask("GET", "/api/v1/policies/payments");
  await ask("PUT", "/api/v1/policies/payments", { yaml: yaml.replace("description: ", "description: Holidays. "), message: "Holidays" });
  const { approvals } = await ask("GET", "/api/v1/approvals?status=pending");
  const [{ id }] = approvals.filter(({ action }) => action.type === "process_refund");
  const [row] = (await ask("GET", "/api/v1/decisions?limit=1&rule=payments/refund-over-500")).decisions;
  const one = [`/decisions?open=${row.requestId}&by=${row.agent.id}`, `/agents/${row.agent.id}`, `/approvals/${id}`, `/policies/new?from=${id}`];
  for (const path of [...PAGES, ...one]) {
    await page.goto(path);
    await page.locator("main h1").first().waitFor();
    if (path.includes(id) || path.includes(row.requestId)) await page.locator("main h2").first().waitFor();
    if (path.startsWith("/approvals/")) await page.getByRole("button", { name: "Approve" }).waitFor();
    // Its code comes after the page.
    if (path === "/") await page.locator(".recharts-bar-rectangle").first().waitFor();
    if (path.startsWith("/policies/new") || path === "/policies/payments") await page.locator("main form, .cm-content").first().waitFor();
    const name = path.replace(/(agt|req|apr)_\w+/g, "one").replace(/\W+/g, "-").replace(/^-|-$/g, "") || "overview";
    await look(page, name);
  }
  // On a phone nothing is open yet: the inbox itself.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/approvals");
  await page.getByRole("link", { name: /Refund/ }).first().waitFor();
  await screenshot(page, "approvals-inbox-390");
  await accessible(page, "the inbox, 390 px");
  await page.setViewportSize({ width: 1440, height: 900 });
  // What the first screen of the overview does not show.
  await page.goto("/");
  await page.getByRole("heading", { name: "This node" }).scrollIntoViewIfNeeded();
  await screenshot(page, "overview-end");
  assert.deepEqual(main.wrong, []);
});

test("what is not there, and a server that does not answer, say what to do", async () => {
  const storageState = await main.context.storageState();
  const { context, page, wrong } = await openPage(browser, server.url, { storageState, expects: new RegExp(`${CUT_OFF.source}|status of 404`) });
  await page.goto("/policies/none");
  await page.getByRole("alert").getByText("unknown_policy").waitFor();
  await page.getByRole("alert").getByText("Policies lists those in force").waitFor();
  await look(page, "failure");
  await page.goto("/decisions");
  await page.getByRole("row").first().waitFor();
  await context.route("**/api/**", (route) => route.abort());
  await page.goto("/approvals");
  await heading(page, "Runplane cannot be reached");
  await page.getByText("Check that the server runs").waitFor();
  await look(page, "unreachable");
  // It keeps trying.
  await context.unroute("**/api/**");
  await heading(page, "Approvals");
  await context.route("**/api/**", (route) => route.abort());
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("alert").getByText("The server stopped answering").waitFor();
  await look(page, "silent");
  await context.unroute("**/api/**");
  await page.getByText("The server stopped answering").waitFor({ state: "detached" });
  assert.deepEqual(wrong, []);
  await context.close();
});
