import { Button, Checkbox, NumberInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { useState, type FormEvent } from "react";
import { getApprovalOptions, getPolicyOptions } from "../generated/@tanstack/react-query.gen";
import type { ApprovalView } from "../generated/types.gen";
import { Copy } from "../shared/Copy";
import { Page, Section } from "../shared/Page";
import { Failure, Waiting } from "../shared/State";
import { Workbench } from "./PolicyPage";
import { conditionOf, fieldsOf, heldBy, permit, startBounds, type Bounds } from "./standing";
import list from "../shared/list.module.css";
import classes from "./policies.module.css";

/** From an ask to a permission with bounds: first how far it reaches, then the policy with it, to be tried and published. */
export function StandingPage({ from }: { from: string }) {
  const { data, error } = useQuery({ ...getApprovalOptions({ path: { id: from } }), refetchOnWindowFocus: false });
  if (data === undefined) return <Page title="Standing permission">{error === null ? <Waiting /> : <Failure error={error} />}</Page>;
  return <Standing key={from} approval={data} />;
}

function Standing({ approval }: { approval: ApprovalView }) {
  const held = heldBy(approval);
  const { data: policy, error } = useQuery({ ...getPolicyOptions({ path: { name: held?.policy ?? "" } }), enabled: held !== undefined, refetchOnWindowFocus: false });
  const [bounds, setBounds] = useState<Bounds>(() => startBounds(approval, new Date()));
  const [written, setWritten] = useState<{ yaml: string; rule: string }>();
  const [refused, setRefused] = useState(false);
  if (written !== undefined && held !== undefined && policy !== undefined) {
    const { type, declared, target, context } = approval.action;
    const call = { action: { type: declared || type, target, context: context ?? {} } };
    return <Workbench name={held.policy} active={policy.yaml} updatedAt={policy.updatedAt} start={written.yaml} look={written.rule} trial={{ call, agent: approval.agent.id }} />;
  }
  const write = (event: FormEvent) => {
    event.preventDefault();
    const permitted = held === undefined || policy === undefined ? undefined : permit(policy.yaml, held.rules, approval, bounds);
    setRefused(permitted === undefined);
    setWritten(permitted);
  };
  return (
    <Page title="Standing permission">
      <form className={classes.standing} onSubmit={write}>
        <p>
          Lets <b>{approval.agent.name || approval.agent.id}</b> do <code>{approval.action.type}</code> on <code>{approval.action.target}</code> in{" "}
          {approval.action.environment} without asking, as far as you say here. Beyond it a person is asked as before.{" "}
          <Link to="/approvals/$id" params={{ id: approval.id }}>The ask it comes from</Link>
        </p>
        <Section title="How far it reaches">
          <Fields approval={approval} bounds={bounds} change={setBounds} />
        </Section>
        <Section title="How often, how long">
          <div className={classes.bounds}>
            <NumberInput
              label="At most, in 24 hours" min={1} max={10_000} allowDecimal={false} required value={bounds.count}
              onChange={(count) => setBounds({ ...bounds, count: Math.max(1, Number(count) || 1) })}
            />
            <TextInput
              label="Until the end of (UTC)" type="date" required value={bounds.until} min={new Date().toISOString().slice(0, 10)}
              onChange={(event) => setBounds({ ...bounds, until: event.currentTarget.value })}
            />
          </div>
        </Section>
        {error === null ? null : <Failure error={error} title="The policy that held it cannot be read" />}
        {held === undefined || refused ? <ByHand approval={approval} bounds={bounds} /> : null}
        <div className={list.buttons}>
          <Button type="submit" disabled={held === undefined || policy === undefined || bounds.until === ""} rightSection={<ArrowRight size={14} />}>
            Write it into the policy
          </Button>
        </div>
        <p className="quiet">Nothing is in force until you publish. The next page shows the text, and what it would decide for this very ask. What
          the agent did of this kind in the last 24 hours counts.</p>
      </form>
    </Page>
  );
}

function Fields({ approval, bounds, change }: { approval: ApprovalView; bounds: Bounds; change: (bounds: Bounds) => void }) {
  const fields = fieldsOf(approval);
  if (fields.length === 0) return <p className="quiet">The ask has no argument that a bound could be put on: all calls of this kind are meant.</p>;
  const { most, same } = bounds;
  return (
    <div className={classes.bounds}>
      {fields.map(([name, value]) =>
        typeof value === "number" ? (
          <NumberInput
            key={name} label={<><code>{name}</code> at most</>} placeholder="any" value={most[name] ?? ""} description={`asked: ${value}`}
            onChange={(next) => change({ ...bounds, most: next === "" ? without(most, name) : { ...most, [name]: Number(next) } })}
          />
        ) : (
          <Checkbox
            key={name} label={<><code>{name}</code> is {typeof value === "string" ? `“${value.length > 80 ? `${value.slice(0, 80)}…` : value}”` : String(value)}</>} checked={same.includes(name)}
            onChange={({ currentTarget: { checked } }) => change({ ...bounds, same: checked ? [...same, name] : same.filter((other) => other !== name) })}
          />
        ),
      )}
    </div>
  );
}

function without(record: Record<string, number>, name: string): Record<string, number> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

/** Rules of the engine, of several policies, or written in an unusual way are left to people. */
function ByHand({ approval, bounds }: { approval: ApprovalView; bounds: Bounds }) {
  const condition = conditionOf(approval, bounds);
  return (
    <div role="alert" className={classes.byHand}>
      <p>
        This ask is held by {approval.requirements.map(({ rule }) => rule).join(" and ")}, which cannot be changed from here. Give each of those rules
        this exception, and allow the same in a rule of its own:
      </p>
      <span><code>unless: {JSON.stringify(condition)}</code><Copy text={`unless: ${JSON.stringify(condition)}`} what="exception" /></span>
    </div>
  );
}
