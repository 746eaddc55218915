import { Button, Menu } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { EllipsisVertical, KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { Problem } from "../api/http";
import { refresh } from "../api/queries";
import { useMay } from "../api/session";
import { listKeysOptions } from "../generated/@tanstack/react-query.gen";
import { createKey, revokeKey, rotateKey } from "../generated/sdk.gen";
import type { KeyView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Badge } from "../shared/Badge";
import { Copy } from "../shared/Copy";
import { Section } from "../shared/Page";
import { Failure } from "../shared/State";
import classes from "../shared/list.module.css";

/** How long the old key goes on working when a key is rotated without a break. */
const GRACE_SECONDS = 86_400;

/** Keys of one agent. A key is shown once, when it is made. */
export function Keys({ agent }: { agent: string }) {
  const { data, error } = useQuery(listKeysOptions({ path: { id: agent } }));
  const may = useMay("manage");
  const [secret, setSecret] = useState<string>();
  const changed = () => refresh("listKeys");
  const make = useMutation({
    mutationFn: async () => (await createKey({ path: { id: agent }, body: {}, throwOnError: true })).data.key,
    onSuccess: setSecret, onSettled: changed,
  });
  const rotate = useMutation({
    mutationFn: async ({ id, graceSeconds }: { id: string; graceSeconds?: number }) =>
      (await rotateKey({ path: { id }, body: { graceSeconds }, throwOnError: true })).data.key,
    onSuccess: setSecret, onSettled: changed,
  });
  const revoke = useMutation({ mutationFn: (id: string) => revokeKey({ path: { id }, throwOnError: true }), onSettled: changed });
  const failure = make.error ?? rotate.error ?? revoke.error;
  return (
    <Section
      title="Keys"
      aside={may ? <Button variant="default" leftSection={<Plus size={13} />} loading={make.isPending} onClick={() => make.mutate()}>New key</Button> : null}
    >
      {error === null ? null : <Failure error={error} />}
      {failure === null ? null : <p role="alert">{Problem.of(failure).detail}</p>}
      {secret === undefined ? null : <Secret secret={secret} done={() => setSecret(undefined)} />}
      <div className={classes.scroll}>
        <table className={classes.table}>
          <thead>
            <tr><th>Key</th><th>Made</th><th>Ends</th><th>Status</th><th><span className="sr">Actions</span></th></tr>
          </thead>
          <tbody>
            {(data?.keys ?? []).map((key) => (
              <Row
                key={key.id} row={key} may={may} revoke={() => revoke.mutate(key.id)} rotate={(graceSeconds) => rotate.mutate({ id: key.id, graceSeconds })}
              />
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

export function Secret({ secret, done }: { secret: string; done?: () => void }) {
  return (
    <div className={classes.secret} role="status">
      <KeyRound size={16} aria-hidden />
      <code>{secret}</code>
      <Copy text={secret} what="key" />
      <span className="quiet">Shown only now.</span>
      {done === undefined ? null : <Button variant="default" onClick={done}>I have it</Button>}
    </div>
  );
}

function Row({ row, may, rotate, revoke }: { row: KeyView; may: boolean; rotate: (graceSeconds?: number) => void; revoke: () => void }) {
  const active = row.status === "active";
  return (
    <tr>
      <td><code title={row.id}>…{row.id.slice(-10)}</code></td>
      <td><Ago at={row.createdAt} /></td>
      <td>{row.expiresAt == null ? <span className="quiet">never</span> : <Ago at={row.expiresAt} />}</td>
      <td><Badge tone={active ? "allow" : "plain"}>{row.status}</Badge></td>
      <td align="right">
        {may && active ? (
          <Menu>
            <Menu.Target>
              <Button variant="subtle" color="gray" px={6} aria-label={`Change key ${row.id}`}><EllipsisVertical size={15} /></Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => rotate(GRACE_SECONDS)}>Rotate, the old one ends in a day</Menu.Item>
              <Menu.Item onClick={() => rotate()}>Rotate, the old one ends now</Menu.Item>
              <Menu.Divider />
              <Menu.Item color="red" onClick={revoke}>Revoke now</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        ) : null}
      </td>
    </tr>
  );
}
