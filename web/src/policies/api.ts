/** Policy tooling of the server: lint, explain, history, hits. */
import { queryOptions } from "@tanstack/react-query";
import { explainCall, getPolicy, getPolicyVersion, lintPolicy, listPolicies, listPolicyVersions, policyHits, putPolicy, rollbackPolicy } from "../generated/sdk.gen";
import type { Explained, ExplainedRule, LintFindingView, PolicyLinted, PolicyVersion } from "../generated/types.gen";

export type LintFinding = LintFindingView;
export type Lint = PolicyLinted;
export type RuleTrace = ExplainedRule;
export type Explanation = Explained;
export type Version = PolicyVersion;

export async function lint(yaml: string): Promise<Lint> {
  return (await lintPolicy({ body: { yaml }, throwOnError: true })).data;
}

/** A guard request, as it is pasted. */
export interface Call {
  action: { type: string; target: string; context?: unknown; tool?: string };
  subject?: string;
  session?: string;
}

export async function explain(call: Call, agentId: string | undefined, yaml: string | undefined): Promise<Explanation> {
  return (await explainCall({ body: { call: { ...call }, agentId, yaml }, throwOnError: true })).data;
}

export const versionsQuery = (name: string) =>
  queryOptions({
    queryKey: [{ _id: "listPolicyVersions" }, name],
    queryFn: async ({ signal }) => (await listPolicyVersions({ path: { name }, signal, throwOnError: true })).data.versions,
  });

/** The version that was in force at an epoch: the newest that is no younger. Versions come newest first. */
export function versionAt(versions: readonly Version[], epoch: number): Version | undefined {
  return versions.find((version) => version.epoch <= epoch);
}

export const versionQuery = (name: string, version: number) =>
  queryOptions({
    queryKey: [{ _id: "getPolicyVersion" }, name, version],
    queryFn: async ({ signal }) => (await getPolicyVersion({ path: { name, version }, signal, throwOnError: true })).data,
    staleTime: Infinity,
  });

/** The text in force under a name, unless there is none. The list is asked first: a refusal of what does not exist is an error to browsers. */
export async function textInForce(name: string, signal?: AbortSignal): Promise<string | undefined> {
  const { data } = await listPolicies({ signal, throwOnError: true });
  if (!data.policies.some((policy) => policy.name === name)) return undefined;
  return (await getPolicy({ path: { name }, signal, throwOnError: true })).data.yaml;
}

export const inForceQuery = (name: string) =>
  queryOptions({
    queryKey: [{ _id: "getPolicy" }, "in force", name],
    queryFn: async ({ signal }) => ({ yaml: await textInForce(name, signal) }),
    staleTime: 0,
    gcTime: 0,
  });

export async function publish(name: string, yaml: string, message: string): Promise<void> {
  await putPolicy({ path: { name }, body: message === "" ? { yaml } : { yaml, message }, throwOnError: true });
}

export async function rollBack(name: string, version: number, message: string): Promise<void> {
  await rollbackPolicy({ path: { name }, body: { version, message: message || undefined }, throwOnError: true });
}

/** What changes with a publish. */
export const CHANGED = ["listPolicies", "getPolicy", "listPolicyVersions", "policyHits"] as const;

export const hitsQuery = (name: string, within: string) =>
  queryOptions({
    queryKey: [{ _id: "policyHits" }, name, within],
    queryFn: async ({ signal }) => (await policyHits({ path: { name }, query: { within }, signal, throwOnError: true })).data,
    staleTime: 20_000,
  });
