import { CloseButton, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { BookOpen, Search } from "lucide-react";
import { getCatalogueOptions } from "../generated/@tanstack/react-query.gen";
import type { ActionTypeView, ContextFieldView } from "../generated/types.gen";
import { Badge } from "../shared/Badge";
import { Copy } from "../shared/Copy";
import { Facts, Page, Section } from "../shared/Page";
import { Ticked } from "../shared/Risk";
import { Empty, Failure, Waiting } from "../shared/State";
import classes from "../shared/list.module.css";

/** Known action types: what a rule can name. */
export function CataloguePage() {
  const search = useSearch({ from: "/inside/catalogue" });
  const navigate = useNavigate({ from: "/catalogue" });
  const { data, error, isPending, refetch } = useQuery({ ...getCatalogueOptions(), staleTime: 60_000 });
  const change = (next: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const words = (search.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const actions = (data?.actions ?? []).filter(
    (action) => (search.domain === undefined || action.domain === search.domain) && words.every((word) => textOf(action).includes(word)),
  );
  const chosen = data?.actions.find(({ name }) => name === search.type) ?? undefined;
  const domains = [...new Set((data?.actions ?? []).map(({ domain }) => domain))];
  return (
    <Page
      title="Catalogue" flush
      bar={
        <div className={classes.filters}>
          <TextInput
            className={classes.search} aria-label="Search action types" placeholder="Name, alias, description or field" leftSection={<Search size={14} />}
            value={search.q ?? ""} onChange={(event) => change({ q: event.currentTarget.value || undefined })}
            rightSection={search.q === undefined ? null : <CloseButton size="xs" aria-label="Clear search" onClick={() => change({ q: undefined })} />}
          />
          <Select
            aria-label="Domain" placeholder="Any domain" clearable w={170} data={domains} value={search.domain ?? null} clearButtonProps={{ "aria-label": "Any domain" }}
            onChange={(domain) => change({ domain: domain ?? undefined })}
          />
        </div>
      }
    >
      {error !== null ? <div className={classes.alone}><Failure error={error} retry={() => void refetch()} /></div> : null}
      {isPending ? <div className={classes.alone}><Waiting lines={12} /></div> : null}
      {data === undefined ? null : (
        <div className={classes.split} data-open={chosen !== undefined || undefined}>
          <div className={classes.left} tabIndex={0} role="region" aria-label="Action types">
            <ul className={classes.list}>
              {actions.map((action) => (
                <li key={action.name}>
                  <Link to="/catalogue" search={{ ...search, type: action.name }} data-active={action.name === search.type || undefined} className={classes.row}>
                    <span className={classes.rowMain}>
                      <span className="mono">{action.name}</span>
                      <span className="quiet clip">{action.description}</span>
                    </span>
                    <Effect effect={action.effect} />
                    <span className="quiet num">risk {action.baseRisk}</span>
                  </Link>
                </li>
              ))}
            </ul>
            {actions.length === 0 ? <Empty icon={BookOpen} title="No action type is called like that"><p>An action that is not listed is not refused: its effect is guessed from its verb, and the guess is a named rule of the baseline policy.</p></Empty> : null}
          </div>
          {chosen === undefined ? null : (
            <aside className={classes.right} aria-label={chosen.name} tabIndex={0}>
              <ActionType action={chosen} common={data.commonFields} close={() => change({ type: undefined })} />
            </aside>
          )}
        </div>
      )}
    </Page>
  );
}

function textOf(action: ActionTypeView): string {
  return [action.name, action.description, action.domain, ...action.aliases, ...action.fields.map(({ name }) => name)].join(" ").toLowerCase();
}

function Effect({ effect }: { effect: string }) {
  return <Badge tone={effect === "read" ? "allow" : effect === "destructive" ? "block" : effect === "write" ? "hold" : "plain"}>{effect}</Badge>;
}

function ActionType({ action, common, close }: { action: ActionTypeView; common: readonly ContextFieldView[]; close: () => void }) {
  const others = action.lineage.filter((name) => name !== action.name);
  return (
    <>
      <header className={classes.head}>
        <div>
          <h2 className="mono">{action.name}</h2>
          <p>{action.description}</p>
        </div>
        <Copy text={action.name} what="name" />
        <CloseButton aria-label="Close" onClick={close} />
      </header>
      <Facts
        facts={[
          ["Domain", action.domain],
          ["Effect", <Effect effect={action.effect} />],
          ["Can be undone", action.reversible ? "yes" : "no"],
          ["Inherent risk", `${action.baseRisk} of 100`],
          others.length === 0 ? null : ["Is also", others.map((name) => <Link key={name} to="/catalogue" search={{ type: name }} className="mono">{name} </Link>)],
          ["Said to people", action.template === "" ? <span className="quiet">its name and target</span> : <Ticked text={action.template} />],
          ["Seen", <Link to="/decisions" search={{ type: action.name }}>decisions about it</Link>],
        ]}
      />
      <Section title="Fields of the context">
        <Fields fields={action.fields} />
        <details className={classes.more}>
          <summary>{common.length} fields that any action may carry</summary>
          <Fields fields={common} />
        </details>
      </Section>
      {action.aliases.length === 0 ? null : (
        <Section title={`${action.aliases.length} other names`}>
          <p className={classes.aliases}>{action.aliases.map((alias) => <code key={alias}>{alias}</code>)}</p>
        </Section>
      )}
    </>
  );
}

function Fields({ fields }: { fields: readonly ContextFieldView[] }) {
  if (fields.length === 0) return <p className="quiet">None of its own.</p>;
  return (
    <ul className={classes.fields}>
      {fields.map((field) => (
        <li key={field.name}>
          <code>context.{field.name}</code>
          <span className="quiet">
            {field.kind}
            {field.unit == null ? "" : ` · ${field.unit}`}
          </span>
          <span>
            {field.required ? <Badge>required</Badge> : null} {field.effective ? <Badge tone="accent" title="the real parameter of the call: counts for risk">effective</Badge> : null}
          </span>
          {field.description === "" ? null : <p className="quiet">{field.description}</p>}
        </li>
      ))}
    </ul>
  );
}
