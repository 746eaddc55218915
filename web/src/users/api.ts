/** People of the workspace. */
import { queryOptions } from "@tanstack/react-query";
import type { User } from "../api/session";
import { client } from "../client/client.gen";

export interface Link {
  token: string;
  path: string;
  expiresAt: string;
}

const HEADERS = { "Content-Type": "application/json" };

export const usersQuery = queryOptions({
  queryKey: [{ _id: "listUsers" }],
  queryFn: async ({ signal }) => (await client.get<{ 200: { users: User[] } }, unknown, true>({ url: "/api/v1/users", signal, throwOnError: true })).data as { users: User[] },
});

export async function inviteUser(body: { username: string; displayName?: string; role: string; groups: string[] }): Promise<Link> {
  const { data } = await client.post<{ 201: { link: Link } }, unknown, true>({ url: "/api/v1/users", body, headers: HEADERS, throwOnError: true });
  return (data as { link: Link }).link;
}

export async function patchUser(id: string, body: Partial<Pick<User, "displayName" | "role" | "groups" | "status">>): Promise<void> {
  await client.patch({ url: "/api/v1/users/{id}", path: { id }, body, headers: HEADERS, throwOnError: true });
}

export async function resetUser(id: string): Promise<Link> {
  const { data } = await client.post<{ 201: Link }, unknown, true>({ url: "/api/v1/users/{id}/reset", path: { id }, throwOnError: true });
  return data as Link;
}

export async function signOutUser(id: string): Promise<void> {
  await client.delete({ url: "/api/v1/users/{id}/sessions", path: { id }, throwOnError: true });
}
