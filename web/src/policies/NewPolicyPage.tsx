import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { getApprovalOptions } from "../client/@tanstack/react-query.gen";
import { Page } from "../shared/Page";
import { Failure, Waiting } from "../shared/State";
import { Workbench } from "./PolicyPage";
import { EMPTY, standing } from "./templates";

/** A policy that does not exist yet; from an approval: one that would have allowed it, with bounds. */
export function NewPolicyPage() {
  const { from } = useSearch({ from: "/inside/policies/new" });
  const { data, error } = useQuery({ ...getApprovalOptions({ path: { id: from ?? "" } }), enabled: from !== undefined });
  if (from === undefined) return <Workbench name={undefined} active={undefined} start={EMPTY} />;
  if (data === undefined) return <Page title="New policy">{error === null ? <Waiting /> : <Failure error={error} />}</Page>;
  return <Workbench name={undefined} active={undefined} start={standing(data)} />;
}
