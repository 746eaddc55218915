import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Activity, ArrowUp, FilterX } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useShortcuts } from "../app/shortcuts";
import type { DecisionView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Copy } from "../shared/Copy";
import { Empty, Failure, Waiting } from "../shared/State";
import { namesOf } from "./FilterBar";
import type { Filters } from "./filters";
import { useNewDecisions, useReached, type useRows } from "./rows";
import { Head, Row } from "./Row";
import classes from "./decisions.module.css";

interface Props {
  list: ReturnType<typeof useRows>;
  filtered: boolean;
  filters: Filters;
  open: (row: DecisionView) => void;
  close: () => void;
  clear: () => void;
}

const ROW = 36;
const ROW_NARROW = 76;
const AHEAD = 40;

/** The list. Rows exist only where one looks; the next ones are asked for before one gets there. */
export function Table({ list, filtered, filters, open, close, clear }: Props) {
  const { rows, isPending, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage, fetchNewer, isFetchingPreviousPage, reload } = list;
  const scroller = useRef<HTMLDivElement>(null);
  const reached = useReached();
  const narrow = useNarrow(scroller);
  const [newer, setNewer] = useState(false);
  const [marked, setMarked] = useState<string>();
  // Newer rows have places below zero; the list itself starts at the least of them.
  const base = useRef(0);
  base.current = Math.min(base.current, rows.start);
  const count = rows.start - base.current + rows.loaded.length;
  const height = narrow ? ROW_NARROW : ROW;
  const virtual = useVirtualizer({ count, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 8 });
  useEffect(() => virtual.measure(), [height, virtual]);

  const items = virtual.getVirtualItems();
  const first = (items[0]?.index ?? 0) + base.current;
  const last = (items[items.length - 1]?.index ?? 0) + base.current;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last + AHEAD > rows.start + rows.loaded.length) void fetchNextPage();
  }, [last, hasNextPage, isFetchingNextPage, rows, fetchNextPage]);
  useEffect(() => {
    if (first < rows.start && !isFetchingPreviousPage) void fetchNewer();
  }, [first, rows.start, isFetchingPreviousPage, fetchNewer]);

  const onNew = useCallback(() => {
    const top = (scroller.current?.scrollTop ?? 0) < height;
    if (top) void fetchNewer();
    else setNewer(true);
  }, [fetchNewer, height]);
  useNewDecisions(onNew);
  const toTop = useCallback(() => {
    setNewer(false);
    base.current = 0;
    void reload();
    scroller.current?.scrollTo({ top: 0 });
  }, [reload]);

  const selected = filters.open ?? marked;
  const at = rows.loaded.findIndex(({ requestId, kind }) => requestId === selected && kind === "decision");
  const step = (by: number) => {
    const next = rows.loaded[at < 0 ? 0 : Math.min(rows.loaded.length - 1, Math.max(0, at + by))];
    if (next === undefined) return;
    setMarked(next.requestId);
    virtual.scrollToIndex(rows.loaded.indexOf(next) + rows.start - base.current, { align: "auto" });
    if (filters.open !== undefined) open(next);
  };
  const current = rows.loaded[at];
  useShortcuts([
    { keys: "j", label: "Next row", group: "This list", run: () => step(1) },
    { keys: "k", label: "Row before", group: "This list", run: () => step(-1) },
    { keys: "Enter", label: "Open the row", group: "This list", run: () => current !== undefined && open(current) },
    { keys: "Escape", label: "Close the row", group: "This list", run: close },
    { keys: "t", label: "To the newest", group: "This list", run: toTop },
  ]);

  if (error !== null && rows.loaded.length === 0) return <div className={classes.table}><Failure error={error} retry={() => void refetch()} /></div>;
  if (isPending) return <div className={classes.table}>{reached === undefined ? null : <Searching back={reached} />}<Waiting lines={14} /></div>;
  return (
    <div className={classes.table}>
      <Head />
      {newer ? (
        <Button className={classes.newer} size="compact-xs" radius="xl" leftSection={<ArrowUp size={12} />} onClick={toTop}>
          New decisions
        </Button>
      ) : null}
      <div ref={scroller} className={classes.scroller} role="grid" aria-label="Decisions" aria-rowcount={rows.complete ? count : -1} tabIndex={0}>
        <div className={classes.rows} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const place = item.index + base.current - rows.start;
            return <Row key={item.key} row={rows.loaded[place]} top={item.start} height={height} selected={place === at} open={open} />;
          })}
        </div>
        {reached === undefined ? null : <Searching back={reached} />}
        {count === 0 && reached === undefined && !isFetchingNextPage ? <Nothing filtered={filtered} filters={filters} clear={clear} /> : null}
      </div>
    </div>
  );
}

function Searching({ back }: { back: string }) {
  return <p className={classes.searching} role="status">Searching, back to <Ago at={back} /></p>;
}

function Nothing({ filtered, filters, clear }: { filtered: boolean; filters: Filters; clear: () => void }) {
  if (filtered) {
    return (
      <Empty icon={FilterX} title="No decision fits">
        <p>Filtered by {namesOf(filters).join(", ")}.</p>
        <Button variant="default" onClick={clear}>
          Clear the filters
        </Button>
      </Empty>
    );
  }
  const command = `runplane guard process_refund stripe '{"amount":120,"currency":"usd"}'`;
  return (
    <Empty icon={Activity} title="No agent has asked anything yet">
      <p>Every action an agent puts through guard() appears here, a moment after it was decided. Ask for a first one:</p>
      <span className={classes.command}>
        <code>{command}</code>
        <Copy text={command} what="command" />
      </span>
    </Empty>
  );
}

/** Whether the list has too little room for columns. */
function useNarrow(scroller: React.RefObject<HTMLDivElement | null>): boolean {
  const [narrow, setNarrow] = useState(() => window.innerWidth < 720);
  useEffect(() => {
    const measure = () => setNarrow((scroller.current?.clientWidth ?? window.innerWidth) < 560);
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, [scroller]);
  return narrow;
}
