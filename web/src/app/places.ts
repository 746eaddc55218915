/** The pages: where they are, what they are called, who may see them. */
import {
  Activity, BookOpen, Bot, CircleCheckBig, FileCode2, LayoutDashboard, OctagonX, Settings2, ShieldCheck, Users, type LucideIcon,
} from "lucide-react";
import type { Permission } from "../api/session";

export interface Place {
  to: "/" | "/decisions" | "/approvals" | "/policies" | "/containment" | "/agents" | "/catalogue" | "/ledger" | "/users" | "/settings";
  name: string;
  icon: LucideIcon;
  /** Second key after `g`. */
  key: string;
  group: string;
  needs: Permission;
  about: string;
}

export const PLACES: readonly Place[] = [
  { to: "/", name: "Overview", icon: LayoutDashboard, key: "o", group: "Watch", needs: "read", about: "What agents did, in numbers" },
  { to: "/decisions", name: "Decisions", icon: Activity, key: "d", group: "Watch", needs: "read", about: "Every action and what was decided" },
  { to: "/approvals", name: "Approvals", icon: CircleCheckBig, key: "a", group: "Watch", needs: "read", about: "Held actions that wait for a person" },
  { to: "/policies", name: "Policies", icon: FileCode2, key: "p", group: "Control", needs: "read", about: "The rules, their history, a place to try them" },
  { to: "/containment", name: "Containment", icon: OctagonX, key: "c", group: "Control", needs: "read", about: "Stop everything, an agent, or a kind of action" },
  { to: "/agents", name: "Agents", icon: Bot, key: "b", group: "Control", needs: "read", about: "Who may ask, and with which keys" },
  { to: "/catalogue", name: "Catalogue", icon: BookOpen, key: "k", group: "Control", needs: "read", about: "Known action types and their fields" },
  { to: "/ledger", name: "Ledger", icon: ShieldCheck, key: "l", group: "Prove", needs: "read", about: "The record, its checkpoint, verification" },
  { to: "/users", name: "Users", icon: Users, key: "u", group: "Administer", needs: "manage", about: "People and their roles" },
  { to: "/settings", name: "Settings", icon: Settings2, key: "s", group: "Administer", needs: "read", about: "Defaults, limits, targets" },
];
