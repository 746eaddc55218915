/** People with accounts, each in a browser of their own. */
import { openPage } from "./harness.mjs";

export const OWNER = { username: "ada", displayName: "Ada Lovelace", password: "a quiet engine of brass" };
export const APPROVER = { username: "grace", displayName: "Grace Hopper", password: "nanoseconds of copper wire" };
export const AUTHOR = { username: "mary", displayName: "Mary Jackson", password: "wind over a silver wing" };
export const VIEWER = { username: "vera", displayName: "Vera Rubin", password: "flat curves far outside" };

/** Makes the first account, through the link that the server printed. */
export async function setUpOwner(page, server) {
  await page.goto(server.setupUrl);
  await page.getByLabel("User name").fill(OWNER.username);
  await page.getByLabel("Your name").fill(OWNER.displayName);
  await page.locator("input[name=password]").fill(OWNER.password);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

/** Makes an account and uses its one-time link. Options are those of `openPage`. */
export async function join(browser, server, ask, { username, displayName, password, groups }, role, options) {
  const { user, link } = await ask("POST", "/api/v1/users", { username, displayName, role, groups });
  const theirs = await openPage(browser, server.url, options);
  await theirs.page.goto(`${server.url}/setup#token=${link.token}`);
  await theirs.page.locator("input[name=password]").fill(password);
  await theirs.page.getByRole("button", { name: "Save and sign in" }).click();
  await theirs.page.getByRole("heading", { name: "Overview" }).waitFor();
  return { ...theirs, user };
}

export async function signIn(page, { username, password }) {
  await page.getByRole("textbox", { name: "User name" }).fill(username);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages" }).first().waitFor();
}

export async function signOut(page) {
  await page.getByRole("button", { name: /Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}
