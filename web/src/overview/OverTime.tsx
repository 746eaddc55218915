import { useMediaQuery } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { compact, grouped } from "../shared/numbers";
import { nameOf, ticksOf } from "./axis";
import { endOf, sum, type Statistics } from "./statistics";
import classes from "./overview.module.css";

/** Stacked bars; a click leads to the decisions of that piece of time. */
export default function OverTime({ statistics }: { statistics: Statistics }) {
  const navigate = useNavigate();
  // Every name has room: so the chart need not measure them, which costs more than drawing it.
  const narrow = useMediaQuery("(max-width: 720px)", window.innerWidth <= 720, { getInitialValueInEffect: false });
  const span = Date.parse(statistics.to) - Date.parse(statistics.from);
  const open = (index: number) => {
    const bucket = statistics.decisions[index];
    if (bucket !== undefined) void navigate({ to: "/decisions", search: { since: bucket.at, until: endOf(statistics, index) } });
  };
  return (
    <figure className={classes.chart}>
      <figcaption className="sr">
        {grouped(sum(statistics.totals))} decisions: {grouped(statistics.totals.allow)} allowed, {grouped(statistics.totals.requireApproval)} held,{" "}
        {grouped(statistics.totals.block)} blocked.
      </figcaption>
      <ResponsiveContainer width="100%" height="100%">
        <BarChart
          data={statistics.decisions} margin={{ top: 6, right: 4, bottom: 0, left: -16 }} barCategoryGap={1.5} accessibilityLayer={false}
          onClick={({ activeTooltipIndex }) => activeTooltipIndex != null && open(Number(activeTooltipIndex))}
        >
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="at" interval={0} ticks={ticksOf(statistics.decisions, span, narrow)} tickFormatter={(at: string) => nameOf(at, span)} tickLine={{ stroke: "var(--line-strong)" }} axisLine={{ stroke: "var(--line-strong)" }} tick={{ fill: "var(--text-3)", fontSize: 11 }} />
          <YAxis allowDecimals={false} tickFormatter={compact} tickLine={false} axisLine={false} width={52} tick={{ fill: "var(--text-3)", fontSize: 11 }} />
          <Tooltip cursor={{ fill: "var(--hover)" }} isAnimationActive={false} content={({ payload, label }) => <Bucket bucket={payload[0]?.payload as Statistics["decisions"][number] | undefined} until={endOf(statistics, statistics.decisions.findIndex(({ at }) => at === label))} />} />
          <Bar dataKey="allow" stackId="all" fill="var(--allow-mark)" isAnimationActive={false} />
          <Bar dataKey="requireApproval" stackId="all" fill="var(--hold-mark)" isAnimationActive={false} />
          <Bar dataKey="block" stackId="all" fill="var(--block-mark)" isAnimationActive={false} radius={[2, 2, 0, 0]} />
        </BarChart>
      </ResponsiveContainer>
    </figure>
  );
}

function Bucket({ bucket, until }: { bucket: Statistics["decisions"][number] | undefined; until: string }) {
  if (bucket === undefined) return null;
  return (
    <div className={classes.tooltip}>
      <b>{new Date(bucket.at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}</b>
      <span className="quiet">until {new Date(until).toLocaleTimeString(undefined, { timeStyle: "short" })}</span>
      <span><i data-tone="allow" /> {grouped(bucket.allow)} allowed</span>
      <span><i data-tone="hold" /> {grouped(bucket.requireApproval)} held</span>
      <span><i data-tone="block" /> {grouped(bucket.block)} blocked</span>
      <span className="quiet">Click for the rows</span>
    </div>
  );
}
