import type { ReactNode } from "react";
import classes from "./shared.module.css";
import { outcomeOf, SEVERITIES, stateOf, type Tone } from "./words";

export function Badge({ tone = "plain", children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={classes.badge} data-tone={tone} title={title}>
      {children}
    </span>
  );
}

export function OutcomeBadge({ decision }: { decision: string }) {
  const { label, tone } = outcomeOf(decision);
  return (
    <span className={classes.outcome} data-tone={tone}>
      <i aria-hidden />
      {label}
    </span>
  );
}

export function StateBadge({ state }: { state: string }) {
  const { label, tone } = stateOf(state);
  return <Badge tone={tone}>{label}</Badge>;
}

/** Four bars, so that it can be read without colour. */
export function Severity({ severity, score }: { severity: string; score?: number }) {
  const level = SEVERITIES.indexOf(severity as (typeof SEVERITIES)[number]) + 1;
  return (
    <span className={classes.severity} data-level={level}>
      <span className={classes.bars} aria-hidden>
        {[1, 2, 3, 4].map((bar) => (
          <i key={bar} data-on={bar <= level || undefined} />
        ))}
      </span>
      {severity}
      {score === undefined ? null : <span className="quiet num">{score}</span>}
    </span>
  );
}
