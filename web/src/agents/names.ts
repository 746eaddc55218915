import { useQuery } from "@tanstack/react-query";
import { listAgentsOptions } from "../generated/@tanstack/react-query.gen";

/** The name people know an agent by. */
export function useAgentName(id: string | null | undefined): string | undefined {
  const { data } = useQuery({ ...listAgentsOptions(), staleTime: 30_000, enabled: id != null });
  return data?.agents.find((agent) => agent.id === id)?.name;
}
