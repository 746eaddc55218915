import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useEffect, type ReactNode } from "react";
import classes from "./shared.module.css";

/** A page: title, what can be done, then a body that scrolls by itself. */
export function Page(props: { title: string; back?: { to: "/policies"; name: string }; actions?: ReactNode; bar?: ReactNode; flush?: boolean; children: ReactNode }) {
  useTitle(props.title);
  return (
    <div className={classes.page}>
      <header className={classes.pageHead}>
        {props.back === undefined ? null : (
          <Link to={props.back.to} className={classes.pageBack} aria-label={props.back.name}>
            <ArrowLeft size={14} aria-hidden /> <span>{props.back.name}</span>
          </Link>
        )}
        <h1>{props.title}</h1>
        <div className={classes.pageActions}>{props.actions}</div>
      </header>
      {props.bar === undefined ? null : <div className={classes.pageBar}>{props.bar}</div>}
      <div className={classes.pageBody} data-flush={props.flush || undefined}>
        {props.children}
      </div>
    </div>
  );
}

/** How many approvals wait, in front of the title: set by the shell, kept across pages. */
let waiting = 0;
let current = "";

function write(): void {
  document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${current === "" ? "" : `${current} · `}Runplane`;
}

export function useTitle(title: string): void {
  useEffect(() => {
    current = title;
    write();
  }, [title]);
}

export function useWaitingInTitle(count: number): void {
  useEffect(() => {
    waiting = count;
    write();
  }, [count]);
}

/** A titled part of a page. */
export function Section(props: { title: ReactNode; aside?: ReactNode; children: ReactNode; id?: string }) {
  return (
    <section className={classes.section} id={props.id}>
      <div className={classes.sectionHead}>
        <h2>{props.title}</h2>
        <div>{props.aside}</div>
      </div>
      {props.children}
    </section>
  );
}

/** Names and values, in two columns. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode] | null)[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map((fact) =>
        fact === null ? null : (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
