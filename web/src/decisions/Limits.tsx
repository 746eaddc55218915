import { Link } from "@tanstack/react-router";
import { Ago } from "../shared/Ago";
import { decimal } from "../shared/numbers";
import { span } from "../shared/time";
import type { LimitRead } from "./record";
import { splitRule } from "./source";
import classes from "./decisions.module.css";

/** What each limit it falls under came to with this decision. */
export function Limits({ limits }: { limits: readonly LimitRead[] }) {
  return (
    <ul className={classes.limits}>
      {limits.map((limit, place) => (
        <li key={place}>
          <Limit limit={limit} />
        </li>
      ))}
    </ul>
  );
}

function Limit({ limit: { rule, meter, used, of, within, resetsAt } }: { limit: LimitRead }) {
  const share = Number(of) > 0 ? Number(used) / Number(of) : 1;
  const place = splitRule(rule);
  return (
    <>
      {place === undefined ? <code>{rule}</code> : <Link to="/policies/$name" params={{ name: place.policy }} search={{ rule: place.id }} className="mono">{rule}</Link>}
      <span className="num">
        <b>{decimal(used)}</b> of {decimal(of)} <span className="quiet">in {span(within / 1000)}{meter === undefined ? "" : ` (${meter})`}</span>
      </span>
      <span className={classes.used} role="img" aria-label={`${Math.floor(share * 100)} % used`}>
        <i data-full={share > 1 || undefined} style={{ width: `${Math.min(100, Math.max(2, share * 100))}%` }} />
      </span>
      {resetsAt === undefined ? null : <span className="quiet">the first of it comes back <Ago at={new Date(resetsAt / 1000).toISOString()} /></span>}
    </>
  );
}
