import type { Diagnostic } from "@codemirror/lint";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import { useCallback, useRef, useState } from "react";
import { Problem } from "../api/http";
import { getCatalogueOptions } from "../generated/@tanstack/react-query.gen";
import { plural } from "../shared/numbers";
import { Ticked } from "../shared/Risk";
import { lint, type Lint } from "./api";
import { offersAt } from "./complete";
import { Editor } from "./Editor";
import { rangeAt } from "./places";
import classes from "./policies.module.css";

interface Props {
  text: string;
  change: (text: string) => void;
  readOnly: boolean;
  at: number | undefined;
  setValid: (valid: boolean | undefined) => void;
}

interface Shown {
  severity: "error" | "warning" | "info";
  line: number;
  column: number;
  message: string;
  help?: string | null;
}

export function shownOf({ errors, warnings, findings }: Lint): Shown[] {
  return [
    ...errors.map((finding): Shown => ({ ...finding, severity: "error" })),
    ...warnings.map((finding): Shown => ({ ...finding, severity: "warning" })),
    ...findings.map((finding): Shown => ({ ...finding, severity: "info" })),
  ].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** The text, with what the server finds in it while one writes. */
export function Draft({ text, change, readOnly, at, setValid }: Props) {
  const catalogue = useQuery({ ...getCatalogueOptions(), staleTime: 300_000 }).data;
  const [shown, setShown] = useState<Shown[]>();
  const [unanswered, setUnanswered] = useState<string>();
  const [jump, setJump] = useState<number>();

  const newest = useRef(0);

  const check = useCallback(async (yaml: string): Promise<Diagnostic[]> => {
    const mine = (newest.current += 1);
    try {
      const answer = await lint(yaml);
      const found = shownOf(answer);
      // An answer about an older text may come later; it says nothing about this one.
      if (mine !== newest.current) return [];
      setShown(found);
      setUnanswered(undefined);
      setValid(answer.valid);
      return found.map(({ severity, line, column, message, help }) => ({
        ...rangeAt(yaml, line, column), severity, message: help == null ? message : `${message}\n${help}`,
      }));
    } catch (failure) {
      if (mine !== newest.current) return [];
      // Unchecked is not valid: publishing checks again, but here nothing may look fine that nobody looked at.
      setUnanswered(Problem.of(failure).detail);
      setValid(undefined);
      return [];
    }
  }, [setValid]);

  return (
    <div className={classes.draft}>
      <Editor
        label="Policy text" language="yaml" value={text} onChange={change} readOnly={readOnly} at={jump ?? at} check={check} className={classes.editor}
        complete={(yaml, cursor) => offersAt(yaml, cursor, catalogue)}
      />
      <div className={classes.findings} aria-live="polite">
        <Summary shown={shown} unanswered={unanswered} />
        <ul>
          {(shown ?? []).map((finding, place) => (
            <li key={place}>
              <button type="button" onClick={() => setJump(rangeAt(text, finding.line, finding.column).from)} data-severity={finding.severity}>
                <span className="num">{finding.line}:{finding.column}</span>
                <span>
                  <Ticked text={finding.message} />
                  {finding.help == null ? null : <span className="quiet"> <Ticked text={finding.help} /></span>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function Summary({ shown, unanswered }: { shown: Shown[] | undefined; unanswered: string | undefined }) {
  if (unanswered !== undefined) return <p><TriangleAlert size={15} aria-hidden /> Not checked: {unanswered}</p>;
  if (shown === undefined) return <p className="quiet">Checking…</p>;
  const errors = shown.filter(({ severity }) => severity === "error").length;
  const others = shown.length - errors;
  if (errors > 0) return <p data-severity="error"><CircleX size={15} aria-hidden /> {plural(errors, "error")}: it cannot be published</p>;
  return (
    <p data-severity="ok">
      <CircleCheck size={15} aria-hidden /> It would be published{others > 0 ? `; ${plural(others, "remark")}` : ""}
    </p>
  );
}
