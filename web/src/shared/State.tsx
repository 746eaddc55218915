import { Button } from "@mantine/core";
import { CircleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Problem } from "../api/http";
import classes from "./shared.module.css";

/** Nothing here yet: says why, and what to do next. */
export function Empty({ icon: Icon, title, children }: { icon: LucideIcon; title: string; children?: ReactNode }) {
  return (
    <div className={classes.empty}>
      <Icon size={22} strokeWidth={1.6} aria-hidden />
      <h3>{title}</h3>
      {children === undefined ? null : <div className={classes.emptyText}>{children}</div>}
    </div>
  );
}

const ADVICE: Record<string, string> = {
  unreachable: "Check that the server runs and that this machine reaches it. The page keeps trying.",
  page_not_loaded: "The server does not answer, or is another version by now. The page is loaded again as soon as it answers.",
  forbidden: "Your role does not cover this. An owner or admin can change it under Users.",
  store_unavailable: "The database does not answer. Nothing is decided until it does; `runplane doctor` says more.",
  audit_unavailable: "The ledger cannot be written, so nothing is allowed. Look at disk space, then `runplane doctor`.",
  unknown_policy: "It was never published under this name, or the link is wrong. Policies lists those in force.",
  unknown_agent: "The link may be wrong, or of another workspace. Agents lists those that are registered.",
  unknown_approval: "The link may be wrong, or of another workspace. Approvals lists what waits and what was decided.",
  unknown_request: "No decision with this request id is listed: the link may be wrong, or the list no longer reaches back so far. The ledger keeps every entry.",
  overloaded: "The server is busy. It answers again by itself; wait a moment.",
};

/** Something went wrong: says what, and what to do. */
export function Failure({ error, retry, title = "This could not be loaded" }: { error: unknown; retry?: () => void; title?: string }) {
  const problem = Problem.of(error);
  const advice = ADVICE[problem.code];
  return (
    <div className={classes.failure} role="alert">
      <CircleAlert size={18} aria-hidden />
      <div>
        <h3>{title}</h3>
        <p>{problem.detail}</p>
        {advice === undefined ? null : <p className="quiet">{advice}</p>}
        <p className="quiet">
          <code>{problem.code}</code>
        </p>
        {retry === undefined ? null : (
          <Button variant="default" mt={8} onClick={retry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

/** Grey lines in the shape of what is coming. */
export function Waiting({ lines = 6 }: { lines?: number }) {
  return (
    <div className={classes.waiting} aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <i key={line} />
      ))}
    </div>
  );
}
