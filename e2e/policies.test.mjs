/**
 * A policy has a past and several writers: what decided is shown as it was, a draft notices what happens under it, versions are
 * compared and come back. On a server of its own; each test stands by itself.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, openPage, screenshot, stage } from "./harness.mjs";
import { AUTHOR, join, setUpOwner } from "./people.mjs";

let server, browser, main, ask, runplane, close;

before(async () => {
  ({ server, browser, main, ask, runplane, close } = await stage());
  await setUpOwner(main.page, server);
});

after(() => close?.());

const put = (name, yaml, message) => ask("PUT", `/api/v1/policies/${name}`, { yaml, message });
const textOf = async (page) => (await page.getByRole("textbox", { name: "Policy text" }).innerText()).trimEnd();
const inForce = async (name) => (await ask("GET", `/api/v1/policies/${name}`)).yaml.trimEnd();
const policy = (name, decision, reason = "For this test") => `policy: ${name}
description: For this test
rules:
  - id: notes
    action: modify_record
    decision: ${decision}
    reason: ${reason}
`;

async function write(page, yaml) {
  await page.getByRole("textbox", { name: "Policy text" }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(yaml);
  await page.getByText("It would be published").waitFor();
}

const publishing = (page) => page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true });

async function publish(page, message) {
  await page.getByRole("button", { name: "Publish…" }).click();
  await page.getByLabel("What for").fill(message);
  await publishing(page).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** The lines that a decision shows of a rule, with their numbers. */
async function shownLines(page, rule, version) {
  const source = page.getByRole("region", { name: `Text of ${rule} as of version ${version}` });
  await source.waitFor();
  return source.locator("span").evaluateAll((lines) => lines.map((line) => [Number(line.querySelector("i").textContent), line.lastChild.textContent]));
}

test("an old decision shows its rule as it was then, line and text, though it was changed and removed since", async () => {
  const { page } = main;
  const aged = (head, rules) => `policy: aged\ndescription: For this test\n${head}rules:\n${rules}`;
  // The id stands last: it is found there too.
  const first = "  - action: modify_record\n    decision: ALLOW\n    reason: Notes are free\n    id: notes\n";
  await put("aged", aged("", first));
  const decide = async () => {
    await runplane.guard("modify_record", "crm", { recordType: "note", recordId: "n_1" }, async () => "ran").catch(() => undefined);
    for (;;) {
      const { decisions, projectedTo, ledgerSize } = await ask("GET", "/api/v1/decisions?limit=1&rule=aged/notes");
      if (projectedTo === ledgerSize && decisions[0] !== undefined) return decisions[0];
    }
  };
  const old = await decide();
  await put("aged", aged("# moved\n# down\n", "  - { id: notes, action: modify_record, decision: BLOCK, reason: Not any more }\n"));
  const young = await decide();
  assert.notEqual(young.requestId, old.requestId);
  await put("aged", aged("", "  - { id: others, action: modify_record, decision: ALLOW, reason: Free again }\n"));

  const open = ({ requestId, agent }) => page.goto(`/decisions?open=${requestId}&by=${agent.id}`);
  await open(old);
  assert.deepEqual(await shownLines(page, "aged/notes", 1), [[4, "- action: modify_record"], [5, "  decision: ALLOW"], [6, "  reason: Notes are free"], [7, "  id: notes"]]);
  await page.getByText("As of version 1, which was changed since").waitFor();
  await accessible(page, "a decision of an older version");
  await screenshot(page, "decision-older-version");
  await open(young);
  assert.deepEqual(await shownLines(page, "aged/notes", 2), [[6, "- { id: notes, action: modify_record, decision: BLOCK, reason: Not any more }"]]);
  await page.getByRole("link", { name: "version 2" }).click();
  await page.getByText("Version 2 against").waitFor();
});

test("what nobody has edited follows what a colleague publishes", async () => {
  const { page } = main;
  await put("shared", policy("shared", "ALLOW"));
  const author = await join(browser, server, ask, AUTHOR, "author");
  await page.goto("/policies/shared");
  await page.getByText("in force", { exact: true }).waitFor();
  await author.page.goto("/policies/shared");
  await write(author.page, policy("shared", "BLOCK"));
  await publish(author.page, "Stricter");
  await page.waitForFunction(() => /BLOCK/.test(document.querySelector("main [class*=editor]")?.shadowRoot?.textContent ?? ""));
  assert.equal(await textOf(page), await inForce("shared"));
  await page.getByText("in force", { exact: true }).waitFor();
  assert.equal(await page.getByText("draft", { exact: true }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Publish…" }).isDisabled(), true);

  // And a roll-back from the other window.
  await author.page.getByText("History", { exact: true }).click();
  await author.page.getByRole("button", { name: "1", exact: false }).last().click();
  await author.page.getByRole("button", { name: "Roll back to 1…" }).click();
  await author.page.getByRole("button", { name: "Roll back", exact: true }).click();
  await page.waitForFunction(() => /ALLOW/.test(document.querySelector("main [class*=editor]")?.shadowRoot?.textContent ?? ""));
  await page.getByText("in force", { exact: true }).waitFor();
  assert.deepEqual(author.wrong, []);
  await author.context.close();
});

test("a draft says that a colleague published meanwhile, shows what, and undoes it only on purpose", async () => {
  const { page } = main;
  await put("contested", policy("contested", "ALLOW"));
  await page.goto("/policies/contested");
  await page.getByText("in force", { exact: true }).waitFor();
  await write(page, policy("contested", "ALLOW", "Mine"));
  await put("contested", policy("contested", "BLOCK", "Theirs"), "An incident");
  const notice = page.getByRole("alert").filter({ hasText: "Changed meanwhile" });
  await notice.getByText("“An incident”").waitFor();
  assert.match(await textOf(page), /Mine/);
  await accessible(page, "changed meanwhile");
  await screenshot(page, "changed-meanwhile");

  await notice.getByRole("button", { name: "See the difference" }).click();
  const seen = page.getByRole("dialog").getByRole("textbox", { name: "What changed" });
  await seen.getByText("decision: BLOCK").waitFor();
  await seen.getByText("decision: ALLOW").waitFor();
  assert.doesNotMatch(await seen.innerText(), /Mine/);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  // Publishing over it must be meant, and meant for that very text.
  await page.getByRole("button", { name: "Publish…" }).click();
  await page.getByRole("dialog").getByText("Somebody else changed it after this draft was begun").waitFor();
  assert.equal(await publishing(page).isDisabled(), true);
  const meant = page.getByLabel("I have looked at the difference: replace what is in force");
  await meant.check();
  assert.equal(await publishing(page).isEnabled(), true);
  await accessible(page, "publishing over a colleague");
  await screenshot(page, "publish-over-a-colleague");
  await put("contested", policy("contested", "BLOCK", "Theirs, again"));
  await page.getByRole("dialog").getByText("Theirs, again").waitFor();
  assert.equal(await meant.isChecked(), false);
  assert.equal(await publishing(page).isDisabled(), true);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.match(await inForce("contested"), /Theirs, again/);

  await notice.getByRole("button", { name: "Take the new one" }).click();
  await page.getByText("in force", { exact: true }).waitFor();
  assert.equal(await textOf(page), await inForce("contested"));

  // Kept on purpose, it is a draft like any other.
  await write(page, policy("contested", "ALLOW", "Mine after all"));
  await put("contested", policy("contested", "BLOCK", "Theirs, a third time"));
  await notice.getByRole("button", { name: "Keep my draft" }).click();
  await notice.waitFor({ state: "detached" });
  await publish(page, "Agreed with them");
  await page.getByText("in force", { exact: true }).waitFor();
  assert.match(await inForce("contested"), /Mine after all/);
});

test("what is published in the moment before is not undone, though the page has not heard of it", async () => {
  await put("raced", policy("raced", "ALLOW"));
  // A window to which no event and no poll comes through in time.
  const own = await openPage(browser, server.url, { storageState: await main.context.storageState(), expects: /net::ERR_FAILED/ });
  await own.context.route("**/api/v1/events*", (route) => route.abort());
  await own.page.clock.install();
  await own.page.goto("/policies/raced");
  await write(own.page, policy("raced", "ALLOW", "Mine"));
  await own.page.getByRole("button", { name: "Publish…" }).click();
  await own.page.getByLabel("What for").fill("Mine");
  await publishing(own.page).waitFor();
  await own.page.clock.pauseAt(new Date(Date.now() + 60_000));
  await put("raced", policy("raced", "BLOCK", "Theirs"));
  await publishing(own.page).click();
  await own.page.clock.resume();
  await own.page.getByRole("dialog").getByText("Somebody else changed it a moment ago").waitFor();
  assert.equal(await publishing(own.page).isDisabled(), true);
  assert.match(await inForce("raced"), /Theirs/);
  assert.deepEqual(own.wrong, []);
  await own.context.close();
});

test("a new policy under a name that is taken says so before it takes its place", async () => {
  const { page } = main;
  await put("taken", policy("taken", "ALLOW", "Long here"));
  await page.goto("/policies/new");
  await write(page, policy("taken", "BLOCK", "New here"));
  await page.getByRole("button", { name: "Publish…" }).click();
  await page.getByRole("dialog").getByText("There is a policy taken already").waitFor();
  await page.getByRole("dialog").getByText("Long here").waitFor();
  assert.equal(await publishing(page).isDisabled(), true);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  page.once("dialog", (dialog) => void dialog.accept());
  await page.goto("/policies");
  assert.match(await inForce("taken"), /Long here/);
});

test("any two versions are compared, with the one in force too, and an old one is edited from", async () => {
  const { page } = main;
  for (const reason of ["The first", "The second", "The third"]) await put("versions", policy("versions", "ALLOW", reason), reason);
  await page.goto("/policies/versions?view=history");
  const diff = page.getByRole("textbox", { name: "What changed" });
  const says = async (...reasons) => {
    for (const reason of reasons) await diff.getByText(`reason: ${reason}`).waitFor();
    const text = await diff.innerText();
    for (const other of ["The first", "The second", "The third"]) assert.equal(text.includes(other), reasons.includes(other), `${other} in\n${text}`);
    assert.equal(await diff.locator(".cm-deletedChunk").innerText().then((removed) => removed.trim()), `reason: ${reasons[0]}`, "what stood there before");
  };
  // Without a choice: against the one before.
  await says("The second", "The third");
  const against = async (name) => {
    await page.getByRole("combobox", { name: "Compare with" }).click();
    await page.getByRole("option", { name }).click();
  };
  await against("version 1");
  await says("The first", "The third");
  await page.getByRole("button", { name: /The first/ }).click();
  await against("version 3 (in force)");
  await says("The third", "The first");
  await accessible(page, "versions compared");
  await screenshot(page, "versions-compared");
  // The comparison is in the address.
  await page.reload();
  await says("The third", "The first");

  await page.getByRole("button", { name: "Edit from here" }).click();
  await page.getByText("draft", { exact: true }).waitFor();
  assert.match(await textOf(page), /The first/);
  await page.getByText("It would be published").waitFor();
  await publish(page, "Back, by hand");
  await page.getByText("in force", { exact: true }).waitFor();
  assert.match(await inForce("versions"), /The first/);
});

test("nothing was wrong on the way", () => assert.deepEqual(main.wrong, []));
