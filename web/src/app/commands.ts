/** What the palette offers. */
import { useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { useNavigate } from "@tanstack/react-router";
import { Bot, BookOpen, FileCode2, Hash, Moon, Sun, type LucideIcon } from "lucide-react";
import { useSession } from "../api/session";
import { getCatalogueOptions, listAgentsOptions, listPoliciesOptions } from "../generated/@tanstack/react-query.gen";
import { PLACES } from "./places";

type Navigate = ReturnType<typeof useNavigate>;

export interface Command {
  id: string;
  name: string;
  about: string;
  icon: LucideIcon;
  run: (navigate: Navigate) => void;
  /** Offered for this text whatever its name is. */
  always?: (text: string) => boolean;
}

export function useCommands(): readonly Command[] {
  const may = useSession().may ?? [];
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const agents = useQuery({ ...listAgentsOptions(), staleTime: 30_000 }).data?.agents ?? [];
  const policies = useQuery({ ...listPoliciesOptions(), staleTime: 30_000 }).data?.policies ?? [];
  const types = useQuery({ ...getCatalogueOptions(), staleTime: 300_000 }).data?.actions ?? [];
  let typed = "";
  const dark = colorScheme === "dark";

  return [
    {
      id: "request",
      name: "Open the decision with this request id",
      about: "req_…",
      icon: Hash,
      always: (text) => {
        typed = text.trim();
        return /^req_\S{8,}$/.test(typed);
      },
      run: (navigate) => void navigate({ to: "/decisions", search: { open: typed } }),
    },
    ...PLACES.filter(({ needs }) => may.includes(needs)).map(
      (place): Command => ({ id: place.to, name: place.name, about: place.about, icon: place.icon, run: (navigate) => void navigate({ to: place.to }) }),
    ),
    ...policies.map(
      ({ name, description }): Command => ({
        id: `policy ${name}`, name, about: `policy · ${description}`, icon: FileCode2,
        run: (navigate) => void navigate({ to: "/policies/$name", params: { name } }),
      }),
    ),
    ...agents.map(
      ({ id, name, environment }): Command => ({
        id, name, about: `agent · ${environment}`, icon: Bot, run: (navigate) => void navigate({ to: "/agents/$id", params: { id } }),
      }),
    ),
    ...types.map(
      ({ name, description }): Command => ({
        id: `type ${name}`, name, about: `action · ${description}`, icon: BookOpen,
        run: (navigate) => void navigate({ to: "/catalogue", search: { type: name } }),
      }),
    ),
    {
      id: "theme", name: dark ? "Use the light theme" : "Use the dark theme", about: "appearance", icon: dark ? Sun : Moon,
      run: () => setColorScheme(dark ? "light" : "dark"),
    },
  ];
}
