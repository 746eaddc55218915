import { Button, Select, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useMay } from "../api/session";
import type { SettingsView, TargetView } from "../generated/types.gen";
import { Badge } from "../shared/Badge";
import classes from "../shared/list.module.css";
import { Card, Refusal, usePatch } from "./SettingsPage";

/** What is registered about the systems that agents act on. A registration is believed; what a call says only tightens. */
export function Targets({ settings }: { settings: SettingsView }) {
  const may = useMay("manage");
  const patch = usePatch();
  const [editing, setEditing] = useState<string>();
  const targets = Object.entries(settings.targets);
  return (
    <Card title="Targets" says="The systems that agents act on. An unregistered one counts as sensitive and as production.">
      {targets.length === 0 ? <p className="quiet">None is registered.</p> : (
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead><tr><th>Target</th><th>Environment</th><th>Sensitivity</th><th>Audience</th><th>Hosts</th><th><span className="sr">Actions</span></th></tr></thead>
            <tbody>
              {targets.map(([name, target]) => (
                <tr key={name}>
                  <td className="mono">{name}</td>
                  <td>{target.environment ?? (target.environmentFrom == null ? "" : `as the ${target.environmentFrom} says`)}</td>
                  <td>{target.sensitivity == null ? "" : <Badge>{target.sensitivity}</Badge>}</td>
                  <td>{target.audience ?? ""}</td>
                  <td>{(target.hosts ?? []).join(", ")}</td>
                  <td align="right">{may ? <Button variant="subtle" color="gray" onClick={() => setEditing(name)}>Edit</Button> : null}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Refusal error={patch.error} />
      {editing === undefined ? (
        may ? <div><Button variant="default" onClick={() => setEditing("")}>Register a target</Button></div> : null
      ) : (
        <Form
          key={editing} name={editing} target={settings.targets[editing] ?? {}} cancel={() => setEditing(undefined)}
          save={(name, target) => patch.mutate({ targets: { [name]: target } }, { onSuccess: () => setEditing(undefined) })}
        />
      )}
    </Card>
  );
}

interface FormProps {
  name: string;
  target: TargetView;
  cancel: () => void;
  save: (name: string, target: Record<string, unknown> | null) => void;
}

function Form({ name: before, target, cancel, save }: FormProps) {
  const [name, setName] = useState(before);
  const [draft, setDraft] = useState<TargetView>(target);
  const pick = (member: keyof TargetView) => (value: string | null) => setDraft({ ...draft, [member]: value });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        save(name.trim(), { environment: null, environmentFrom: null, sensitivity: null, audience: null, ...draft });
      }}
    >
      <TextInput label="Name" required readOnly={before !== ""} value={name} onChange={(event) => setName(event.currentTarget.value)} placeholder="orders-db" />
      <TextInput label="Environment" value={draft.environment ?? ""} onChange={(event) => pick("environment")(event.currentTarget.value || null)} placeholder="production" />
      <Select label="Sensitivity" clearable data={["low", "normal", "high"]} value={draft.sensitivity ?? null} onChange={pick("sensitivity")} />
      <Select label="Audience" clearable data={["internal", "external"]} value={draft.audience ?? null} onChange={pick("audience")} />
      <TagsInput label="Hosts" value={draft.hosts ?? []} onChange={(hosts) => setDraft({ ...draft, hosts })} />
      <div className={classes.buttons}>
        {before === "" ? null : <Button variant="subtle" color="red" onClick={() => save(before, null)}>Remove</Button>}
        <Button variant="default" onClick={cancel}>Cancel</Button>
        <Button type="submit" disabled={name.trim() === ""}>Save</Button>
      </div>
    </form>
  );
}
