import { Button, Modal, Select, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { refresh } from "../api/queries";
import { Problem } from "../api/http";
import { getCatalogueOptions, listAgentsOptions } from "../generated/@tanstack/react-query.gen";
import { throwSwitch } from "../generated/sdk.gen";
import type { ScopeView } from "../generated/types.gen";
import classes from "../shared/list.module.css";

interface Props {
  opened: boolean;
  close: () => void;
  everything?: boolean;
}

/** Asks what to stop and why, then stops it. */
export function Throw({ opened, close, everything = false }: Props) {
  return (
    <Modal opened={opened} onClose={close} title={everything ? "Stop everything" : "Stop one thing"} closeButtonProps={{ "aria-label": "Close" }}>
      {opened ? <Form close={close} everything={everything} /> : null}
    </Modal>
  );
}

function Form({ close, everything }: { close: () => void; everything: boolean }) {
  const [scope, setScope] = useState<ScopeView>(everything ? "workspace" : "agent");
  const [value, setValue] = useState<string | null>(null);
  const [reason, setReason] = useState("");
  const agents = useQuery(listAgentsOptions()).data?.agents ?? [];
  const types = useQuery(getCatalogueOptions()).data?.actions ?? [];
  const act = useMutation({
    mutationFn: () => throwSwitch({ body: { scope, reason: reason.trim(), value: scope === "workspace" ? undefined : value }, throwOnError: true }),
    onSuccess: () => {
      void refresh("listSwitches");
      close();
    },
  });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      {everything ? (
        <p>Every action of every agent in this workspace becomes BLOCK, and approved actions can not be redeemed, until an admin releases the switch.</p>
      ) : (
        <>
          <Select
            label="What" allowDeselect={false} value={scope} onChange={(next) => (setScope((next ?? "agent") as ScopeView), setValue(null))}
            data={[{ value: "agent", label: "One agent" }, { value: "actionType", label: "One action type" }, { value: "source", label: "One source" }]}
          />
          {scope === "source" ? (
            <TextInput label="Source" placeholder="stripe, aws, github…" required value={value ?? ""} onChange={(event) => setValue(event.currentTarget.value)} />
          ) : (
            <Select
              label={scope === "agent" ? "Agent" : "Action type"} required searchable value={value} onChange={setValue}
              data={scope === "agent" ? agents.map(({ id, name }) => ({ value: id, label: name })) : types.map(({ name }) => name)}
            />
          )}
        </>
      )}
      <Textarea label="Why" required data-autofocus maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} placeholder="Recorded on the ledger and shown to everybody" />
      {act.error === null ? null : <p role="alert">{Problem.of(act.error).detail}</p>}
      <div className={classes.buttons}>
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" color="red" loading={act.isPending} disabled={reason.trim() === "" || (scope !== "workspace" && !value)}>
          {everything ? "Stop everything now" : "Stop it now"}
        </Button>
      </div>
    </form>
  );
}
