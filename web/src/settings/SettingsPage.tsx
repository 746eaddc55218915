import { Button, NumberInput, Select, TagsInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Problem } from "../api/http";
import { refresh } from "../api/queries";
import { useMay } from "../api/session";
import { getSettingsOptions } from "../generated/@tanstack/react-query.gen";
import { patchSettings } from "../generated/sdk.gen";
import type { SettingsView } from "../generated/types.gen";
import { Page } from "../shared/Page";
import { Failure, Waiting } from "../shared/State";
import { OUTCOMES, outcomeOf } from "../shared/words";
import { Observe } from "./Observe";
import { Targets } from "./Targets";
import { You } from "./You";
import classes from "../shared/list.module.css";

/** What holds where no rule says otherwise, limits, targets, and one's own account. */
export function SettingsPage() {
  const { data, error, isPending, refetch } = useQuery(getSettingsOptions());
  return (
    <Page title="Settings">
      <div className={classes.cards}>
        <You />
        {error !== null ? <Failure error={error} retry={() => void refetch()} /> : null}
        {isPending ? <Waiting /> : null}
        {data === undefined ? null : (
          <>
            <General settings={data} />
            <Limits key={JSON.stringify(data.limits)} settings={data} />
            <Observe settings={data} />
            <Targets settings={data} />
          </>
        )}
      </div>
    </Page>
  );
}

/** Sends a merge patch and says how it went. */
export function usePatch() {
  return useMutation({
    mutationFn: (patch: Record<string, unknown>) => patchSettings({ body: patch, throwOnError: true }),
    onSuccess: () => {
      notifications.show({ color: "green", message: "Saved, and recorded on the ledger" });
      return refresh("getSettings");
    },
  });
}

export function Card({ title, says, children, id }: { title: string; says: ReactNode; children: ReactNode; id?: string }) {
  return (
    <section className={classes.card} id={id}>
      <h2>{title}</h2>
      <p className="quiet">{says}</p>
      <div className={classes.form} style={{ marginTop: 12 }}>{children}</div>
    </section>
  );
}

export function Refusal({ error }: { error: unknown }) {
  return error === null ? null : <p role="alert" style={{ color: "var(--block-text)" }}>{Problem.of(error).detail}</p>;
}

function General({ settings }: { settings: SettingsView }) {
  const may = useMay("manage");
  const patch = usePatch();
  return (
    <Card title="Decisions" says="What holds for a call that no rule is about, and which addresses are your own.">
      <Select
        label="Default decision" allowDeselect={false} w={220} disabled={!may} value={settings.defaultDecision}
        data={OUTCOMES.map((value) => ({ value, label: `${outcomeOf(value).label} (${value})` }))}
        onChange={(defaultDecision) => defaultDecision !== null && defaultDecision !== settings.defaultDecision && patch.mutate({ defaultDecision })}
      />
      {settings.defaultDecision === "ALLOW" ? <p role="note" style={{ color: "var(--hold-text)" }}>Whatever no rule names is allowed. Most workspaces block it.</p> : null}
      <TagsInput
        label="Internal domains" description="Domains whose mail is yours: acme.example is only itself, *.acme.example all that is below it" disabled={!may} value={settings.internalDomains}
        onChange={(internalDomains) => patch.mutate({ internalDomains })}
      />
      <Refusal error={patch.error} />
    </Card>
  );
}

const LIMITS: readonly (readonly [name: keyof SettingsView["limits"], label: string, says: string])[] = [
  ["openApprovalsPerAgent", "Open approvals per agent", "One more is blocked, not queued"],
  ["requestsPerSecondPerAgent", "Requests per second per agent", "Empty: no rate"],
  ["approvalSeconds", "Seconds until an ask expires", "Where the rule does not say"],
  ["legacyApprovalSeconds", "The same for older clients", "Those that take an expired ask for a time-out"],
  ["maxBodyBytes", "Largest request, in bytes", "Larger ones are blocked"],
  ["maxDepth", "Deepest nesting of arguments", "Deeper ones are blocked"],
];

function Limits({ settings }: { settings: SettingsView }) {
  const may = useMay("manage");
  const patch = usePatch();
  const [limits, setLimits] = useState<Record<string, number | null>>({ ...settings.limits, requestsPerSecondPerAgent: settings.limits.requestsPerSecondPerAgent ?? null });
  const changed = LIMITS.filter(([name]) => (limits[name] ?? null) !== (settings.limits[name] ?? null));
  return (
    <Card title="Limits" says="What protects people from too many asks and the server from too much.">
      <div style={{ display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(230px, 1fr))", gap: 12 }}>
        {LIMITS.map(([name, label, says]) => (
          <NumberInput
            key={name} label={label} description={says} min={1} allowDecimal={false} disabled={!may} thousandSeparator=","
            value={limits[name] ?? ""} onChange={(value) => setLimits({ ...limits, [name]: value === "" ? null : Number(value) })}
          />
        ))}
      </div>
      <Refusal error={patch.error} />
      {changed.length === 0 ? null : (
        <div className={classes.buttons}>
          <Button loading={patch.isPending} onClick={() => patch.mutate({ limits: Object.fromEntries(changed.map(([name]) => [name, limits[name]])) })}>Save limits</Button>
        </div>
      )}
    </Card>
  );
}
