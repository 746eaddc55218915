import type { Role } from "../api/session";

/** Each role and what it adds, in a sentence. */
export const ROLES: readonly { role: Role; may: string }[] = [
  { role: "viewer", may: "sees everything, changes nothing" },
  { role: "approver", may: "decides held actions, throws containment switches" },
  { role: "author", may: "publishes, withdraws and rolls back policies" },
  { role: "admin", may: "all of these, and agents, keys, settings, users, releasing switches, export" },
  { role: "owner", may: "all of these, and owners, workspaces, metrics" },
];
