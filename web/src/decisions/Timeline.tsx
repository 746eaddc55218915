import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { getApprovalOptions } from "../generated/@tanstack/react-query.gen";
import type { ApprovalView, DecisionTrace } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { outcomeOf, type Tone } from "../shared/words";
import { Person } from "../users/Person";
import classes from "./decisions.module.css";

interface Happening {
  at: string;
  tone: Tone;
  says: ReactNode;
  quote?: string | null;
}

/** From the question to what really happened, in order. */
export function Timeline({ trace }: { trace: DecisionTrace }) {
  const id = trace.approvalId;
  const { data: approval } = useQuery({ ...getApprovalOptions({ path: { id: id ?? "" } }), enabled: id != null });
  const happenings = happeningsOf(trace, approval);
  return <Steps happenings={happenings} />;
}

export function Steps({ happenings }: { happenings: readonly Happening[] }) {
  return (
    <ol className={classes.timeline}>
      {happenings.map(({ at, tone, says, quote }, place) => (
        <li key={place}>
          <i data-tone={tone} aria-hidden />
          <div>
            {says}
            {quote == null || quote === "" ? null : <blockquote>{quote}</blockquote>}
          </div>
          <span className="quiet">
            <Ago at={at} />
          </span>
        </li>
      ))}
    </ol>
  );
}

export function votesOf(approval: ApprovalView): Happening[] {
  return approval.votes.map(({ at, by, verdict, comment, ...vote }): Happening => {
    const name = "byName" in vote && typeof vote.byName === "string" ? vote.byName : undefined;
    return { at, tone: verdict === "approve" ? "allow" : "block", says: <><b><Person id={by} name={name} /></b> {verdict === "approve" ? "approved" : "denied"}</>, quote: comment };
  });
}

function happeningsOf(trace: DecisionTrace, approval: ApprovalView | undefined): Happening[] {
  const { label, tone } = outcomeOf(trace.decision);
  const list: Happening[] = [{ at: trace.at, tone, says: <>{trace.kind === "redemption" ? "Decided again" : "Asked"}: <b>{label.toLowerCase()}</b></> }];
  if (approval !== undefined) {
    list.push(...votesOf(approval));
    if ((approval.state === "expired" || approval.state === "cancelled") && approval.resolvedAt != null) {
      list.push({ at: approval.resolvedAt, tone: "plain", says: approval.state === "expired" ? "Nobody decided in time" : "Cancelled" });
    }
  }
  for (const other of trace.related) {
    if (other.kind !== "redemption" || other.agent.id !== trace.agent.id) continue;
    const { label: again, tone: mark } = outcomeOf(other.decision);
    list.push({ at: other.at, tone: mark, says: <>Redeemed, decided again: <b>{again.toLowerCase()}</b></>, quote: other.decision === "ALLOW" ? null : other.reason });
  }
  if (trace.outcome != null) {
    const { status, at, detail } = trace.outcome;
    list.push({ at, tone: status === "succeeded" ? "allow" : status === "failed" ? "block" : "plain", says: <>The program reports: <b>{status}</b></>, quote: detail });
  }
  return list.sort((a, b) => a.at.localeCompare(b.at));
}
