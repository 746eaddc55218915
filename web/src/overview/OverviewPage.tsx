import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChartColumnStacked } from "lucide-react";
import { lazy, memo, Suspense, useDeferredValue } from "react";
import { part } from "../app/parts";
import { Copy } from "../shared/Copy";
import { Ago } from "../shared/Ago";
import { duration, grouped, plural } from "../shared/numbers";
import { Page } from "../shared/Page";
import { Empty, Failure, Waiting } from "../shared/State";
import { Limits } from "./Limits";
import { RiskBands } from "./RiskBands";
import { SPANS, spanOf, statisticsQuery, sum, type Statistics } from "./statistics";
import { Ranking } from "./Ranking";
import { Tiles } from "./Tiles";
import classes from "./overview.module.css";

const OverTime = lazy(part(() => import("./OverTime")));

/** What agents did, in numbers; every number leads to the rows behind it. */
export function OverviewPage() {
  const { range } = useSearch({ from: "/inside/" });
  const navigate = useNavigate({ from: "/" });
  const span = spanOf(range);
  const { data, error, refetch } = useQuery(statisticsQuery(span));
  // Under a busy stream the numbers change every second: drawing them gives way to whoever clicks.
  const shown = useDeferredValue(data);
  const shownRange = useDeferredValue(span[0]);
  return (
    <Page
      title="Overview"
      actions={
        <SegmentedControl
          aria-label="Time" value={span[0]} onChange={(next) => void navigate({ search: { range: next === "24h" ? undefined : next }, replace: true })}
          data={SPANS.map(([value, label]) => ({ value, label }))}
        />
      }
    >
      {shown === undefined ? error === null ? <Waiting lines={12} /> : <Failure error={error} retry={() => void refetch()} /> : <Numbers statistics={shown} range={shownRange} />}
    </Page>
  );
}

const Numbers = memo(function Numbers({ statistics, range }: { statistics: Statistics; range: string }) {
  const total = sum(statistics.totals);
  if (total === 0 && statistics.ledger.size < 4) return <Start />;
  return (
    <div className={classes.grid}>
      <Tiles statistics={statistics} span={spanOf(range)} />
      <section className={classes.wide}>
        <div className={classes.head}>
          <h2>Decisions over time</h2>
          <span className={classes.legend}>
            <i data-tone="allow" /> allowed <i data-tone="hold" /> held <i data-tone="block" /> blocked
          </span>
        </div>
        <Suspense fallback={<div className={classes.chart} />}>
          <OverTime statistics={statistics} />
        </Suspense>
      </section>
      <Ranking title="Actions" rows={statistics.actions} search={(type) => ({ type, range })} mono />
      <Ranking title="Agents" rows={statistics.agents} search={(agent) => ({ agent, range })} />
      <Ranking title="Deciding rules" rows={statistics.rules} search={(rule) => ({ rule, range })} mono />
      <Ranking title="Targets" rows={statistics.targets} search={(target) => ({ target, range })} mono />
      <Limits />
      <RiskBands bands={statistics.risk} range={range} />
      <Health statistics={statistics} />
    </div>
  );
});

function Health({ statistics }: { statistics: Statistics }) {
  const { latency, ledger, projectedTo, ledgerSize } = statistics;
  const timed = (ms: number | undefined) =>
    latency == null || ms === undefined ? "–" : <Link to="/decisions" search={{ since: latency.since }} title="The decisions since this node began to count">{duration(ms * 1000)}</Link>;
  return (
    <section className={classes.wide}>
      <div className={classes.head}>
        <h2>This node</h2>
        <span className="quiet">
          {latency == null ? "has answered no guard request yet" : <>{grouped(latency.count)} answers since <Ago at={latency.since} />; other nodes count for themselves</>}
        </span>
      </div>
      <dl className={classes.health}>
        <div>
          <dt>Answer, median</dt>
          <dd className="num">{timed(latency?.p50Ms)}</dd>
        </div>
        <div>
          <dt>Answer, 99 of 100</dt>
          <dd className="num">{timed(latency?.p99Ms)}</dd>
        </div>
        <div>
          <dt>Ledger</dt>
          <dd data-bad={ledger.valid === false || undefined}>
            <Link to="/ledger">{ledger.valid == null ? "verify" : ledger.valid ? "as signed" : "broken"}</Link>
          </dd>
        </div>
        <div>
          <dt>Verified</dt>
          <dd className="num"><Link to="/ledger">{ledger.checkedTo == null ? "–" : grouped(ledger.checkedTo)} of {grouped(ledger.size)}</Link></dd>
        </div>
        <div>
          <dt>Its lists are behind by</dt>
          <dd className="num"><Link to="/decisions">{plural(Math.max(0, ledgerSize - projectedTo), "entry", "entries")}</Link></dd>
        </div>
      </dl>
    </section>
  );
}

function Start() {
  const command = `runplane guard process_refund stripe '{"amount":120,"currency":"usd"}'`;
  return (
    <Empty icon={ChartColumnStacked} title="No agent has asked anything yet">
      <p>
        Put an agent's actions through guard(), and this page shows what they did. Start with one from the terminal, or register your own agent under{" "}
        <Link to="/agents">Agents</Link>.
      </p>
      <span className={classes.command}>
        <code>{command}</code>
        <Copy text={command} what="command" />
      </span>
    </Empty>
  );
}
