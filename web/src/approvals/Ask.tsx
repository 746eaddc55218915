import { ActionIcon } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { getApprovalOptions, getDecisionOptions } from "../generated/@tanstack/react-query.gen";
import type { ApprovalView } from "../generated/types.gen";
import { bodyOf } from "../decisions/record";
import { Rules } from "../decisions/Rules";
import { Steps, votesOf } from "../decisions/Timeline";
import { Ago, Countdown } from "../shared/Ago";
import { Badge, Severity, StateBadge } from "../shared/Badge";
import { Digest } from "../shared/Copy";
import { Json } from "../shared/Json";
import { Section } from "../shared/Page";
import { Risk, Ticked } from "../shared/Risk";
import { Failure, Waiting } from "../shared/State";
import { DecideBar } from "./DecideBar";
import type { Group } from "./inbox";
import { Related } from "./Related";
import { fieldsOf, pieces } from "./shown";
import classes from "./approvals.module.css";

interface Props {
  id: string;
  group: Group | undefined;
  next: () => void;
  back: (() => void) | undefined;
}

/** One held action: what exactly will happen, why it waits, and the decision. */
export function Ask({ id, group, next, back }: Props) {
  const { data, error, refetch } = useQuery(getApprovalOptions({ path: { id } }));
  if (data === undefined) return <div className={classes.alone}>{error === null ? <Waiting lines={10} /> : <Failure error={error} retry={() => void refetch()} />}</div>;
  const pending = data.state === "pending";
  return (
    <article className={classes.ask}>
      <div className={classes.askBody} tabIndex={0} role="region" aria-label="The held action">
        <Head approval={data} count={group?.asks.length ?? 1} back={back} />
        <Section title="What exactly will happen" aside={<span className="quiet">rendered by the server <Digest value={data.digest} what="action digest" length={10} /></span>}>
          <Fields text={data.action.text} />
        </Section>
        <Why approval={data} />
      </div>
      {pending ? <DecideBar approval={data} ids={group?.asks.map((ask) => ask.id) ?? [data.id]} next={next} /> : null}
    </article>
  );
}

function Head({ approval, count, back }: { approval: ApprovalView; count: number; back: Props["back"] }) {
  return (
    <header className={classes.askHead}>
      {back === undefined ? null : (
        <ActionIcon onClick={back} aria-label="Back to the inbox" size="lg">
          <ArrowLeft size={18} />
        </ActionIcon>
      )}
      <div>
        <h2>
          <Shown text={approval.action.summary} />
        </h2>
        <p className={classes.askFacts}>
          <Link to="/agents/$id" params={{ id: approval.agent.id }}>{approval.agent.name || approval.agent.id}</Link>
          <span>asked <Ago at={approval.createdAt} /></span>
          <Severity severity={approval.severity} score={approval.riskScore} />
          {approval.state === "pending" ? <span>expires in <Countdown until={approval.expiresAt} className={classes.countdown} /></span> : <StateBadge state={approval.state} />}
          {count > 1 ? <Badge tone="accent">{count} identical asks</Badge> : null}
        </p>
      </div>
    </header>
  );
}

function Fields({ text }: { text: string }) {
  const fields = fieldsOf(text);
  if (fields.length === 0) return <p className="quiet">The arguments are no longer kept. Approving would run what nobody can read: deny it, and let the agent ask again.</p>;
  return (
    <dl className={classes.fields}>
      {fields.map(({ name, value }, place) => (
        <div key={place}>
          <dt>{name}</dt>
          <dd>
            <Shown text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A text of the server in which spelled-out characters stand out. */
function Shown({ text }: { text: string }) {
  return pieces(text).map(({ text: piece, hidden }, place) => (hidden ? <mark key={place} title="a character that cannot be seen, or imitates another">{piece}</mark> : piece));
}

function Why({ approval }: { approval: ApprovalView }) {
  const { data: trace } = useQuery(getDecisionOptions({ path: { requestId: approval.requestId }, query: { agent: approval.agent.id } }));
  const body = bodyOf(trace?.record);
  const risk = body.decision?.risk;
  const readings = Object.entries(body.readings ?? {});
  return (
    <>
      <Section title="Why it waits">
        <p className={classes.reason}>
          <Ticked text={approval.reason} />
        </p>
        <ul className={classes.requirements}>
          {approval.requirements.map(({ rule, from, quorum }) => (
            <li key={rule}>
              <b className="num">
                {approval.votes.filter(({ verdict }) => verdict === "approve").length} of {quorum}
              </b>{" "}
              {quorum === 1 ? "approval" : "approvals"} {from.length === 0 ? "of anybody who may approve" : `from ${from.join(" or ")}`}
            </li>
          ))}
        </ul>
        <Rules body={body} matchedRule={approval.matchedRule} epoch={trace?.epoch} />
      </Section>
      {approval.votes.length === 0 ? null : (
        <Section title="Votes">
          <Steps happenings={votesOf(approval)} />
        </Section>
      )}
      <Related approval={approval} read={body.state?.usual} />
      {risk === undefined ? null : (
        <Section title="Risk">
          <Risk score={risk.score} severity={risk.severity} factors={risk.factors} />
        </Section>
      )}
      {readings.length === 0 ? null : (
        <Section title="What inspectors read">
          <Json value={Object.fromEntries(readings)} what="readings" depth={3} />
        </Section>
      )}
      <Section title="As the agent sent it">
        {approval.action.context === null ? <p className="quiet">Not kept.</p> : <Json value={approval.action.context} what="arguments" depth={2} />}
      </Section>
    </>
  );
}
