import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { listDecisionsOptions } from "../generated/@tanstack/react-query.gen";
import type { ApprovalView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { OutcomeBadge } from "../shared/Badge";
import { Compared } from "../shared/Compared";
import { Section } from "../shared/Page";
import type { UsualRead } from "../shared/usual";
import { outcomeOf } from "../shared/words";
import { usualOf } from "./usual";
import classes from "./approvals.module.css";

/** What this agent usually does of this kind, and its last few. */
export function Related({ approval, read }: { approval: ApprovalView; read: UsualRead | undefined }) {
  const query = { agent: approval.agent.id, type: approval.action.type, limit: 100 };
  const { data } = useQuery({ ...listDecisionsOptions({ query }), enabled: approval.action.type !== "", staleTime: 30_000 });
  if (data === undefined) return null;
  const others = data.decisions.filter(({ requestId }) => requestId !== approval.requestId);
  const rows = usualOf(others, approval, read);
  return (
    <>
      <Section
        title="Against this agent's usual"
        aside={<Link to="/agents/$id" params={{ id: approval.agent.id }}>Its profile</Link>}
      >
        {others.length === 0 ? (
          <p className={classes.first}>
            <b>The first time</b> this agent asks for <code>{approval.action.type}</code>.
          </p>
        ) : null}
        {rows.length === 0 ? null : <Compared rows={rows} />}
      </Section>
      {others.length === 0 ? null : (
        <Section title="Related decisions" aside={<Link to="/decisions" search={{ agent: query.agent, type: query.type }}>All of these</Link>}>
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
        </Section>
      )}
    </>
  );
}
