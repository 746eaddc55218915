import { ChevronRight } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Copy } from "./Copy";
import classes from "./shared.module.css";

/** Most members shown of one object or list before the rest is named as folded. */
const SHOWN = 100;

/** A JSON value that folds. What is long starts folded; nothing is left out without saying so. */
export function Json({ value, what = "JSON", depth = 2 }: { value: unknown; what?: string; depth?: number }) {
  return (
    <div className={classes.json}>
      <div className={classes.jsonCopy}>
        <Copy text={JSON.stringify(value, null, 2)} what={what} />
      </div>
      <Node value={value} open={depth} />
    </div>
  );
}

function Node({ name, value, open }: { name?: string; value: unknown; open: number }) {
  const label = name === undefined ? null : <span className={classes.jsonName}>{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div className={classes.jsonLine}>
        {label}
        <Scalar value={value} />
      </div>
    );
  }
  const members: [string, unknown][] = Array.isArray(value) ? value.map((item, index) => [String(index), item]) : Object.entries(value);
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (members.length === 0) {
    return (
      <div className={classes.jsonLine}>
        {label}
        {left + right}
      </div>
    );
  }
  return (
    <Fold head={label} marks={[left as string, right as string]} count={members.length} start={open > 0 && members.length <= 40}>
      {members.slice(0, SHOWN).map(([key, member]) => (
        <Node key={key} name={Array.isArray(value) ? undefined : key} value={member} open={open - 1} />
      ))}
      {members.length > SHOWN ? <div className="quiet">… {members.length - SHOWN} more, in the copy</div> : null}
    </Fold>
  );
}

function Fold(props: { head: ReactNode; marks: [string, string]; count: number; start: boolean; children: ReactNode }) {
  const [open, setOpen] = useState(props.start);
  return (
    <div>
      <button type="button" className={classes.jsonFold} aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight size={12} data-open={open || undefined} aria-hidden />
        {props.head}
        {props.marks[0]}
        {open ? null : (
          <span className="quiet">
            {" "}
            {props.count} {props.marks[1]}
          </span>
        )}
      </button>
      {open ? (
        <>
          <div className={classes.jsonInner}>{props.children}</div>
          <div>{props.marks[1]}</div>
        </>
      ) : null}
    </div>
  );
}

function Scalar({ value }: { value: unknown }) {
  const kind = value === null ? "null" : typeof value;
  return <span data-kind={kind}>{JSON.stringify(value)}</span>;
}
