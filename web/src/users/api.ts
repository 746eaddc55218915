/** People of the workspace. */
import { listUsersOptions } from "../generated/@tanstack/react-query.gen";
import { createUser, endSessions, patchUser as patch, resetUser as reset } from "../generated/sdk.gen";
import type { CreateUserData, LinkView, PatchUserData } from "../generated/types.gen";

export type Link = LinkView;

export const usersQuery = listUsersOptions();

export async function inviteUser(body: CreateUserData["body"]): Promise<Link> {
  return (await createUser({ body, throwOnError: true })).data.link;
}

export async function patchUser(id: string, body: PatchUserData["body"]): Promise<void> {
  await patch({ path: { id }, body, throwOnError: true });
}

export async function resetUser(id: string): Promise<Link> {
  return (await reset({ path: { id }, throwOnError: true })).data;
}

export async function signOutUser(id: string): Promise<void> {
  await endSessions({ path: { id }, throwOnError: true });
}
