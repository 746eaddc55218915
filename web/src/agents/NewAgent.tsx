import { Button, Modal, Select, TagsInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Problem } from "../api/http";
import { refresh } from "../api/queries";
import { createAgent } from "../generated/sdk.gen";
import { Copy } from "../shared/Copy";
import { Secret } from "./Keys";
import classes from "../shared/list.module.css";

export function NewAgent({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="New agent" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      {opened ? <Form close={close} /> : null}
    </Modal>
  );
}

function Form({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [environment, setEnvironment] = useState<string | null>("production");
  const [source, setSource] = useState("");
  const [owner, setOwner] = useState("");
  const [labels, setLabels] = useState<string[]>([]);
  const create = useMutation({
    mutationFn: async () =>
      (await createAgent({ body: { name: name.trim(), environment: environment ?? "production", labels, source: source.trim() || undefined, owner: owner.trim() || undefined }, throwOnError: true })).data,
    onSuccess: () => refresh("listAgents"),
  });
  if (create.data !== undefined) {
    const program = `import { Runplane } from "runplane";\n\nconst runplane = new Runplane({ baseUrl: "${window.location.origin}", apiKey: process.env.RUNPLANE_API_KEY });\nawait runplane.guard("process_refund", "stripe", { amount: 120, currency: "usd" }, () => refund());`;
    const { id, key } = create.data;
    return (
      <div className={classes.form}>
        <p><b>{create.data.name}</b> is registered. This is its key:</p>
        <Secret secret={key.key} />
        <p>Put it into <code>RUNPLANE_API_KEY</code>, and every action through guard():</p>
        <div className={classes.secret}>
          <code>{program.split("\n").map((line, place) => <span key={place}>{line}<br /></span>)}</code>
          <Copy text={program} what="program" />
        </div>
        <div className={classes.buttons}>
          <Button onClick={() => (close(), void navigate({ to: "/agents/$id", params: { id } }))}>I have the key</Button>
        </div>
      </div>
    );
  }
  return (
    <form className={classes.form} onSubmit={(event) => (event.preventDefault(), create.mutate())}>
      <TextInput label="Name" required data-autofocus maxLength={128} value={name} onChange={(event) => setName(event.currentTarget.value)} placeholder="refund-desk" />
      <Select
        label="Environment" description="Established: rules believe it" allowDeselect={false} value={environment} onChange={setEnvironment}
        data={["production", "staging", "development", "test"]}
      />
      <TextInput label="Source" description="The platform its tools come from, if it is one" value={source} onChange={(event) => setSource(event.currentTarget.value)} placeholder="stripe" />
      <TextInput label="Owner" description="Answers for it, and may not approve what it asks" value={owner} onChange={(event) => setOwner(event.currentTarget.value)} />
      <TagsInput label="Labels" description="Rules can ask for them: agent.labels" value={labels} onChange={setLabels} />
      {create.error === null ? null : <p role="alert">{Problem.of(create.error).detail}</p>}
      <div className={classes.buttons}>
        <Button variant="default" onClick={close}>Cancel</Button>
        <Button type="submit" loading={create.isPending} disabled={name.trim() === ""}>Register</Button>
      </div>
    </form>
  );
}
