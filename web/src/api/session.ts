/** Who is signed in and what the role allows. The server checks every request; the page only hides what would be refused. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { client } from "../generated/client.gen";
import { getSession } from "../generated/sdk.gen";
import type { Ability, SessionView, UserView } from "../generated/types.gen";
import { operation, queries } from "./queries";

export type { Role } from "../generated/types.gen";
export type User = UserView;
export type Session = SessionView;
export type Permission = Ability;

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
    const { data } = await getSession({ signal, throwOnError: true });
    return remember(data);
  },
  staleTime: 60_000,
  // Without an answer nothing can be shown: asked until there is one.
  refetchInterval: ({ state }) => (state.status === "error" ? 5_000 : 300_000),
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
  const before = queries.getQueryData(sessionQuery.queryKey);
  queries.setQueryData(sessionQuery.queryKey, remember(session));
  if (before?.user?.id === session.user?.id) return;
  // Not the link that was just used: looking at it again would only find it used.
  queries.removeQueries({ predicate: ({ queryKey }) => !["getSession", "checkLink"].includes(operation(queryKey) ?? "") });
}

export function end(): void {
  const before = queries.getQueryData(sessionQuery.queryKey);
  if (before?.signedIn === false) return;
  begin({ signedIn: false, needsSetup: false });
}
