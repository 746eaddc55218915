import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { OctagonX, ShieldCheck, ShieldOff } from "lucide-react";
import { refresh } from "../api/queries";
import { useMay } from "../api/session";
import { useAgentName } from "../agents/names";
import { listSwitchesOptions } from "../generated/@tanstack/react-query.gen";
import { releaseSwitch } from "../generated/sdk.gen";
import type { SwitchView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Badge } from "../shared/Badge";
import { Page } from "../shared/Page";
import { Empty, Failure, Waiting } from "../shared/State";
import { Person } from "../users/Person";
import { Throw } from "./Throw";
import classes from "./containment.module.css";

/** Switches that turn every matching decision into BLOCK, from the next entry on. */
export function ContainmentPage() {
  const { data, error, isPending, refetch } = useQuery(listSwitchesOptions());
  const [opened, dialog] = useDisclosure();
  const [all, stopAll] = useDisclosure();
  const mayThrow = useMay("approve");
  const switches = data?.switches ?? [];
  const stopped = switches.find(({ scope }) => scope === "workspace");
  return (
    <Page
      title="Containment"
      actions={mayThrow ? <Button variant="default" onClick={dialog.open}>Stop one thing…</Button> : null}
    >
      <section className={classes.big} data-on={stopped !== undefined || undefined}>
        {stopped === undefined ? <ShieldCheck size={30} strokeWidth={1.6} aria-hidden /> : <OctagonX size={30} strokeWidth={1.6} aria-hidden />}
        <div>
          <h2>{stopped !== undefined ? "Everything is stopped" : switches.length > 0 ? "Agents may act, except what is stopped below" : "Agents may act"}</h2>
          <p>
            {stopped === undefined
              ? "What is not stopped goes through policy as usual. The switch blocks every action of every agent in this workspace, approved ones included, from the next ledger entry on."
              : "Every action of every agent is blocked, whatever policies say. What already runs is not called back."}
          </p>
        </div>
        {stopped === undefined ? (
          mayThrow ? <Button color="red" size="md" onClick={stopAll.open}>Stop everything</Button> : null
        ) : (
          <Release thrown={stopped} size="md" />
        )}
      </section>
      {error !== null ? <Failure error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Waiting /> : null}
      {data !== undefined && switches.length === 0 ? (
        <Empty icon={ShieldOff} title="No switch is on">
          <p>Stop a single agent, an action type or a source when something looks wrong. It takes effect at once and is recorded with who and why.</p>
        </Empty>
      ) : (
        <ul className={classes.switches}>
          {switches.map((thrown) => (
            <Thrown key={thrown.id} thrown={thrown} />
          ))}
        </ul>
      )}
      <Throw opened={opened} close={dialog.close} />
      <Throw opened={all} close={stopAll.close} everything />
    </Page>
  );
}

const SCOPE: Record<string, string> = { workspace: "Everything", agent: "Agent", actionType: "Action type", source: "Source" };

function Thrown({ thrown }: { thrown: SwitchView }) {
  const agent = useAgentName(thrown.scope === "agent" ? thrown.value : undefined);
  return (
    <li className={classes.switch}>
      <Badge tone="block">{SCOPE[thrown.scope] ?? thrown.scope}</Badge>
      <div>
        <b className={thrown.scope === "agent" ? undefined : "mono"}>{agent ?? thrown.value ?? "the whole workspace"}</b>
        <p>{thrown.reason}</p>
        <p className="quiet">
          <Person id={thrown.by} />, <Ago at={thrown.at} />
        </p>
      </div>
      {thrown.scope === "workspace" ? null : <Release thrown={thrown} size="xs" />}
    </li>
  );
}

function Release({ thrown, size }: { thrown: SwitchView; size: string }) {
  const may = useMay("manage");
  const [sure, confirm] = useDisclosure();
  const release = useMutation({
    mutationFn: () => releaseSwitch({ path: { id: thrown.id }, throwOnError: true }),
    onSettled: () => refresh("listSwitches"),
  });
  if (!may) return <span className="quiet">An admin can release it.</span>;
  if (release.error !== null) return <Failure error={release.error} title="It is still on" />;
  return sure ? (
    <span className={classes.sure}>
      <Button size={size} variant="default" onClick={confirm.close}>
        Keep
      </Button>
      <Button size={size} color="green" loading={release.isPending} onClick={() => release.mutate()}>
        Let them act again
      </Button>
    </span>
  ) : (
    <Button size={size} variant="default" onClick={confirm.open}>
      Release…
    </Button>
  );
}
