import { Button, CloseButton, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Search, SlidersHorizontal, X } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { useShortcuts } from "../app/shortcuts";
import { getCatalogueOptions, listAgentsOptions } from "../generated/@tanstack/react-query.gen";
import { OUTCOMES, outcomeOf, SEVERITIES } from "../shared/words";
import { FILTERS, isFiltered, RANGES, type Filters } from "./filters";
import classes from "./decisions.module.css";

interface Props {
  filters: Filters;
  change: (next: Partial<Filters>) => void;
  clear: () => void;
}

/** Filters as people set them; all of them are in the address. */
export const FilterBar = memo(function FilterBar({ filters, change, clear }: Props) {
  const [more, setMore] = useState(false);
  const agents = useQuery({ ...listAgentsOptions(), staleTime: 30_000 }).data?.agents ?? [];
  const types = useQuery({ ...getCatalogueOptions(), staleTime: 300_000 }).data?.actions ?? [];
  const pick = (name: keyof Filters) => (value: string | null) => change({ [name]: value ?? undefined });
  const hidden = (["target", "rule", "severity", "risk", "type"] as const).filter((name) => filters[name] !== undefined).length;

  return (
    <div className={classes.filters} role="search" aria-label="Filter decisions" data-behind={filters.open !== undefined || undefined}>
      <FreeText value={filters.q ?? ""} change={(q) => change({ q: q || undefined })} />
      <Select
        aria-label="Outcome" placeholder="Any outcome" clearable w={128} value={filters.outcome ?? null} onChange={pick("outcome")}
        data={OUTCOMES.map((value) => ({ value, label: outcomeOf(value).label }))} clearButtonProps={{ "aria-label": "Any outcome" }}
      />
      <Select
        aria-label="Agent" placeholder="Any agent" clearable searchable w={150} value={filters.agent ?? null} onChange={pick("agent")}
        data={agents.map(({ id, name }) => ({ value: id, label: name }))} clearButtonProps={{ "aria-label": "Any agent" }}
      />
      <Select
        aria-label="Time" placeholder="Any time" clearable w={138} value={filters.since === undefined ? (filters.range ?? null) : "custom"}
        onChange={(range) => change({ range: range === "custom" ? undefined : (range ?? undefined), since: undefined, until: undefined })}
        data={[...RANGES.map(([value, label]) => ({ value, label })), ...(filters.since === undefined ? [] : [{ value: "custom", label: "Chosen span" }])]}
        clearButtonProps={{ "aria-label": "Any time" }}
      />
      <Button
        variant={more ? "light" : "default"} leftSection={<SlidersHorizontal size={13} />} aria-expanded={more} onClick={() => setMore(!more)}
      >
        More{hidden > 0 ? ` (${hidden})` : ""}
      </Button>
      {isFiltered(filters) ? (
        <Button variant="subtle" color="gray" leftSection={<X size={13} />} onClick={clear}>
          Clear
        </Button>
      ) : null}
      {more ? (
        <div className={classes.more}>
          <Select
            aria-label="Action type" placeholder="Any action type" clearable searchable w={200} value={filters.type ?? null} onChange={pick("type")}
            data={types.map(({ name }) => name)} clearButtonProps={{ "aria-label": "Any action type" }}
          />
          <Select
            aria-label="Severity" placeholder="Any severity" clearable w={140} value={filters.severity ?? null} onChange={pick("severity")}
            data={[...SEVERITIES]} clearButtonProps={{ "aria-label": "Any severity" }}
          />
          <Line label="Risk, as 50-100" value={filters.risk ?? ""} change={pick("risk")} w={130} />
          <Line label="Target" value={filters.target ?? ""} change={pick("target")} />
          <Line label="Rule, as policy/rule" value={filters.rule ?? ""} change={pick("rule")} />
        </div>
      ) : null}
    </div>
  );
});

function FreeText({ value, change }: { value: string; change: (text: string) => void }) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const later = useDebouncedCallback(change, 250);
  useEffect(() => setText(value), [value]);
  useShortcuts([{ keys: "/", label: "Search decisions", group: "This list", run: () => input.current?.select() }]);
  return (
    <TextInput
      ref={input} className={classes.search} aria-label="Search decisions" placeholder="Action, target, rule, agent or request id" value={text}
      leftSection={<Search size={14} />}
      rightSection={text === "" ? <kbd aria-hidden>/</kbd> : <CloseButton size="xs" aria-label="Clear search" onClick={() => (setText(""), change(""))} />}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value.trim());
      }}
      onKeyDown={(event) => event.key === "Escape" && input.current?.blur()}
    />
  );
}

/** A text that counts when it is finished: on Enter, or when one leaves. */
function Line({ label, value, change, w = 190 }: { label: string; value: string; change: (text: string | null) => void; w?: number }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const done = () => text.trim() !== value && change(text.trim() || null);
  return (
    <TextInput
      aria-label={label} placeholder={label} w={w} value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={done}
      onKeyDown={(event) => event.key === "Enter" && done()}
    />
  );
}

/** Names of the filters that are set, for the sentence over an empty list. */
export function namesOf(filters: Filters): string[] {
  return FILTERS.filter((name) => filters[name] !== undefined).map((name) => ({ q: "text", type: "action type" })[name as string] ?? name);
}
