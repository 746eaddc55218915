import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Bot, Plus } from "lucide-react";
import { useMay } from "../api/session";
import { listAgentsOptions } from "../generated/@tanstack/react-query.gen";
import { spanOf, statisticsQuery, sum, type Top } from "../overview/statistics";
import { Badge } from "../shared/Badge";
import { compact } from "../shared/numbers";
import { Page } from "../shared/Page";
import { Empty, Failure, Waiting } from "../shared/State";
import { AgentPane } from "./AgentPane";
import { NewAgent } from "./NewAgent";
import classes from "../shared/list.module.css";

/** Who may ask, and with which keys. */
export function AgentsPage() {
  const id = useParams({ strict: false }).id;
  const { data, error, isPending, refetch } = useQuery(listAgentsOptions());
  const [opened, dialog] = useDisclosure();
  const mayManage = useMay("manage");
  const agents = data?.agents ?? [];
  const today = useQuery(statisticsQuery(spanOf("24h"))).data?.agents;
  return (
    <Page
      title="Agents" flush
      actions={mayManage ? <Button leftSection={<Plus size={14} />} onClick={dialog.open}>New agent</Button> : null}
    >
      {error !== null ? <div className={classes.alone}><Failure error={error} retry={() => void refetch()} /></div> : null}
      {isPending ? <div className={classes.alone}><Waiting /></div> : null}
      {data === undefined ? null : (
        <div className={classes.split} data-open={id !== undefined || undefined}>
          <div className={classes.left} tabIndex={0} role="region" aria-label="Agents">
            {agents.length === 0 ? <Empty icon={Bot} title="No agent yet"><p>Register the software that acts. It gets a key, and everything it does goes through policy.</p></Empty> : null}
            <ul>
              {agents.map((agent) => (
                <li key={agent.id}>
                  <Link to="/agents/$id" params={{ id: agent.id }} className={classes.row} data-active={agent.id === id || undefined}>
                    <span className={classes.rowMain}>
                      <span>{agent.name}</span>
                      <span className="quiet clip">{[agent.source, ...agent.labels].filter(Boolean).join(" · ") || "no labels"}</span>
                    </span>
                    <span>
                      {agent.status === "active" ? null : <Badge tone="block">suspended</Badge>} <Badge>{agent.environment}</Badge>
                    </span>
                    <Today counts={today?.find(({ key }) => key === agent.id)} known={today !== undefined} />
                  </Link>
                </li>
              ))}
            </ul>
          </div>
          {id === undefined ? null : (
            <aside className={classes.right} aria-label="Agent" tabIndex={0}>
              <AgentPane key={id} id={id} />
            </aside>
          )}
        </div>
      )}
      <NewAgent opened={opened} close={dialog.close} />
    </Page>
  );
}

/** How much it asked in the last 24 hours; of many agents only the busiest are counted. */
function Today({ counts, known }: { counts: Top | undefined; known: boolean }) {
  if (counts === undefined) return <span className="quiet">{known ? "quiet" : ""}</span>;
  const { allow, requireApproval, block } = counts;
  return (
    <span className="num" title={`last 24 hours: ${allow} allowed, ${requireApproval} held, ${block} blocked`}>
      {compact(sum(counts))} <span className="quiet">in 24 h</span>
    </span>
  );
}
