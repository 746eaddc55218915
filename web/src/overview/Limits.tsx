import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { listAgentsOptions, listLimitsOptions } from "../generated/@tanstack/react-query.gen";
import type { UsedLimit } from "../generated/types.gen";
import { splitRule } from "../decisions/source";
import { Ago } from "../shared/Ago";
import { Filling } from "../shared/Filling";
import { decimal } from "../shared/numbers";
import { span } from "../shared/time";
import classes from "./overview.module.css";

const SHOWN = 7;
/** From here on a limit is near its cap. */
const NEAR = 0.8;

export function shareOf({ used, of }: Pick<UsedLimit, "used" | "of">): number {
  const whole = Number(of);
  return whole > 0 ? Math.min(1, Number(used) / whole) : 1;
}

/** Limits of which most is used, fullest first. */
export function Limits() {
  const { data } = useQuery({ ...listLimitsOptions({ query: { limit: SHOWN } }), refetchInterval: 30_000 });
  const agents = useQuery({ ...listAgentsOptions(), staleTime: 30_000 }).data?.agents ?? [];
  if (data === undefined) return null;
  const nameOf = (id: string) => agents.find((agent) => agent.id === id)?.name ?? id;
  return (
    <section className={classes.card}>
      <div className={classes.head}>
        <h2>Limits near their cap</h2>
        <span className="quiet">{data.limits.length === 0 ? "" : `${data.limits.length} in force`}</span>
      </div>
      <Filling />
      {data.limits.length === 0 ? <p className="quiet">No policy limits how often or how much.</p> : null}
      {data.limits.length > 0 && data.used.length === 0 ? <p className="quiet">Nothing is used of any of them.</p> : null}
      <ul className={classes.limits}>
        {data.used.map((limit, place) => (
          <li key={place}>
            <Used limit={limit} nameOf={nameOf} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Used({ limit, nameOf }: { limit: UsedLimit; nameOf: (id: string) => string }) {
  const share = shareOf(limit);
  const who = Object.entries(limit.by).map(([part, value]) => (part === "agent" ? nameOf(value) : value));
  const whose = who.join(" · ") || "everybody together";
  const place = splitRule(limit.rule);
  const tone = share >= 1 ? "block" : share >= NEAR ? "hold" : "plain";
  return (
    <>
      {place === undefined ? <code className={classes.limitName}>{limit.rule}</code> : (
        <Link to="/policies/$name" params={{ name: place.policy }} search={{ rule: place.id }} className={`mono ${classes.limitName}`}>{limit.rule}</Link>
      )}
      {limit.last == null ? <span className={`clip ${classes.limitWho}`}>{whose}</span> : (
        <Link
          to="/decisions" className={`clip ${classes.limitWho}`} title="The decisions it counts"
          search={{ agent: limit.by.agent, target: limit.by.target, type: limit.by.action, open: limit.last.requestId, by: limit.by.agent }}
        >
          {whose}
        </Link>
      )}
      <span className={classes.limitUse}>
        <b className="num">{decimal(limit.used)}</b> <span className="quiet num">of {decimal(limit.of)} in {span(limit.withinSeconds * 1000)}</span>
        {share >= 1 && limit.resetsAt != null ? <span className="quiet">, frees up <Ago at={limit.resetsAt} /></span> : null}
      </span>
      <span className={classes.bar} role="img" aria-label={`${Math.floor(share * 100)} % used`}>
        <i data-tone={tone} style={{ width: `${Math.max(2, share * 100)}%` }} />
      </span>
    </>
  );
}
