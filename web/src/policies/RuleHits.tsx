import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { RuleHits as Rule } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Badge } from "../shared/Badge";
import { grouped } from "../shared/numbers";
import { Failure, Waiting } from "../shared/State";
import { hitsQuery } from "./api";
import list from "../shared/list.module.css";
import classes from "./policies.module.css";

/** How far back hits are counted, and the same as people say it. */
export const WITHIN = ["31d", "31 days"] as const;

/** How often each rule had a say, what came of it, and which never had one. */
export function RuleHits({ name, updatedAt }: { name: string; updatedAt: string }) {
  const { data, error, isPending, refetch } = useQuery(hitsQuery(name, WITHIN[0]));
  if (error !== null) return <div className={list.alone}><Failure error={error} retry={() => void refetch()} /></div>;
  if (isPending) return <div className={list.alone}><Waiting /></div>;
  const young = Date.parse(updatedAt) > Date.parse(data.since);
  const rules = data.rules.toSorted((a, b) => b.hits - a.hits);
  const most = Math.max(1, ...rules.map(({ hits }) => hits));
  return (
    <div className={classes.hits} tabIndex={0} role="region" aria-label="Rules">
      <table className={list.table}>
        <thead><tr><th>Rule</th><th>Had a say</th><th>What was decided then</th><th><span className="sr">Remarks</span></th></tr></thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.rule}>
              <td><Link to="/policies/$name" params={{ name }} search={{ rule: rule.rule }} className="mono">{rule.rule}</Link></td>
              <td className="num">{rule.hits === 0 ? "0" : <Link to="/decisions" search={{ rule: `${name}/${rule.rule}`, range: "30d" }}>{grouped(rule.hits)}</Link>}</td>
              <td><Outcomes rule={rule} most={most} /></td>
              <td>{rule.never ? <Badge title="no recorded decision matched it in this time: is it still needed, or does it never get there?">not hit</Badge> : null}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="quiet">
        Counted over {WITHIN[1]}, also where a stricter rule decided; a number leads to what the rule itself decided.
        {young ? <> This text is in force only since <Ago at={updatedAt} />.</> : null}
      </p>
    </div>
  );
}

function Outcomes({ rule, most }: { rule: Rule; most: number }) {
  const parts = [["allow", rule.allow, "allowed"], ["hold", rule.requireApproval, "held"], ["block", rule.block, "blocked"]] as const;
  const says = parts.filter(([, count]) => count > 0).map(([, count, word]) => `${grouped(count)} ${word}`).join(", ");
  return (
    <span className={classes.outcomes} title={says}>
      <span className="sr">{says}</span>
      {parts.map(([tone, count]) => (count === 0 ? null : <i key={tone} data-tone={tone} style={{ width: `${(100 * count) / most}%` }} />))}
    </span>
  );
}
