import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Problem } from "../api/http";
import { versionAt, versionQuery, versionsQuery } from "../policies/api";
import { Badge, OutcomeBadge } from "../shared/Badge";
import { plural } from "../shared/numbers";
import { Ticked } from "../shared/Risk";
import { leftOut, rulesOf, type RecordBody, type ShownRule } from "./record";
import { findRule, splitRule } from "./source";
import classes from "./decisions.module.css";

/** Every matched rule, where it is written. */
export function Rules({ body, matchedRule, epoch }: { body: RecordBody; matchedRule: string; epoch: number | undefined }) {
  const rules = rulesOf(body, matchedRule);
  const more = leftOut(body);
  const place = splitRule(matchedRule);
  if (rules.length === 0 && place !== undefined) return <div className={classes.rules}><Rule rule={{ rule: matchedRule, outcome: "", standing: "matched" }} epoch={epoch} decides /></div>;
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
        <Rule key={`${rule.standing} ${rule.rule}`} rule={rule} epoch={epoch} decides={rule.rule === matchedRule} />
      ))}
      {more > 0 ? <p className="quiet">and {more} more, which the entry names by digest only</p> : null}
    </div>
  );
}

function Rule({ rule, epoch, decides }: { rule: ShownRule; epoch: number | undefined; decides: boolean }) {
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
      {place === undefined || epoch === undefined ? null : <Source policy={place.policy} id={place.id} epoch={epoch} />}
    </div>
  );
}

/** The rule as it was when it had its say: policies are published again, and a decision stays what it was. */
function Source({ policy, id, epoch }: { policy: string; id: string; epoch: number }) {
  const versions = useQuery({ ...versionsQuery(policy), staleTime: 60_000 });
  const then = versions.data === undefined ? undefined : versionAt(versions.data, epoch);
  const text = useQuery({ ...versionQuery(policy, then?.version ?? 0), enabled: then !== undefined });
  const error = versions.error ?? text.error;
  if (error !== null) return <p className="quiet">The text it had cannot be read: {Problem.of(error).detail}</p>;
  if (versions.data !== undefined && then === undefined) return <p className="quiet">No version of {policy} from that time is kept.</p>;
  if (then === undefined || text.data === undefined) return null;
  const source = text.data.yaml == null ? undefined : findRule(text.data.yaml, id);
  const history = <Link to="/policies/$name" params={{ name: policy }} search={{ view: "history", version: then.version }}>version {then.version}</Link>;
  const since = versions.data?.[0]?.version === then.version ? "" : ", which was changed since";
  if (source === undefined) return <p className="quiet">As of {history} of {policy}{since}. Its lines could not be told apart there.</p>;
  const indent = /^\s*/.exec(source.lines[0] ?? "")?.[0].length ?? 0;
  return (
    <>
      <p className="quiet">As of {history}{since}:</p>
      <code className={classes.source} tabIndex={0} aria-label={`Text of ${policy}/${id} as of version ${then.version}`} role="region">
        {source.lines.map((line, offset) => (
          <span key={offset}>
            <i>{source.start + offset}</i>
            {line.slice(indent)}
          </span>
        ))}
        {source.more > 0 ? <span><i />… {plural(source.more, "more line")}</span> : null}
      </code>
    </>
  );
}
