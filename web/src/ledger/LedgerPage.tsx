import { Button, NumberInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useEffect, useState } from "react";
import { useMay } from "../api/session";
import { getCheckpointOptions, listEntriesOptions } from "../generated/@tanstack/react-query.gen";
import type { EntryView } from "../generated/types.gen";
import { Proof } from "../decisions/Proof";
import { Ago } from "../shared/Ago";
import { Badge } from "../shared/Badge";
import { Copy, Digest } from "../shared/Copy";
import { Json } from "../shared/Json";
import { grouped } from "../shared/numbers";
import { Facts, Page, Section } from "../shared/Page";
import { Failure, Waiting } from "../shared/State";
import { kindOf, timeOf } from "./entry";
import { Verify } from "./Verify";
import classes from "./ledger.module.css";

/** The record: its signed head, whether it is what was signed, and every entry. */
export function LedgerPage() {
  const mayExport = useMay("manage");
  return (
    <Page
      title="Ledger"
      actions={
        mayExport ? (
          <Button variant="default" component="a" href="/api/v1/ledger/export" download leftSection={<Download size={14} />}>
            Export all
          </Button>
        ) : null
      }
    >
      <div className={classes.top}>
        <Head />
        <Verify />
      </div>
      <Entries />
    </Page>
  );
}

function Head() {
  const { data, error, refetch } = useQuery(getCheckpointOptions());
  if (data === undefined) return error === null ? <Waiting lines={4} /> : <Failure error={error} retry={() => void refetch()} />;
  return (
    <section className={classes.card}>
      <h2>Signed head</h2>
      <p className={classes.size}>
        <b className="num">{grouped(data.size)}</b> entries
      </p>
      <Facts
        facts={[
          ["Root", <Digest value={data.root} what="root hash" length={20} />],
          ["Ledger", <Digest value={data.origin} what="origin" length={28} />],
          ["Key", <Digest value={data.key} what="verifying key" length={28} />],
        ]}
      />
      <div className={classes.note}>
        <pre tabIndex={0} aria-label="Signed checkpoint" role="region">{data.checkpoint}</pre>
        <Copy text={data.checkpoint} what="checkpoint" />
      </div>
      <p className="quiet">Keep a checkpoint and the key somewhere else: only compared with those can an older copy of the whole ledger be told from this one.</p>
    </section>
  );
}

const PAGE = 50;

function Entries() {
  const { entry } = useSearch({ from: "/inside/ledger" });
  const navigate = useNavigate({ from: "/ledger" });
  const size = useQuery(getCheckpointOptions()).data?.size;
  // Without a wish: the newest entries.
  const newest = size === undefined ? undefined : Math.max(0, size - PAGE);
  const [from, setFrom] = useState<number>();
  const start = from ?? (entry === undefined ? newest : Math.max(0, entry - 5));
  useEffect(() => {
    if (from === undefined && start !== undefined) setFrom(start);
  }, [from, start]);
  const { data, error, refetch } = useQuery({ ...listEntriesOptions({ query: { from: start, limit: PAGE } }), enabled: start !== undefined, staleTime: 10_000 });
  const open = (index: number | undefined) => void navigate({ search: { entry: index }, replace: true });
  return (
    <Section
      title="Entries"
      aside={
        <div className={classes.paging}>
          <NumberInput
            aria-label="Go to entry" placeholder="Go to entry" w={120} hideControls min={0} max={size === undefined ? undefined : size - 1} allowDecimal={false} allowNegative={false}
            onKeyDown={(event) => {
              const index = Number(event.currentTarget.value);
              if (event.key !== "Enter" || event.currentTarget.value === "" || !Number.isSafeInteger(index)) return;
              setFrom(Math.max(0, index - 5));
              open(index);
            }}
          />
          <Button variant="default" disabled={start === undefined || start === 0} onClick={() => setFrom(Math.max(0, (start ?? 0) - PAGE))}>Older</Button>
          <Button variant="default" disabled={data?.next == null} onClick={() => setFrom(data?.next ?? start)}>Newer</Button>
          <Button variant="default" disabled={newest === undefined} onClick={() => setFrom(newest)}>Newest</Button>
        </div>
      }
    >
      {error !== null ? <Failure error={error} retry={() => void refetch()} /> : null}
      {data === undefined ? <Waiting lines={10} /> : (
        <ul className={classes.entries}>
          {data.entries.toReversed().map((row) => (
            <Entry key={row.index} row={row} open={row.index === entry} toggle={() => open(row.index === entry ? undefined : row.index)} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function Entry({ row, open, toggle }: { row: EntryView; open: boolean; toggle: () => void }) {
  const at = timeOf(row.entry);
  const { kind, says } = kindOf(row.entry);
  return (
    <li data-open={open || undefined}>
      <button type="button" aria-expanded={open} onClick={toggle} className={classes.entry}>
        <span className="num quiet">{grouped(row.index)}</span>
        <span><Badge>{kind}</Badge></span>
        <span className="clip">{says}</span>
        <code className="quiet">{row.leafHash.slice(0, 12)}…</code>
        <span className="quiet">{at === undefined ? "" : <Ago at={at} />}</span>
      </button>
      {open ? (
        <div className={classes.open}>
          <Proof index={row.index} record={row.entry} />
          <Json value={row.entry} what="entry" depth={2} />
        </div>
      ) : null}
    </li>
  );
}
