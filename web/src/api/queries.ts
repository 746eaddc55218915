/** The query cache, and how lists are told that they are old. */
import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./http";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (failures, error) => Problem.of(error).passing && failures < 2,
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});

/** The operation a query asks for: the generated client keeps it in the key. */
export function operation(key: readonly unknown[]): string | undefined {
  const first = key[0];
  return typeof first === "object" && first !== null && "_id" in first ? String(first._id) : undefined;
}

/** Marks every answer of these operations as old; what is on screen is asked again at once. */
export function refresh(...operations: string[]): Promise<void> {
  return queries.invalidateQueries({ predicate: ({ queryKey }) => operations.includes(operation(queryKey) ?? "") });
}
