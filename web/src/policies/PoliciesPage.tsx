import { Button } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Eye, FileCode2, Plus } from "lucide-react";
import { useMay } from "../api/session";
import { listPoliciesOptions } from "../generated/@tanstack/react-query.gen";
import type { PolicyHits, PolicyView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Badge } from "../shared/Badge";
import { Digest } from "../shared/Copy";
import { compact, plural } from "../shared/numbers";
import { Page } from "../shared/Page";
import { Empty, Failure, Waiting } from "../shared/State";
import { Filling } from "../shared/Filling";
import { hitsQuery } from "./api";
import { WITHIN } from "./RuleHits";
import classes from "./policies.module.css";

/** The policies in force, and what their rules do. */
export function PoliciesPage() {
  const { data, error, isPending, refetch } = useQuery(listPoliciesOptions());
  const mayPublish = useMay("publish");
  const policies = data?.policies ?? [];
  const hits = useQueries({ queries: policies.map(({ name }) => hitsQuery(name, WITHIN[0])) });
  return (
    <Page
      title="Policies"
      actions={
        <>
          <Button variant="default" leftSection={<Eye size={14} />} renderRoot={(props) => <Link to="/shadow" {...props} />}>What would change</Button>
          {mayPublish ? <Button leftSection={<Plus size={14} />} renderRoot={(props) => <Link to="/policies/new" {...props} />}>New policy</Button> : null}
        </>
      }
    >
      {error !== null ? <Failure error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Waiting /> : null}
      {data === undefined ? null : (
        <>
          <Filling />
          <p className={classes.bundle}>
            {plural(policies.length, "policy", "policies")} in force as one bundle <Digest value={data.bundle} what="bundle digest" /> <span className="quiet">epoch {data.epoch}</span>
          </p>
          {policies.length === 0 ? <Empty icon={FileCode2} title="No policy"><p>Without a policy every action gets the default decision. Write one, or publish a pack.</p></Empty> : (
            <ul className={classes.policies}>
              {policies.map((policy, place) => (
                <Policy key={policy.name} policy={policy} hits={hits[place]?.data} />
              ))}
            </ul>
          )}
        </>
      )}
    </Page>
  );
}

function Policy({ policy, hits }: { policy: PolicyView; hits: PolicyHits | undefined }) {
  const total = hits?.rules.reduce((sum, rule) => sum + rule.hits, 0);
  const dead = hits?.rules.filter(({ never }) => never).length ?? 0;
  return (
    <li>
      <Link to="/policies/$name" params={{ name: policy.name }} className={classes.policy}>
        <span className={classes.what}>
          <b>
            {policy.name} {policy.mode === "shadow" ? <Badge tone="accent">shadow</Badge> : null} {policy.source == null ? null : <Badge>only {policy.source}</Badge>}
          </b>
          <span className="quiet">{policy.description}</span>
        </span>
        {total === undefined ? <span /> : (
          <span className={classes.figure}>
            <b className="num">{compact(total)}</b>
            <small>hits in {WITHIN[1]}</small>
          </span>
        )}
        <span className={classes.figure}>
          <b className="num">{policy.rules}</b>
          <small>rules{dead > 0 ? `, ${dead} not hit` : ""}</small>
        </span>
        <span className={classes.strip} aria-hidden>
          {(hits?.rules ?? []).map(({ rule, hits: count, never }) => (
            <i key={rule} title={`${rule}: ${count}`} data-never={never || undefined} style={{ opacity: never ? 1 : 0.3 + 0.7 * Math.min(1, Math.log10(1 + count) / 3) }} />
          ))}
        </span>
        <span className="quiet">
          <Ago at={policy.updatedAt} />
        </span>
      </Link>
    </li>
  );
}
