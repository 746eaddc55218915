import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { EyeOff } from "lucide-react";
import type { ShadowTally } from "../generated/types.gen";
import { splitRule } from "../decisions/source";
import { Ago } from "../shared/Ago";
import { Badge, OutcomeBadge } from "../shared/Badge";
import { grouped, plural } from "../shared/numbers";
import { Page } from "../shared/Page";
import { Empty, Failure, Waiting } from "../shared/State";
import { outcomeOf } from "../shared/words";
import { RANGES, reportQuery } from "./report";
import classes from "./shadow.module.css";

/** What would have been decided otherwise: by policies in shadow mode, and by enforcement while the workspace observed. */
export function ShadowPage() {
  const { range } = useSearch({ from: "/inside/shadow" });
  const navigate = useNavigate({ from: "/shadow" });
  const span = RANGES.find(([value]) => value === range) ?? RANGES[1];
  const { data, error, isPending, refetch } = useQuery(reportQuery(span[2]));
  return (
    <Page
      title="What would change" back={{ to: "/policies", name: "Policies" }}
      actions={
        <SegmentedControl
          aria-label="Time" value={span[0]} data={RANGES.map(([value, label]) => ({ value, label }))}
          onChange={(next) => void navigate({ search: { range: next === "7d" ? undefined : next }, replace: true })}
        />
      }
    >
      {error !== null ? <Failure error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Waiting lines={8} /> : null}
      {data === undefined ? null : (
        <div className={classes.report}>
          <p className="quiet">
            {plural(data.decisions, "recorded decision")} looked at{data.next == null ? "" : ", the oldest of a longer time"}. Nothing is decided again: each rule is taken at what it said in its place in the log.
          </p>
          {data.rules.length === 0 ? (
            <Empty icon={EyeOff} title="No shadow rule had a say">
              <p>
                Give a policy <code>mode: shadow</code> and its rules are weighed with every call and enforced with none; or let the whole workspace observe under{" "}
                <Link to="/settings" hash="observing">Settings</Link>. What they would have changed is counted here, with examples.
              </p>
            </Empty>
          ) : data.rules.map((tally) => <Tally key={`${tally.mode} ${tally.rule}`} tally={tally} />)}
        </div>
      )}
    </Page>
  );
}

function Tally({ tally: { rule, mode, calls, different, errors, changes, examples } }: { tally: ShadowTally }) {
  const place = splitRule(rule);
  return (
    <section className={classes.tally}>
      <header>
        {place === undefined ? <code>{rule}</code> : <Link to="/policies/$name" params={{ name: place.policy }} search={{ rule: place.id }} className="mono">{rule}</Link>}
        <Badge tone="accent">{mode === "observed" ? "while observing" : "in shadow"}</Badge>
        <span className={classes.figures}>
          <b className="num">{grouped(different)}</b> of {plural(calls, "call")} would be decided otherwise
        </span>
      </header>
      <ul className={classes.changes}>
        {changes.map(({ from, to, count }) => (
          <li key={`${from} ${to}`}>
            <span className="num">{grouped(count)}</span> <OutcomeBadge decision={from} /> <span className="sr">would be</span><span aria-hidden>→</span> <OutcomeBadge decision={to} />
          </li>
        ))}
        {errors === 0 ? null : <li data-tone="hold">{plural(errors, "call")} on which its condition had no value</li>}
      </ul>
      {examples.length === 0 ? null : (
        <ul className={classes.examples}>
          {examples.map(({ requestId, agent, action, target, at, decided, would }) => (
            <li key={requestId}>
              <Link to="/decisions" search={{ open: requestId, by: agent }}>
                <span className="mono clip">{action}</span>
                <span className="quiet clip">{target}</span>
                <span className="clip">{outcomeOf(decided).label} → {outcomeOf(would).label}</span>
                <span className="quiet"><Ago at={at} /></span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
