/** An agent that connects systems. Its policy is the integrations pack; `github` is registered with its host. */
import type { Program } from "./program.js";

export const integrations: Program = {
  domain: "integrations",
  steps: (runplane, http) => {
    const pull = { direction: "pull" };
    const push = { direction: "push" };
    const issue = { method: "POST", url: "https://api.github.com/repos/acme/web/issues" };
    const token = { scope: "repo" };
    const hook = { url: "https://hooks.example/x" };
    return [
      {
        wish: "read records from the CRM",
        expect: "ran",
        act: () => runplane.guard("sync_data", "salesforce", pull, () => http.call("pull", pull)),
      },
      {
        wish: "write records to the CRM",
        expect: "ran",
        person: "approves",
        act: () => runplane.guard("sync_data", "salesforce", push, () => http.call("push", push)),
      },
      {
        wish: "issue an OAuth token",
        expect: "denied",
        person: "denies",
        act: () => runplane.guard("manage_oauth_token", "github", token, () => http.call("token", token)),
      },
      {
        wish: "redirect a webhook",
        expect: "denied",
        person: "denies",
        act: () => runplane.guard("modify_webhook", "github", hook, () => http.call("hook", hook)),
      },
      {
        wish: "create something in another system",
        expect: "blocked",
        act: () => runplane.guard("call_api", "github", issue, () => http.call("post", issue)),
      },
    ];
  },
};
