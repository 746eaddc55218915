import { useSearch } from "@tanstack/react-router";
import { Workbench } from "./PolicyPage";
import { StandingPage } from "./StandingPage";
import { EMPTY } from "./templates";

/** A policy that does not exist yet; from an approval: a permission in the policy that held it. */
export function NewPolicyPage() {
  const { from } = useSearch({ from: "/inside/policies/new" });
  return from === undefined ? <Workbench name={undefined} active={undefined} start={EMPTY} /> : <StandingPage from={from} />;
}
