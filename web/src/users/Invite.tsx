import { Button, Modal, Select, TagsInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../api/http";
import { refresh } from "../api/queries";
import { useMay, type Role } from "../api/session";
import { Ago } from "../shared/Ago";
import { Copy } from "../shared/Copy";
import list from "../shared/list.module.css";
import { inviteUser, type Link } from "./api";
import { ROLES } from "./roles";

export function Invite({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="Invite somebody" closeButtonProps={{ "aria-label": "Close" }}>
      {opened ? <Form close={close} /> : null}
    </Modal>
  );
}

/** A link that works once, to be sent by whatever way one trusts. */
export function OneTimeLink({ of, link, done }: { of: string; link: Link; done: () => void }) {
  const address = window.location.origin + link.path;
  return (
    <div className={list.form}>
      <p>
        Send this link to <b>{of}</b>, by a way you trust. It works once and ends <Ago at={link.expiresAt} />.
      </p>
      <div className={list.secret} role="status">
        <code>{address}</code>
        <Copy text={address} what="link" />
      </div>
      <div className={list.buttons}>
        <Button variant="default" onClick={done}>I have it</Button>
      </div>
    </div>
  );
}

function Form({ close }: { close: () => void }) {
  const owner = useMay("own");
  const [username, setUsername] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [role, setRole] = useState<string | null>("approver");
  const [groups, setGroups] = useState<string[]>([]);
  const invite = useMutation({
    mutationFn: () => inviteUser({ username: username.trim(), displayName: displayName.trim() || undefined, role: (role ?? "viewer") as Role, groups }),
    onSuccess: () => refresh("listUsers"),
  });
  if (invite.data !== undefined) return <OneTimeLink of={displayName || username} link={invite.data} done={close} />;
  return (
    <form className={list.form} onSubmit={(event) => (event.preventDefault(), invite.mutate())}>
      <TextInput
        label="User name" required data-autofocus description="Lower-case letters, digits, dot, dash" pattern="[a-z0-9._\-]{1,64}" value={username}
        onChange={(event) => setUsername(event.currentTarget.value.toLowerCase())}
      />
      <TextInput label="Name" value={displayName} onChange={(event) => setDisplayName(event.currentTarget.value)} />
      <Select
        label="Role" allowDeselect={false} value={role} onChange={setRole} description={ROLES.find((each) => each.role === role)?.may}
        data={ROLES.filter((each) => owner || each.role !== "owner").map((each) => each.role)}
      />
      <TagsInput label="Groups" description="Rules ask groups for approval: finance, operations, …" value={groups} onChange={setGroups} />
      {invite.error === null ? null : <p role="alert">{Problem.of(invite.error).detail}</p>}
      <div className={list.buttons}>
        <Button variant="default" onClick={close}>Cancel</Button>
        <Button type="submit" loading={invite.isPending} disabled={username.trim() === ""}>Make the link</Button>
      </div>
    </form>
  );
}
