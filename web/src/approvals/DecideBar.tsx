import { Button, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, FilePlus2, X } from "lucide-react";
import { useRef, useState, type KeyboardEvent } from "react";
import { Problem } from "../api/http";
import { useMay } from "../api/session";
import { Keys, useShortcuts } from "../app/shortcuts";
import type { ApprovalView } from "../generated/types.gen";
import { plural } from "../shared/numbers";
import { decideAll, summaryOf, type Verdict } from "./decide";
import classes from "./approvals.module.css";

interface Props {
  approval: ApprovalView;
  /** All identical asks, decided together. */
  ids: readonly string[];
  next: () => void;
}

/**
 * Approve or deny. A key opens the choice, Enter makes it: one stray key press decides nothing.
 */
export function DecideBar({ approval, ids, next }: Props) {
  const mayDecide = useMay("approve");
  const mayPublish = useMay("publish");
  const [verdict, setVerdict] = useState<Verdict>();
  const [comment, setComment] = useState("");
  const input = useRef<HTMLTextAreaElement>(null);
  // The server says whether a vote would count: quorum, groups, who asked, who voted.
  const can = approval.canDecide ?? mayDecide;

  const decide = useMutation({
    mutationFn: (chosen: Verdict) => decideAll(ids, chosen, comment.trim()),
    onSuccess: (results, chosen) => {
      const { done, failed } = summaryOf(results);
      if (done > 0) {
        notifications.show({ color: chosen === "approve" ? "green" : "gray", message: `${chosen === "approve" ? "Approved" : "Denied"}: ${approval.action.summary}` });
        next();
      }
      for (const { detail } of failed.slice(0, 1)) notifications.show({ color: "red", title: `${plural(failed.length, "ask")} not decided`, message: detail });
    },
  });
  const begin = (chosen: Verdict) => {
    if (!can) return;
    setVerdict(chosen);
    requestAnimationFrame(() => input.current?.focus());
  };
  const leave = () => {
    setVerdict(undefined);
    input.current?.blur();
  };
  useShortcuts([
    { keys: "a", label: "Approve, Enter confirms", group: "Inbox", run: () => begin("approve") },
    { keys: "d", label: "Deny, Enter confirms", group: "Inbox", run: () => begin("deny") },
  ]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      leave();
    } else if (event.key === "Enter" && !event.shiftKey && verdict !== undefined && !event.nativeEvent.isComposing) {
      event.preventDefault();
      if (!decide.isPending) decide.mutate(verdict);
    }
  };

  if (!can) return <div className={classes.bar}><p className="quiet">{mayDecide ? sentence(approval.cannotDecideBecause) : "Your role may look, but not decide. An approver can."}</p></div>;
  const many = ids.length > 1 ? ` all ${ids.length}` : "";
  return (
    <div className={classes.bar} data-verdict={verdict}>
      {decide.error === null ? null : <p role="alert" className={classes.barError}>{Problem.of(decide.error).detail}</p>}
      {verdict === undefined ? (
        <div className={classes.barButtons}>
          {mayPublish && approval.action.type !== "" ? (
            <Button
              size="sm" variant="subtle" color="gray" leftSection={<FilePlus2 size={15} />} className={classes.standing}
              renderRoot={(props) => <Link to="/policies/new" search={{ from: approval.id }} {...props} />}
            >
              Allow this kind from now on
            </Button>
          ) : null}
          <Button size="sm" variant="default" leftSection={<X size={15} />} onClick={() => begin("deny")} rightSection={<Keys keys="d" />}>
            Deny{many}
          </Button>
          <Button size="sm" color="green" leftSection={<Check size={15} />} onClick={() => begin("approve")} rightSection={<Keys keys="a" />}>
            Approve{many}
          </Button>
        </div>
      ) : (
        <div className={classes.confirm} onKeyDown={onKeyDown}>
          <Textarea
            ref={input} value={comment} onChange={(event) => setComment(event.currentTarget.value)} minRows={1} maxRows={4} maxLength={1000} size="sm"
            aria-label="Comment" placeholder={verdict === "deny" ? "Why not? The agent's program is told this." : "Comment, if there is something to say"}
          />
          <Button size="sm" variant="default" onClick={leave}>
            Back
          </Button>
          <Button size="sm" color={verdict === "deny" ? "red" : "green"} loading={decide.isPending} onClick={() => decide.mutate(verdict)} rightSection={<Keys keys="Enter" />}>
            {verdict === "deny" ? `Deny${many}` : `Approve${many}`}
          </Button>
        </div>
      )}
    </div>
  );
}

function sentence(why: string | null | undefined): string {
  return why == null ? "You cannot decide this." : `You cannot decide this: ${why}.`;
}
