import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Filters } from "../decisions/filters";
import { Ago, Countdown } from "../shared/Ago";
import { compact, grouped } from "../shared/numbers";
import { changeOf } from "./axis";
import { beforeQuery, share, sum, type Span, type Statistics } from "./statistics";
import classes from "./overview.module.css";

/** What one looks at first: what waits, and how much of each outcome there was, beside the time before. */
export function Tiles({ statistics, span }: { statistics: Statistics; span: Span }) {
  const before = useQuery(beforeQuery(span)).data?.totals;
  const { totals, approvals } = statistics;
  const [range] = span;
  const total = sum(totals);
  return (
    <div className={classes.tiles}>
      <Link to="/approvals" className={classes.tile} data-tone={approvals.waiting > 0 ? "hold" : undefined}>
        <span>Waiting for a person</span>
        <b className="num">{compact(approvals.waiting)}</b>
        <small>
          {approvals.oldestAt == null ? "nothing waits" : <>oldest <Ago at={approvals.oldestAt} /></>}
          {approvals.soonestExpiry == null ? null : <>, next expires in <Countdown until={approvals.soonestExpiry} /></>}
        </small>
      </Link>
      <Tile name="Decisions" search={{ range }} count={total} says={`${grouped(statistics.ledgerSize)} entries`} before={before === undefined ? undefined : sum(before)} span={span} />
      <Tile name="Allowed" search={{ range, outcome: "ALLOW" }} count={totals.allow} says={`${share(totals.allow, total)} of all`} before={before?.allow} span={span} />
      <Tile name="Held" search={{ range, outcome: "REQUIRE_APPROVAL" }} count={totals.requireApproval} says={`${share(totals.requireApproval, total)} of all`} before={before?.requireApproval} span={span} />
      <Tile name="Blocked" search={{ range, outcome: "BLOCK" }} count={totals.block} says={`${share(totals.block, total)} of all`} before={before?.block} span={span} />
    </div>
  );
}

function Tile(props: { name: string; search: Filters; count: number; says: string; before: number | undefined; span: Span }) {
  const change = changeOf(props.count, props.before);
  return (
    <Link to="/decisions" search={props.search} className={classes.tile}>
      <span>{props.name}</span>
      <b className="num">{compact(props.count)}</b>
      <small>
        {props.says}
        {change === undefined ? null : <span className="num" title={`against the ${props.span[1]} before: ${grouped(props.before ?? 0)}`}> · {change}</span>}
      </small>
    </Link>
  );
}
