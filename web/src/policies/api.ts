/** Policy tooling of the server: lint, explain, history, hits. */
import { queryOptions } from "@tanstack/react-query";
import { Problem } from "../api/http";
import { client } from "../client/client.gen";
import { checkPolicy } from "../client/sdk.gen";
import type { FactorView, FindingView } from "../client/types.gen";

const HEADERS = { "Content-Type": "application/json" };

export interface LintFinding {
  kind: string;
  file: string;
  line: number;
  column: number;
  rules: string[];
  message: string;
  help?: string | null;
  example?: { call?: { action: { type: string; target: string; context: unknown } }; shows?: string } | null;
}

export interface Lint {
  valid: boolean;
  errors: FindingView[];
  warnings: FindingView[];
  findings: LintFinding[];
}

export async function lint(yaml: string): Promise<Lint> {
  try {
    const { data } = await client.post<{ 200: Lint }, unknown, true>({ url: "/api/v1/policies/lint", body: { yaml }, headers: HEADERS, throwOnError: true });
    return data as Lint;
  } catch (failure) {
    if (!Problem.of(failure).unknownHere) throw failure;
    const { data } = await checkPolicy({ body: { yaml }, throwOnError: true });
    return { ...data, findings: [] };
  }
}

export interface RulePart {
  text: string;
  result: "true" | "false" | "error";
  found?: Record<string, string>;
  says?: string;
}

export interface RuleTrace {
  rule: string;
  file?: string;
  line?: number;
  does?: string | null;
  shadow?: boolean;
  standing: "matched" | "suspected" | "near" | "unmatched" | "out_of_scope";
  decides?: boolean;
  says?: string;
  parts?: RulePart[];
}

export interface Explanation {
  basis: { policies: string; says: string };
  decision: { outcome: string; reason: string; code: string; matchedRule: string; severity: string; risk: { score: number; severity: string; factors: FactorView[] }; uncovered?: string[] };
  call: { type: string; types: string[]; effect: string; target: string; environment: string };
  readings?: Record<string, unknown>;
  rules: RuleTrace[];
  omitted?: number;
}

export interface Call {
  action: { type: string; target: string; context?: unknown; tool?: string };
  subject?: string;
  session?: string;
}

export async function explain(call: Call, agentId: string | undefined, yaml: string | undefined): Promise<Explanation> {
  const { data } = await client.post<{ 200: Explanation }, unknown, true>({
    url: "/api/v1/policies/explain", body: { call, agentId, yaml }, headers: HEADERS, throwOnError: true,
  });
  return data as Explanation;
}

export interface Version {
  version: number;
  change: "published" | "rolled_back" | "withdrawn";
  message?: string | null;
  by: string;
  at: string;
  rolledBackTo?: number | null;
  current: boolean;
  yaml?: string | null;
}

export const versionsQuery = (name: string) =>
  queryOptions({
    queryKey: [{ _id: "listPolicyVersions" }, name],
    queryFn: async ({ signal }) => {
      const { data } = await client.get<{ 200: { versions: Version[] } }, unknown, true>({ url: "/api/v1/policies/{name}/versions", path: { name }, signal, throwOnError: true });
      return (data as { versions: Version[] }).versions;
    },
  });

export const versionQuery = (name: string, version: number) =>
  queryOptions({
    queryKey: [{ _id: "getPolicyVersion" }, name, version],
    queryFn: async ({ signal }) => {
      const { data } = await client.get<{ 200: Version }, unknown, true>({ url: "/api/v1/policies/{name}/versions/{n}", path: { name, n: version }, signal, throwOnError: true });
      return data as Version;
    },
    staleTime: Infinity,
  });

export interface Hits {
  rules: { rule: string; hits: number; lastAt?: string | null; never: boolean }[];
}

export const hitsQuery = (name: string, within = "7d") =>
  queryOptions({
    queryKey: [{ _id: "policyHits" }, name, within],
    queryFn: async ({ signal }) => {
      const { data } = await client.get<{ 200: Hits }, unknown, true>({ url: "/api/v1/policies/{name}/hits", path: { name }, query: { within }, signal, throwOnError: true });
      return (data as Hits).rules;
    },
    staleTime: 20_000,
  });

export async function publish(name: string, yaml: string, message: string): Promise<void> {
  const body = message === "" ? { yaml } : { yaml, message };
  await client.put({ url: "/api/v1/policies/{name}", path: { name }, body, headers: HEADERS, throwOnError: true });
}

export async function rollBack(name: string, version: number, message: string): Promise<void> {
  await client.post({
    url: "/api/v1/policies/{name}/rollback", path: { name }, body: { version, message: message || undefined }, headers: HEADERS, throwOnError: true,
  });
}

/** What changes with a publish. */
export const CHANGED = ["listPolicies", "getPolicy", "listPolicyVersions", "policyHits"] as const;
