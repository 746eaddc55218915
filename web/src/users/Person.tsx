import { useQuery } from "@tanstack/react-query";
import { useMay, useSession } from "../api/session";
import { usersQuery } from "./api";

/** Somebody by name. Only admins may list people: others see their own name, and an id for everybody else. */
export function Person({ id, name }: { id: string; name?: string | null }) {
  const { user } = useSession();
  const mayList = useMay("manage");
  const known = name ?? (id === user?.id ? user.displayName || user.username : undefined);
  const { data } = useQuery({ ...usersQuery, enabled: known === undefined && mayList && id.startsWith("usr_"), staleTime: 60_000 });
  const listed = data?.users.find((each) => each.id === id);
  const shown = known ?? (listed === undefined ? undefined : listed.displayName || listed.username);
  return <span title={id}>{shown ?? (id.startsWith("usr_") ? `${id.slice(0, 8)}…${id.slice(-4)}` : id)}</span>;
}
