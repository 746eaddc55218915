import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { getPolicyOptions } from "../generated/@tanstack/react-query.gen";
import { Badge, OutcomeBadge } from "../shared/Badge";
import { Ticked } from "../shared/Risk";
import { leftOut, rulesOf, type RecordBody, type ShownRule } from "./record";
import { findRule, splitRule } from "./source";
import classes from "./decisions.module.css";

/** Every matched rule, where it is written. */
export function Rules({ body, matchedRule }: { body: RecordBody; matchedRule: string }) {
  const rules = rulesOf(body, matchedRule);
  const more = leftOut(body);
  const place = splitRule(matchedRule);
  if (rules.length === 0 && place !== undefined) return <div className={classes.rules}><Rule rule={{ rule: matchedRule, outcome: "", standing: "matched" }} decides /></div>;
  if (rules.length === 0) {
    return (
      <p className="quiet">
        No rule of a policy. <code>{matchedRule}</code> is a rule of the engine itself.
      </p>
    );
  }
  return (
    <div className={classes.rules}>
      {rules.map((rule) => (
        <Rule key={`${rule.standing} ${rule.rule}`} rule={rule} decides={rule.rule === matchedRule} />
      ))}
      {more > 0 ? <p className="quiet">and {more} more, which the entry names by digest only</p> : null}
    </div>
  );
}

function Rule({ rule, decides }: { rule: ShownRule; decides: boolean }) {
  const place = splitRule(rule.rule);
  return (
    <div className={classes.rule} data-decides={decides || undefined}>
      <div className={classes.ruleHead}>
        {place === undefined ? (
          <code>{rule.rule}</code>
        ) : (
          <Link to="/policies/$name" params={{ name: place.policy }} search={{ rule: place.id }} className="mono">
            {rule.rule}
          </Link>
        )}
        <span className={classes.verdict}>
          {decides ? <Badge tone="accent">decided</Badge> : null}
          {rule.standing === "matched" ? null : <Badge>{rule.standing}</Badge>}
          {rule.outcome === "" ? null : <OutcomeBadge decision={rule.outcome} />}
        </span>
      </div>
      {rule.says === undefined ? null : <p className="quiet"><Ticked text={rule.says} /></p>}
      {place === undefined ? null : <Source policy={place.policy} id={place.id} />}
    </div>
  );
}

function Source({ policy, id }: { policy: string; id: string }) {
  const { data } = useQuery({ ...getPolicyOptions({ path: { name: policy } }), staleTime: 60_000, retry: false });
  const source = data === undefined ? undefined : findRule(data.yaml, id);
  if (source === undefined) return null;
  const indent = /^\s*/.exec(source.lines[0] ?? "")?.[0].length ?? 0;
  return (
    <code className={classes.source} tabIndex={0} aria-label={`Text of ${policy}/${id} as published now`} role="region">
      {source.lines.map((line, offset) => (
        <span key={offset}>
          <i>{source.start + offset}</i>
          {line.slice(indent)}
        </span>
      ))}
    </code>
  );
}
