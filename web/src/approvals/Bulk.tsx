import { Button, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { useState } from "react";
import { Keys, useShortcuts } from "../app/shortcuts";
import { plural } from "../shared/numbers";
import { Failure } from "../shared/State";
import { decideAll, summaryOf, type Verdict } from "./decide";
import type { Group } from "./inbox";
import classes from "./approvals.module.css";

/** Several asks decided at once. Every one of them is named first. */
export function Bulk({ groups, done }: { groups: readonly Group[]; done: () => void }) {
  const ids = groups.flatMap(({ asks }) => asks.map(({ id }) => id));
  const [comment, setComment] = useState("");
  const [armed, setArmed] = useState<Verdict>();
  const decide = useMutation({
    mutationFn: (verdict: Verdict) => decideAll(ids, verdict, comment.trim()),
    onSuccess: (results, verdict) => {
      const { done: count, failed } = summaryOf(results);
      notifications.show({
        color: failed.length > 0 ? "red" : "green",
        title: `${verdict === "approve" ? "Approved" : "Denied"} ${plural(count, "ask")}`,
        message: failed.length === 0 ? "" : `${plural(failed.length, "ask")} not decided: ${failed[0]?.detail ?? ""}`,
      });
      done();
    },
  });
  useShortcuts([
    { keys: "a", label: "Approve the chosen, Enter confirms", group: "Inbox", run: () => setArmed("approve") },
    { keys: "d", label: "Deny the chosen, Enter confirms", group: "Inbox", run: () => setArmed("deny") },
    { keys: "Enter", label: "Confirm", group: "Inbox", run: () => armed !== undefined && !decide.isPending && decide.mutate(armed) },
  ]);
  return (
    <article className={classes.ask}>
      <div className={classes.askBody} tabIndex={0} role="region" aria-label="Chosen asks">
        <header className={classes.askHead}>
          <h2>{plural(ids.length, "ask")} chosen</h2>
        </header>
        <ul className={classes.chosen}>
          {groups.map(({ digest, first, asks }) => (
            <li key={digest}>
              <span>{first.action.summary}</span>
              <span className="quiet">
                {first.agent.name} · {first.action.environment} · {first.severity}
                {asks.length > 1 ? ` · ×${asks.length}` : ""}
              </span>
            </li>
          ))}
        </ul>
        {decide.error === null ? null : <Failure error={decide.error} title="Nothing was decided" />}
      </div>
      <div className={classes.bar} data-verdict={armed}>
        <div className={classes.confirm}>
          <Textarea
            value={comment} onChange={(event) => setComment(event.currentTarget.value)} minRows={1} maxRows={4} maxLength={1000} size="sm"
            aria-label="Comment for all" placeholder="One comment for all of them"
          />
          {armed === undefined ? (
            <>
              <Button size="sm" variant="default" leftSection={<X size={15} />} onClick={() => setArmed("deny")} rightSection={<Keys keys="d" />}>
                Deny {ids.length}
              </Button>
              <Button size="sm" color="green" leftSection={<Check size={15} />} onClick={() => setArmed("approve")} rightSection={<Keys keys="a" />}>
                Approve {ids.length}
              </Button>
            </>
          ) : (
            <>
              <Button size="sm" variant="default" onClick={() => setArmed(undefined)}>
                Back
              </Button>
              <Button size="sm" color={armed === "deny" ? "red" : "green"} loading={decide.isPending} onClick={() => decide.mutate(armed)} rightSection={<Keys keys="Enter" />}>
                {armed === "deny" ? "Deny" : "Approve"} all {ids.length}
              </Button>
            </>
          )}
        </div>
      </div>
    </article>
  );
}
