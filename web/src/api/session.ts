/** Who is signed in and what the role allows. The server checks every request; the page only hides what would be refused. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { client } from "../client/client.gen";
import { queries } from "./queries";

export type Role = "viewer" | "approver" | "author" | "admin" | "owner";
export type Permission = "read" | "approve" | "publish" | "manage" | "own";

export interface User {
  id: string;
  username: string;
  displayName: string;
  role: Role;
  groups: string[];
  status: "active" | "disabled";
  hasPassword: boolean;
  createdAt: string;
  disabledAt?: string;
}

export interface Session {
  signedIn: boolean;
  needsSetup: boolean;
  user?: User;
  workspace?: string;
  csrfToken?: string;
  expiresAt?: string;
  may?: Permission[];
}

const CSRF = "Runplane-Csrf";

/** Takes the token of a session into every request that changes something. */
function remember(session: Session): Session {
  const token = session.csrfToken;
  client.setConfig({ headers: { [CSRF]: token ?? null } });
  return session;
}

export const sessionQuery = queryOptions({
  queryKey: [{ _id: "getSession" }],
  queryFn: async ({ signal }) => {
    const { data } = await client.get<{ 200: Session }, unknown, true>({ url: "/api/v1/session", signal, throwOnError: true });
    return remember(data as Session);
  },
  staleTime: 60_000,
  refetchInterval: 300_000,
});

export function useSession(): Session {
  const { data } = useQuery(sessionQuery);
  return data ?? { signedIn: false, needsSetup: false };
}

export function useMay(permission: Permission): boolean {
  return useSession().may?.includes(permission) ?? false;
}

/** Makes an answer of the session endpoints the session of this page. Everything known of an earlier one is forgotten. */
export function begin(session: Session): void {
  queries.clear();
  queries.setQueryData(sessionQuery.queryKey, remember(session));
}

export function end(): void {
  const before = queries.getQueryData(sessionQuery.queryKey);
  if (before?.signedIn === false) return;
  begin({ signedIn: false, needsSetup: false });
}
