import { Button, PasswordInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../api/http";
import { begin, useSession } from "../api/session";
import { changePassword, signOutOthers } from "../generated/sdk.gen";
import { plural } from "../shared/numbers";
import { Facts } from "../shared/Page";
import classes from "../shared/list.module.css";
import { Card, Refusal } from "./SettingsPage";

/** One's own account. */
export function You() {
  const { user, may } = useSession();
  const [open, setOpen] = useState(false);
  const others = useMutation({
    mutationFn: async () => (await signOutOthers({ throwOnError: true })).data,
    onSuccess: ({ ended }) => notifications.show({ color: "green", message: `${plural(ended, "other session")} ended` }),
  });
  return (
    <Card id="you" title="You" says="Your account in this workspace.">
      <Facts
        facts={[
          ["Name", `${user?.displayName ?? ""} (${user?.username ?? ""})`],
          ["Role", `${user?.role ?? ""}: may ${(may ?? []).join(", ")}`],
          ["Groups", user?.groups.includes("*") ? "every group: your vote counts wherever a rule asks one" : user?.groups.join(", ") || <span className="quiet">none. Rules that ask a group for approval do not count your vote</span>],
        ]}
      />
      <Refusal error={others.error} />
      {open ? <Password done={() => setOpen(false)} /> : (
        <div className={classes.buttons} style={{ justifyContent: "flex-start" }}>
          <Button variant="default" onClick={() => setOpen(true)}>Change the password</Button>
          <Button variant="default" loading={others.isPending} onClick={() => others.mutate()}>Sign out everywhere else</Button>
        </div>
      )}
    </Card>
  );
}

function Password({ done }: { done: () => void }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation({
    mutationFn: async () =>
      (await changePassword({ body: { current, new: next }, throwOnError: true })).data,
    onSuccess: (session) => {
      begin(session);
      notifications.show({ color: "green", message: "Password changed; other sessions were ended" });
      done();
    },
  });
  const wrong = change.error !== null && Problem.of(change.error).code === "sign_in_failed";
  return (
    <form className={classes.form} onSubmit={(event) => (event.preventDefault(), change.mutate())}>
      <PasswordInput
        label="Current password" required autoComplete="current-password" value={current} error={wrong ? "That is not your password" : undefined}
        onChange={(event) => setCurrent(event.currentTarget.value)}
      />
      <PasswordInput label="New password" required minLength={12} maxLength={256} autoComplete="new-password" value={next} onChange={(event) => setNext(event.currentTarget.value)} />
      {wrong ? null : <Refusal error={change.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={done}>Cancel</Button>
        <Button type="submit" loading={change.isPending}>Change it</Button>
      </div>
    </form>
  );
}
