import { memo } from "react";
import type { DecisionView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Badge, OutcomeBadge, Severity } from "../shared/Badge";
import classes from "./decisions.module.css";

const COLUMNS = ["Outcome", "Action", "Target", "Agent", "Rule", "Severity", "When"];

export function Head() {
  return (
    <div className={classes.head} aria-hidden>
      {COLUMNS.map((column) => (
        <span key={column}>{column}</span>
      ))}
    </div>
  );
}

interface Props {
  row: DecisionView | undefined;
  top: number;
  height: number;
  selected: boolean;
  open: (row: DecisionView) => void;
}

/** One line. A row that is not loaded yet keeps its place. */
export const Row = memo(function Row({ row, top, height, selected, open }: Props) {
  const place = { transform: `translateY(${top}px)`, height };
  if (row === undefined) return <div className={classes.row} role="row" style={place}><span role="gridcell" className="quiet">…</span></div>;
  return (
    <div className={classes.row} role="row" aria-selected={selected} style={place} onClick={() => open(row)}>
      <span role="gridcell" className={classes.cOutcome}>
        <OutcomeBadge decision={row.decision} />
        {row.kind === "redemption" ? <Badge title="Decided again because somebody approved it">redeemed</Badge> : null}
        {row.count > 1 ? <Badge title={`stands for ${row.count} requests over the rate`}>×{row.count}</Badge> : null}
      </span>
      <span role="gridcell" className={classes.cAction} title={row.action.declared === row.action.type ? undefined : `declared as ${row.action.declared}`}>
        <a href={`/decisions?open=${encodeURIComponent(row.requestId)}&by=${row.agent.id}`} onClick={(event) => event.preventDefault()} tabIndex={-1}>
          {row.action.type || row.action.declared || "no call"}
        </a>
      </span>
      <span role="gridcell" className={classes.cTarget}>
        <span className="clip">{row.target}</span>
        {row.environment === "" ? null : <span className="quiet">{row.environment}</span>}
      </span>
      <span role="gridcell" className={classes.cAgent}>{row.agent.name ?? row.agent.id}</span>
      <span role="gridcell" className={classes.cRule} title={row.reason}>{row.matchedRule}</span>
      <span role="gridcell" className={classes.cSeverity}><Severity severity={row.severity} score={row.riskScore} /></span>
      <span role="gridcell" className={classes.cWhen}><Ago at={row.at} /></span>
    </div>
  );
});
