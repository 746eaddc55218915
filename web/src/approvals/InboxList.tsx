import { Checkbox } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { Countdown } from "../shared/Ago";
import { Badge, Severity } from "../shared/Badge";
import { differences, type Group } from "./inbox";
import classes from "./approvals.module.css";

interface Props {
  groups: readonly Group[];
  open: string | undefined;
  chosen: ReadonlySet<string>;
  toggle: ((digest: string) => void) | undefined;
  more: boolean;
}

/** What waits, oldest first. */
export function InboxList({ groups, open, chosen, toggle, more }: Props) {
  const apart = differences(groups);
  return (
    <ul className={classes.list} aria-label="Waiting for a person">
      {groups.map((group) => (
        <Item key={group.digest} group={group} apart={apart.get(group.digest)} open={group.asks.some(({ id }) => id === open)} chosen={chosen.has(group.digest)} toggle={toggle} />
      ))}
      {more ? <li className={classes.note}>There are more; they appear as these are decided.</li> : null}
    </ul>
  );
}

function Item({ group, apart, open, chosen, toggle }: { group: Group; apart: string | undefined; open: boolean; chosen: boolean; toggle: Props["toggle"] }) {
  const { first, asks } = group;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) item.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <li ref={item} className={classes.item} data-open={open || undefined} data-chosen={chosen || undefined}>
      {toggle === undefined ? null : (
        <Checkbox className={classes.choose} checked={chosen} onChange={() => toggle(group.digest)} aria-label={`Choose: ${first.action.summary}`} />
      )}
      <Link to="/approvals/$id" params={{ id: first.id }} className={classes.itemLink} aria-current={open || undefined}>
        <span className={classes.itemTop}>
          <span className={classes.summary}>{first.action.summary}{apart === undefined ? null : <span className={classes.apart}>{apart}</span>}</span>
          {asks.length > 1 ? <Badge tone="accent" title="identical asks">×{asks.length}</Badge> : null}
        </span>
        <span className={classes.itemBottom}>
          <Severity severity={first.severity} />
          <span className="clip">{first.agent.name || first.agent.id}</span>
          <Countdown until={group.soonest} className={classes.countdown} />
        </span>
      </Link>
    </li>
  );
}
