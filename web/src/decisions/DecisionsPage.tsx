import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { DecisionView } from "../generated/types.gen";
import { Page } from "../shared/Page";
import { Detail } from "./Detail";
import { FilterBar } from "./FilterBar";
import { isFiltered, signature, toQuery, type Filters } from "./filters";
import { useRows } from "./rows";
import { Table } from "./Table";
import classes from "./decisions.module.css";

/** Every action and what was decided: the list, and one of them beside it. */
export function DecisionsPage() {
  const filters = useSearch({ from: "/inside/decisions" });
  const navigate = useNavigate({ from: "/decisions" });
  const key = signature(filters);
  // The span ends when it was chosen: the question stays the same while one reads.
  const query = useMemo(() => toQuery(filters, new Date()), [key]);
  const list = useRows(query, key);

  const change = useCallback((next: Partial<Filters>) => void navigate({ search: (before) => ({ ...before, ...next }), replace: true }), [navigate]);
  const open = useCallback((row: DecisionView) => change({ open: row.requestId, by: row.agent.id }), [change]);
  const close = useCallback(() => change({ open: undefined, by: undefined }), [change]);
  const clear = useCallback(() => void navigate({ search: (before) => ({ open: before.open, by: before.by }) }), [navigate]);

  return (
    <Page title="Decisions" flush bar={<FilterBar filters={filters} change={change} clear={clear} />}>
      <div className={classes.split} data-open={filters.open !== undefined || undefined}>
        <Table list={list} filtered={isFiltered(filters)} filters={filters} open={open} close={close} clear={clear} />
        {filters.open === undefined ? null : (
          <aside className={classes.pane} aria-label="Decision">
            <Detail key={`${filters.open} ${filters.by ?? ""}`} requestId={filters.open} agent={filters.by} close={close} />
          </aside>
        )}
      </div>
    </Page>
  );
}
