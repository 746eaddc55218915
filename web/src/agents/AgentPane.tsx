import { Button, CloseButton } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { refresh } from "../api/queries";
import { useMay } from "../api/session";
import { getAgentOptions, listDecisionsOptions } from "../generated/@tanstack/react-query.gen";
import { patchAgent } from "../generated/sdk.gen";
import type { AgentView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Badge, OutcomeBadge } from "../shared/Badge";
import { Digest } from "../shared/Copy";
import { Facts, Section } from "../shared/Page";
import { Failure, Waiting } from "../shared/State";
import { Keys } from "./Keys";
import { Profile } from "./Profile";
import classes from "../shared/list.module.css";
import table from "../approvals/approvals.module.css";

/** One agent: what is established about it, its keys, what it did last. */
export function AgentPane({ id }: { id: string }) {
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(getAgentOptions({ path: { id } }));
  if (data === undefined) return error === null ? <Waiting /> : <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      <header className={classes.head}>
        <div>
          <h2>{data.name}</h2>
          <p>{data.status === "active" ? <Badge tone="allow">active</Badge> : <Badge tone="block">suspended: every call is blocked</Badge>}</p>
        </div>
        <Suspend agent={data} />
        <CloseButton aria-label="Close" onClick={() => void navigate({ to: "/agents" })} />
      </header>
      <Facts
        facts={[
          ["Environment", data.environment],
          ["Source", data.source ?? <span className="quiet">none: rules for any source count</span>],
          ["Labels", data.labels.length === 0 ? <span className="quiet">none</span> : data.labels.map((label) => <Badge key={label}>{label}</Badge>)],
          ["Owner", data.owner ?? <span className="quiet">nobody. An owner may not approve what the agent asks</span>],
          ["Speaks for others", data.assertsSubject ? "yes, the subject it names is believed" : "no: where it names a subject, conditions on it have no value"],
          ["Registered", <Ago at={data.createdAt} />],
          ["Id", <Digest value={data.id} what="agent id" length={40} />],
        ]}
      />
      <Profile agent={id} />
      <Keys agent={id} />
      <Last agent={id} />
    </>
  );
}

function Suspend({ agent }: { agent: AgentView }) {
  const may = useMay("manage");
  const active = agent.status === "active";
  const change = useMutation({
    mutationFn: () => patchAgent({ path: { id: agent.id }, body: { status: active ? "suspended" : "active" }, throwOnError: true }),
    onSettled: () => refresh("getAgent", "listAgents"),
  });
  if (!may) return null;
  return (
    <Button variant="default" loading={change.isPending} onClick={() => change.mutate()}>
      {active ? "Suspend" : "Resume"}
    </Button>
  );
}

function Last({ agent }: { agent: string }) {
  const { data } = useQuery(listDecisionsOptions({ query: { agent, limit: 8 } }));
  if (data === undefined) return null;
  return (
    <Section title="Last decisions" aside={<Link to="/decisions" search={{ agent }}>All</Link>}>
      {data.decisions.length === 0 ? <p className="quiet">It has not asked anything yet.</p> : null}
      <ul className={table.related}>
        {data.decisions.map((row) => (
          <li key={row.index}>
            <Link to="/decisions" search={{ agent, open: row.requestId, by: agent }}>
              <OutcomeBadge decision={row.decision} />
              <span className="clip mono">{row.action.type || row.action.declared}</span>
              <span className="quiet clip">{row.target}</span>
              <span className="quiet"><Ago at={row.at} /></span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
