import { Button, Menu, Select, TagsInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { EllipsisVertical, UserPlus } from "lucide-react";
import { useState } from "react";
import { Problem } from "../api/http";
import { refresh } from "../api/queries";
import { useMay, useSession, type Role, type User } from "../api/session";
import { Badge } from "../shared/Badge";
import { Page } from "../shared/Page";
import { Failure, Waiting } from "../shared/State";
import { patchUser, resetUser, signOutUser, usersQuery, type Link } from "./api";
import { Invite, OneTimeLink } from "./Invite";
import { ROLES } from "./roles";
import classes from "./users.module.css";

/** People, and what they may do. */
export function UsersPage() {
  const { data, error, isPending, refetch } = useQuery(usersQuery);
  const [opened, dialog] = useDisclosure();
  const [link, setLink] = useState<{ of: string; link: Link }>();
  return (
    <Page title="Users" actions={<Button leftSection={<UserPlus size={14} />} onClick={dialog.open}>Invite somebody</Button>}>
      {error !== null ? <Failure error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Waiting /> : null}
      {link === undefined ? null : <OneTimeLink of={link.of} link={link.link} done={() => setLink(undefined)} />}
      <ul className={classes.users}>
        {(data?.users ?? []).map((user) => (
          <Person key={user.id} user={user} showLink={(made) => setLink({ of: user.displayName || user.username, link: made })} />
        ))}
      </ul>
      <section className={classes.roles}>
        <h2>What roles may do</h2>
        <dl>
          {ROLES.map(({ role, may }) => (
            <div key={role}>
              <dt>{role}</dt>
              <dd>{may}</dd>
            </div>
          ))}
        </dl>
      </section>
      <Invite opened={opened} close={dialog.close} />
    </Page>
  );
}

function Person({ user, showLink }: { user: User; showLink: (link: Link) => void }) {
  const me = useSession().user?.id === user.id;
  const owner = useMay("own");
  const locked = user.role === "owner" && !owner;
  const changed = () => refresh("listUsers", "getSession");
  const patch = useMutation({ mutationFn: (change: Parameters<typeof patchUser>[1]) => patchUser(user.id, change), onSettled: changed });
  const reset = useMutation({ mutationFn: () => resetUser(user.id), onSuccess: showLink, onSettled: changed });
  const signOut = useMutation({ mutationFn: () => signOutUser(user.id) });
  const failure = patch.error ?? reset.error ?? signOut.error;
  const active = user.status === "active";
  const name = user.displayName || user.username;
  return (
    <li className={classes.user} data-disabled={!active || undefined}>
      <span className={classes.name}>
        <b>{name}</b> {me ? <Badge tone="accent">you</Badge> : null} {active ? null : <Badge>disabled</Badge>}
        {user.hasPassword ? null : <Badge tone="hold">invited</Badge>}
        <span className="quiet">{user.username}</span>
      </span>
      <Select
        aria-label={`Role of ${name}`} data={ROLES.filter(({ role }) => owner || role !== "owner" || user.role === "owner").map(({ role }) => role)}
        value={user.role} allowDeselect={false} disabled={locked || !active} onChange={(role) => role !== null && role !== user.role && patch.mutate({ role: role as Role })}
      />
      <TagsInput
        aria-label={`Groups of ${name}`} placeholder={user.groups.length === 0 ? "No group" : ""} value={user.groups} disabled={locked || !active}
        onChange={(groups) => patch.mutate({ groups })}
      />
      <Menu>
        <Menu.Target>
          <Button variant="subtle" color="gray" px={6} aria-label={`More about ${name}`} disabled={locked}><EllipsisVertical size={15} /></Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => reset.mutate()}>Make a link for a new password</Menu.Item>
          <Menu.Item onClick={() => signOut.mutate()}>Sign out everywhere</Menu.Item>
          <Menu.Divider />
          <Menu.Item color={active ? "red" : undefined} onClick={() => patch.mutate({ status: active ? "disabled" : "active" })}>{active ? "Disable" : "Enable"}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {failure === null ? null : <p role="alert" className={classes.problem}>{Problem.of(failure).detail}</p>}
    </li>
  );
}
