import { ActionIcon, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Link2, X } from "lucide-react";
import { useClipboard } from "@mantine/hooks";
import { getDecisionOptions } from "../generated/@tanstack/react-query.gen";
import type { DecisionTrace } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Badge, OutcomeBadge, Severity } from "../shared/Badge";
import { Compared } from "../shared/Compared";
import { Digest } from "../shared/Copy";
import { Json } from "../shared/Json";
import { Facts, Section } from "../shared/Page";
import { Risk, Ticked } from "../shared/Risk";
import { Failure, Waiting } from "../shared/State";
import { compare } from "../shared/usual";
import { codeOf } from "../shared/words";
import { Limits } from "./Limits";
import { Proof } from "./Proof";
import { bodyOf } from "./record";
import { Rules } from "./Rules";
import { Timeline } from "./Timeline";
import classes from "./decisions.module.css";

/** One decision with everything that is kept of it. */
export function Detail({ requestId, agent, close }: { requestId: string; agent?: string; close: () => void }) {
  const { data, error, refetch } = useQuery(getDecisionOptions({ path: { requestId }, query: { agent } }));
  return (
    <article className={classes.detail}>
      <header className={classes.detailHead}>
        <div>
          {data === undefined ? <h2>{requestId}</h2> : <Head trace={data} />}
        </div>
        <div className={classes.detailTools}>
          <CopyLink />
          <Tooltip label="Close (Esc)">
            <ActionIcon aria-label="Close" onClick={close}>
              <X size={16} />
            </ActionIcon>
          </Tooltip>
        </div>
      </header>
      <div className={classes.detailBody} tabIndex={0} aria-label="Details of the decision" role="region">
        {data === undefined ? error === null ? <Waiting lines={10} /> : <Failure error={error} retry={() => void refetch()} /> : <Body trace={data} />}
      </div>
    </article>
  );
}

function CopyLink() {
  const { copy, copied } = useClipboard({ timeout: 1200 });
  return (
    <Tooltip label={copied ? "Copied" : "Copy the link to this decision"}>
      <ActionIcon aria-label="Copy the link to this decision" onClick={() => copy(window.location.href)}>
        <Link2 size={16} />
      </ActionIcon>
    </Tooltip>
  );
}

function Head({ trace }: { trace: DecisionTrace }) {
  return (
    <>
      <h2>{trace.action.type || trace.action.declared || "not a call"}</h2>
      <div className={classes.verdict}>
        <OutcomeBadge decision={trace.decision} />
        <Severity severity={trace.severity} score={trace.riskScore} />
        <span className="quiet">
          <Ago at={trace.at} />
        </span>
        {trace.kind === "redemption" ? <Badge>redemption</Badge> : null}
      </div>
    </>
  );
}

function Body({ trace }: { trace: DecisionTrace }) {
  const body = bodyOf(trace.record);
  const { risk, uncovered = [], observed } = body.decision ?? {};
  const readings = Object.entries(body.readings ?? {});
  const { limits = [], state: { usual } = {} } = body;
  return (
    <>
      <p className={classes.reason}>
        <Ticked text={trace.reason} />
      </p>
      <Section title="Action">
        <Facts
          facts={[
            ["Agent", <Link to="/agents/$id" params={{ id: trace.agent.id }}>{trace.agent.name ?? trace.agent.id}</Link>],
            ["Type", <Types trace={trace} types={body.action?.types ?? []} />],
            ["Target", <><span className="mono">{trace.target}</span>{trace.environment === "" ? null : <span className="quiet"> in {trace.environment}</span>}</>],
            ["Decided by", <><code>{trace.matchedRule}</code> <span className="quiet">{codeOf(trace.reasonCode)}</span></>],
            trace.approvalId == null ? null : ["Approval", <Link to="/approvals/$id" params={{ id: trace.approvalId }}>{trace.approvalId}</Link>],
            observed === undefined ? null : ["If enforced", <><OutcomeBadge decision={observed.outcome} /> <Ticked text={observed.reason} /></>],
            uncovered.length === 0 ? null : ["Allowed by no rule", uncovered.join(", ")],
          ]}
        />
      </Section>
      <Section title="Payload">
        <Payload payload={trace.payload} />
      </Section>
      {readings.length === 0 ? null : (
        <Section title="What inspectors read">
          {readings.map(([name, reading]) => (
            <div key={name}>
              <h3 className="quiet">{name}</h3>
              <Json value={reading} what={`${name} reading`} />
            </div>
          ))}
        </Section>
      )}
      <Section title="Rules that had a say">
        <Rules body={body} matchedRule={trace.matchedRule} epoch={trace.epoch} />
      </Section>
      {limits.length === 0 ? null : (
        <Section title="Limits it counts against">
          <Limits limits={limits} />
        </Section>
      )}
      {usual === undefined || usual.types.length === 0 ? null : (
        <Section title="Against the agent's usual" aside={<Link to="/agents/$id" params={{ id: trace.agent.id }}>Its profile</Link>}>
          <Compared rows={compare(usual)} />
        </Section>
      )}
      {risk === undefined ? null : (
        <Section title="Risk">
          <Risk score={risk.score} severity={risk.severity} factors={risk.factors} />
        </Section>
      )}
      <Section title="What happened">
        <Timeline trace={trace} />
      </Section>
      <Section title="On the ledger">
        <Facts
          facts={[
            ["Entry", <Link to="/ledger" search={{ entry: trace.index }} className="num">{trace.index}</Link>],
            ["Leaf hash", <Digest value={trace.leafHash} what="leaf hash" length={24} />],
            ["Policies", <Digest value={trace.bundle} what="bundle digest" length={24} />],
            ["Request", <Digest value={trace.requestId} what="request id" length={40} />],
            ["Engine", body.engine ?? "unknown"],
          ]}
        />
        <Proof index={trace.index} record={trace.record} />
      </Section>
      <Section title="The whole record">
        <Json value={trace.record} what="record" depth={1} />
      </Section>
    </>
  );
}

function Types({ trace, types }: { trace: DecisionTrace; types: string[] }) {
  const others = types.filter((type) => type !== trace.action.type);
  return (
    <>
      <Link to="/catalogue" search={{ type: trace.action.type }} className="mono">
        {trace.action.type}
      </Link>{" "}
      <span className="quiet">
        {trace.action.domain} · {trace.action.effect}
      </span>
      {trace.action.declared === trace.action.type ? null : <div className="quiet">declared as <code>{trace.action.declared}</code></div>}
      {others.length === 0 ? null : <div>counts also as <span className="mono">{others.join(", ")}</span></div>}
    </>
  );
}

const PAYLOAD: Record<string, string> = {
  notKept: "No rule asked to keep the arguments of this call. A rule with `audit: { payload: full }` keeps them.",
  erased: "The arguments were erased; the entry keeps only a commitment to them.",
  notShown: "The arguments are kept so that the decision can be repeated, but no rule asked to show them.",
};

function Payload({ payload }: { payload: DecisionTrace["payload"] }) {
  if (payload.state !== "shown") return <p className="quiet"><Ticked text={PAYLOAD[payload.state] ?? payload.state} /></p>;
  const content = payload.content as { action?: { context?: unknown } } | null | undefined;
  return <Json value={content?.action?.context ?? content} what="payload" depth={3} />;
}
