import { Button, Modal, Select, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { History as HistoryIcon } from "lucide-react";
import { useState } from "react";
import { refresh } from "../api/queries";
import { useMay } from "../api/session";
import { Ago } from "../shared/Ago";
import { Badge } from "../shared/Badge";
import { Empty, Failure, Waiting } from "../shared/State";
import { CHANGED, rollBack, versionQuery, versionsQuery, type Version } from "./api";
import { Diff } from "./Diff";
import { Person } from "../users/Person";
import list from "../shared/list.module.css";
import classes from "./policies.module.css";

const CHANGE: Record<Version["change"], string> = { published: "published", rolled_back: "rolled back", withdrawn: "withdrawn" };

/** Every version of a policy: who, when, why, what changed; and the way back. */
export function History({ name, active, restore }: { name: string; active: string; restore: (yaml: string) => void }) {
  const { data, error, isPending, refetch } = useQuery(versionsQuery(name));
  // In the address: what is compared here can be shown to somebody else.
  const search: { version?: number; against?: number } = useSearch({ strict: false });
  const navigate = useNavigate();
  const show = (version: number, against?: number) => void navigate({ to: "/policies/$name", params: { name }, search: { view: "history", version, against }, replace: true });
  const [going, setGoing] = useState<number>();
  if (error !== null) return <div className={list.alone}><Failure error={error} retry={() => void refetch()} /></div>;
  if (isPending) return <div className={list.alone}><Waiting /></div>;
  const first = data[0];
  if (first === undefined) return <Empty icon={HistoryIcon} title="No version is kept"><p>The next publish is the first one that is.</p></Empty>;
  const kept = (wanted: number | undefined) => data.find((each) => each.version === wanted)?.version;
  const version = kept(search.version) ?? first.version;
  const other = kept(search.against) ?? data.find((each) => each.version < version)?.version;
  return (
    <div className={classes.history}>
      <ol className={classes.versions} aria-label="Versions">
        {data.map((each) => (
          <li key={each.version}>
            <button type="button" aria-pressed={each.version === version} onClick={() => show(each.version)}>
              <span>
                <b className="num">{each.version}</b> {each.current ? <Badge tone="allow">in force</Badge> : null}
              </span>
              <span>{each.message || <span className="quiet">no message</span>}</span>
              <span className="quiet">
                {CHANGE[each.change]}{each.rolledBackTo == null ? "" : ` to ${each.rolledBackTo}`} by <Person id={each.by} />, <Ago at={each.at} />
              </span>
            </button>
          </li>
        ))}
      </ol>
      <div className={classes.compare}>
        <div className={classes.compareBar}>
          <span>Version {version} against</span>
          <Select
            aria-label="Compare with" w={190} allowDeselect={false} value={other === undefined ? "none" : String(other)} onChange={(next) => show(version, Number(next))}
            data={[...(other === undefined ? [{ value: "none", label: "nothing" }] : []), ...data.filter((each) => each.version !== version).map((each) => ({ value: String(each.version), label: `version ${each.version}${each.current ? " (in force)" : ""}` }))]}
          />
          <Actions name={name} version={version} current={data.find((each) => each.current)?.version} restore={restore} roll={() => setGoing(version)} />
        </div>
        <Compare name={name} version={version} other={other} />
      </div>
      <RollBack name={name} version={going} active={active} close={() => setGoing(undefined)} />
    </div>
  );
}

function Actions(props: { name: string; version: number; current: number | undefined; restore: (yaml: string) => void; roll: () => void }) {
  const mayPublish = useMay("publish");
  const navigate = useNavigate();
  const { data } = useQuery(versionQuery(props.name, props.version));
  const yaml = data?.yaml;
  if (!mayPublish || yaml == null || props.version === props.current) return null;
  const edit = () => {
    props.restore(yaml);
    void navigate({ to: "/policies/$name", params: { name: props.name }, search: {} });
  };
  return (
    <span className={list.buttons} style={{ marginLeft: "auto" }}>
      <Button variant="default" onClick={edit}>Edit from here</Button>
      <Button variant="default" onClick={props.roll}>Roll back to {props.version}…</Button>
    </span>
  );
}

function Compare({ name, version, other }: { name: string; version: number; other: number | undefined }) {
  const after = useQuery(versionQuery(name, version));
  const before = useQuery({ ...versionQuery(name, other ?? 0), enabled: other !== undefined });
  const error = after.error ?? before.error;
  if (error !== null) return <Failure error={error} />;
  if (after.data === undefined || (other !== undefined && before.data === undefined)) return <Waiting />;
  return <Diff before={before.data?.yaml ?? ""} after={after.data.yaml ?? ""} className={classes.diffTall} />;
}

function RollBack({ name, version, active, close }: { name: string; version: number | undefined; active: string; close: () => void }) {
  const [message, setMessage] = useState("");
  const { data } = useQuery({ ...versionQuery(name, version ?? 0), enabled: version !== undefined });
  const act = useMutation({
    mutationFn: () => rollBack(name, version ?? 0, message.trim()),
    onSuccess: async () => {
      await refresh(...CHANGED);
      notifications.show({ color: "green", message: `${name} is rolled back to version ${version ?? ""}` });
      setMessage("");
      close();
    },
  });
  return (
    <Modal opened={version !== undefined} onClose={close} title={`Roll back to version ${version ?? ""}`} size="xl" closeButtonProps={{ "aria-label": "Close" }}>
      <form className={list.form} onSubmit={(event) => (event.preventDefault(), act.mutate())}>
        <p>The text of version {version} becomes the newest version. Compared with what is in force:</p>
        {data?.yaml == null ? null : <Diff before={active} after={data.yaml} className={classes.diff} />}
        <Textarea label="Why" data-autofocus maxLength={500} value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
        {act.error === null ? null : <Failure error={act.error} title="Nothing was changed" />}
        <div className={list.buttons}>
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={act.isPending}>Roll back</Button>
        </div>
      </form>
    </Modal>
  );
}
