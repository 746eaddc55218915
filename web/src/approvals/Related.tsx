import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { listDecisionsOptions } from "../generated/@tanstack/react-query.gen";
import type { ApprovalView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { OutcomeBadge } from "../shared/Badge";
import { Section } from "../shared/Page";
import { outcomeOf } from "../shared/words";
import { usualOf } from "./usual";
import classes from "./approvals.module.css";

/** What this agent usually does of this kind, and its last few. */
export function Related({ approval }: { approval: ApprovalView }) {
  const query = { agent: approval.agent.id, type: approval.action.type, limit: 100 };
  const { data } = useQuery({ ...listDecisionsOptions({ query }), enabled: approval.action.type !== "", staleTime: 30_000 });
  if (data === undefined) return null;
  const others = data.decisions.filter(({ requestId }) => requestId !== approval.requestId);
  const usual = usualOf(others, approval);
  return (
    <Section
      title="Against this agent's usual"
      aside={<Link to="/decisions" search={{ agent: query.agent, type: query.type }}>All of these</Link>}
    >
      {others.length === 0 ? (
        <p>
          <b>The first time</b> this agent asks for <code>{approval.action.type}</code>.
        </p>
      ) : (
        <>
          <ul className={classes.usual}>
            {usual.map(({ says, unusual }) => (
              <li key={says} data-unusual={unusual || undefined}>{says}</li>
            ))}
          </ul>
          <ul className={classes.related}>
            {others.slice(0, 5).map((row) => (
              <li key={row.index}>
                <Link to="/decisions" search={{ open: row.requestId, by: row.agent.id }} aria-label={`${outcomeOf(row.decision).label}, ${row.target}`}>
                  <OutcomeBadge decision={row.decision} />
                  <span className="clip">{row.target}</span>
                  <span className="quiet num">risk {row.riskScore}</span>
                  <span className="quiet"><Ago at={row.at} /></span>
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}
