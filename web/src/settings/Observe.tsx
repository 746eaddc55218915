import { Button, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { refresh } from "../api/queries";
import { useMay } from "../api/session";
import type { SettingsView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Card, Refusal, usePatch } from "./SettingsPage";
import classes from "../shared/list.module.css";

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 90;
const day = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

/** A workspace that only observes: everything is decided and recorded, nothing is stopped, until a date. */
export function Observe({ settings }: { settings: SettingsView }) {
  const may = useMay("manage");
  const patch = usePatch();
  const [until, setUntil] = useState(() => day(14));
  const since = settings.observe?.until;
  const on = since !== undefined && Date.parse(since) > Date.now();
  const change = (observe: { until: string } | null) => patch.mutate({ observe }, { onSuccess: () => void refresh("getSession") });
  const begin = (event: FormEvent) => {
    event.preventDefault();
    change({ until: `${until}T00:00:00Z` });
  };
  return (
    <Card
      title="Observing" id="observing"
      says="To see what policies would do before they do it: everything is decided and recorded, nothing is stopped. Containment, invalid keys and unreadable requests still are."
    >
      {on ? (
        <div className={classes.filters}>
          <span>Nothing is stopped. Enforced again <Ago at={since} />.</span>
          <Button disabled={!may} loading={patch.isPending} onClick={() => change(null)}>Enforce now</Button>
        </div>
      ) : (
        <form className={classes.filters} onSubmit={begin} style={{ alignItems: "end" }}>
          <TextInput
            label="Observe until (UTC)" type="date" required disabled={!may} value={until} min={day(1)} max={day(LONGEST_DAYS - 1)} w={190}
            onChange={(event) => setUntil(event.currentTarget.value)}
          />
          <Button type="submit" color="red" variant="light" disabled={!may || until === ""} loading={patch.isPending}>Stop nothing until then</Button>
        </form>
      )}
      <Refusal error={patch.error} />
    </Card>
  );
}
