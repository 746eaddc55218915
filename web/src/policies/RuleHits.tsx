import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ago } from "../shared/Ago";
import { Badge } from "../shared/Badge";
import { grouped } from "../shared/numbers";
import { Failure, Waiting } from "../shared/State";
import { hitsQuery } from "./api";
import list from "../shared/list.module.css";

const SPAN = "31d";

/** How often each rule was hit, and which never were. */
export function RuleHits({ name, yaml }: { name: string; yaml: string }) {
  const { data, error, isPending, refetch } = useQuery(hitsQuery(name, SPAN));
  if (error !== null) return <div className={list.alone}><Failure error={error} retry={() => void refetch()} /></div>;
  if (isPending) return <div className={list.alone}><Waiting /></div>;
  const written = (rule: string) => yaml.includes(rule);
  return (
    <div className={list.left} style={{ height: "100%", padding: "8px 20px" }} tabIndex={0} role="region" aria-label="Rules">
      <table className={list.table}>
        <thead><tr><th>Rule</th><th>Hits in 31 days</th><th>Last hit</th><th><span className="sr">Remarks</span></th></tr></thead>
        <tbody>
          {data.map(({ rule, hits, lastAt, never }) => (
            <tr key={rule}>
              <td>
                {written(rule) ? <Link to="/policies/$name" params={{ name }} search={{ rule }} className="mono">{rule}</Link> : <code>{rule}</code>}
              </td>
              <td className="num">{hits === 0 ? "0" : <Link to="/decisions" search={{ rule: `${name}/${rule}`, range: "30d" }}>{grouped(hits)}</Link>}</td>
              <td className="quiet">{lastAt == null ? "" : <Ago at={lastAt} />}</td>
              <td>{never ? <Badge title="no recorded decision matched it: is it still needed, or does it never get there?">never hit</Badge> : null}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="quiet" style={{ padding: "10px 0" }}>A number leads to the decisions the rule decided; it also counts those where a stricter rule decided.</p>
    </div>
  );
}
