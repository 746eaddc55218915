import { Button, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useBlocker, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Upload } from "lucide-react";
import { useMemo, useState } from "react";
import { useMay } from "../api/session";
import { useShortcuts } from "../app/shortcuts";
import { ruleAt } from "../decisions/source";
import { getPolicyOptions } from "../generated/@tanstack/react-query.gen";
import { Badge } from "../shared/Badge";
import { Page } from "../shared/Page";
import { Failure, Waiting } from "../shared/State";
import { Bench } from "./Bench";
import { Draft } from "./Draft";
import { useDraft } from "./basis";
import { History } from "./History";
import { Meanwhile } from "./Meanwhile";
import { nameIn } from "./places";
import { Publish } from "./Publish";
import { RuleHits } from "./RuleHits";
import type { Trial } from "./TryIt";
import classes from "./policies.module.css";

export const BACK = { to: "/policies", name: "Policies" } as const;

export function PolicyPage() {
  const { name } = useParams({ from: "/inside/policies/$name" });
  const { data, error, refetch } = useQuery(getPolicyOptions({ path: { name } }));
  if (data === undefined) return <Page title={name} back={BACK}>{error === null ? <Waiting lines={14} /> : <Failure error={error} retry={() => void refetch()} />}</Page>;
  return <Workbench key={name} name={name} active={data.yaml} updatedAt={data.updatedAt} />;
}

export type View = "edit" | "rules" | "history";

interface Props {
  name: string | undefined;
  /** The text in force. */
  active: string | undefined;
  updatedAt?: string;
  /** The text to start from, if that is another. */
  start?: string;
  /** A rule to look at first. */
  look?: string;
  /** A call to try at once. */
  trial?: Trial;
}

/** A policy being written: the text, what is wrong with it, what it would decide, and its past. */
export function Workbench({ name, active, updatedAt, start = active, look, trial }: Props) {
  const search: { rule?: string; view?: string } = useSearch({ strict: false });
  const navigate = useNavigate();
  const draft = useDraft(active ?? "", start ?? "");
  const { text, changed } = draft;
  const [publishing, setPublishing] = useState(false);
  const [valid, setValid] = useState<boolean>();
  const mayPublish = useMay("publish");
  const view = name === undefined ? "edit" : ((search.view ?? "edit") as View);
  const wanted = search.rule ?? look;
  const at = useMemo(() => (wanted === undefined ? undefined : ruleAt(text, wanted)), [wanted]);
  const written = nameIn(text) ?? name;
  const show = (next: string) => name !== undefined && void navigate({ to: "/policies/$name", params: { name }, search: next === "edit" ? {} : { view: next }, replace: true });
  useBlocker({ shouldBlockFn: ({ current, next }) => changed && current.pathname !== next.pathname && !window.confirm("The draft is not published. Leave it?"), enableBeforeUnload: changed && mayPublish });
  useShortcuts([{ keys: "mod+Enter", label: "Publish…", group: "Policy", run: () => changed && mayPublish && valid !== false && setPublishing(true), always: true }]);

  return (
    <Page
      title={name ?? "New policy"} back={BACK} flush
      bar={draft.overtaken && name !== undefined && mayPublish ? <Meanwhile name={name} base={draft.base} active={active ?? ""} take={draft.take} keep={draft.keep} /> : undefined}
      actions={
        <>
          <span className={classes.status}>{changed ? <Badge tone="hold">draft</Badge> : <Badge tone="allow">in force</Badge>}</span>
          {name === undefined ? null : (
            <SegmentedControl
              aria-label="View" value={view} onChange={show}
              data={[{ value: "edit", label: "Text" }, { value: "rules", label: "Rules" }, { value: "history", label: "History" }]}
            />
          )}
          {changed && name !== undefined ? <Button variant="default" onClick={draft.take}>Discard</Button> : null}
          {mayPublish ? (
            <Button leftSection={<Upload size={14} />} disabled={!changed || valid === false || written === undefined} onClick={() => setPublishing(true)}>
              Publish…
            </Button>
          ) : null}
        </>
      }
    >
      {view === "history" && name !== undefined ? (
        <History name={name} active={active ?? ""} restore={draft.write} />
      ) : view === "rules" && name !== undefined ? (
        <RuleHits name={name} updatedAt={updatedAt ?? ""} />
      ) : (
        <div className={classes.bench}>
          <Draft text={text} change={draft.write} readOnly={!mayPublish} at={at} setValid={setValid} />
          <Bench policy={name ?? "new"} yaml={changed ? text : undefined} text={text} trial={trial} />
        </div>
      )}
      <Publish
        opened={publishing} close={() => setPublishing(false)} name={written ?? ""} base={written === name ? draft.base : undefined} after={text}
        done={() => void navigate({ to: "/policies/$name", params: { name: written ?? "" }, ignoreBlocker: true })}
      />
    </Page>
  );
}
