import { Link } from "@tanstack/react-router";
import type { Filters } from "../decisions/filters";
import { compact } from "../shared/numbers";
import { sum, type Top } from "./statistics";
import classes from "./overview.module.css";

interface Props {
  title: string;
  rows: readonly Top[];
  search: (key: string) => Filters;
  mono?: boolean;
}

/** The most frequent of a kind, each as a bar of its outcomes. */
export function Ranking({ title, rows, search, mono = false }: Props) {
  const most = Math.max(1, ...rows.map(sum));
  return (
    <section className={classes.card}>
      <div className={classes.head}><h2>{title}</h2></div>
      {rows.length === 0 ? <p className="quiet">Nothing in this time.</p> : null}
      <ul className={classes.ranking}>
        {rows.slice(0, 7).map((row) => (
          <li key={row.key}>
            <Link to="/decisions" search={search(row.key)} title={`${row.allow} allowed, ${row.requireApproval} held, ${row.block} blocked`}>
              <span className={mono ? "mono clip" : "clip"}>{row.name ?? (row.key || "no call")}</span>
              <span className="num">{compact(sum(row))}</span>
              <span className={classes.bar} aria-hidden>
                <i data-tone="allow" style={{ width: `${(100 * row.allow) / most}%` }} />
                <i data-tone="hold" style={{ width: `${(100 * row.requireApproval) / most}%` }} />
                <i data-tone="block" style={{ width: `${(100 * row.block) / most}%` }} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
