import { Button, SegmentedControl } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { BellRing, CircleCheckBig, Keyboard } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { useMay } from "../api/session";
import { useShortcuts } from "../app/shortcuts";
import { Page } from "../shared/Page";
import { Empty, Failure, Waiting } from "../shared/State";
import { Ask } from "./Ask";
import { Bulk } from "./Bulk";
import { Closed } from "./Closed";
import { useInbox, type Group } from "./inbox";
import { InboxList } from "./InboxList";
import { consent, type Consent } from "./notices";
import classes from "./approvals.module.css";

/** Held actions: what waits, and what was decided. */
export function ApprovalsPage() {
  const { status } = useSearch({ from: "/inside/approvals" });
  const navigate = useNavigate();
  const show = (value: string) => void navigate({ to: "/approvals", search: { status: value === "pending" ? undefined : value } });
  return (
    <Page
      title="Approvals" flush
      actions={
        <>
          <Notices />
          <SegmentedControl
            aria-label="Which approvals" value={status ?? "pending"} onChange={show}
            data={[{ value: "pending", label: "Waiting" }, { value: "closed", label: "Decided" }]}
          />
        </>
      }
    >
      {status === undefined || status === "pending" ? <Inbox /> : <Closed />}
    </Page>
  );
}

function Inbox() {
  const { groups, error, isPending, refetch, more } = useInbox();
  const id = useParams({ strict: false }).id;
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 860px)", window.innerWidth <= 860, { getInitialValueInEffect: false });
  const mayDecide = useMay("approve");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const open = useCallback((next: string | undefined) => {
    void (next === undefined ? navigate({ to: "/approvals" }) : navigate({ to: "/approvals/$id", params: { id: next } }));
  }, [navigate]);

  const at = groups.findIndex(({ asks }) => asks.some((ask) => ask.id === id));
  const current = groups[at];
  // On a wide screen something is always open: the inbox is read from the top.
  useEffect(() => {
    if (!narrow && id === undefined && groups[0] !== undefined) open(groups[0].first.id);
  }, [narrow, id, groups, open]);
  const next = useCallback(() => {
    const following = groups[at + 1] ?? groups[at - 1];
    open(narrow ? undefined : following?.first.id);
  }, [groups, at, narrow, open]);
  const step = (by: number) => open(groups[Math.max(0, Math.min(groups.length - 1, at + by))]?.first.id);
  const toggle = (digest: string) =>
    setChosen((before) => {
      const after = new Set(before);
      if (!after.delete(digest)) after.add(digest);
      return after;
    });
  useShortcuts([
    { keys: "j", label: "Next", group: "Inbox", run: () => step(1) },
    { keys: "k", label: "The one before", group: "Inbox", run: () => step(-1) },
    { keys: "x", label: "Choose for several at once", group: "Inbox", run: () => current !== undefined && mayDecide && toggle(current.digest) },
    { keys: "Escape", label: "Choose none, back to the list", group: "Inbox", run: () => (chosen.size > 0 ? setChosen(new Set()) : narrow && open(undefined)) },
  ]);

  if (error !== null) return <div className={classes.alone}><Failure error={error} retry={() => void refetch()} /></div>;
  if (isPending) return <div className={classes.alone}><Waiting lines={8} /></div>;
  if (groups.length === 0 && id === undefined) return <Clear />;
  const afterBulk = () => {
    open(narrow ? undefined : groups.find(({ digest }) => !chosen.has(digest))?.first.id);
    setChosen(new Set());
  };
  const picked: Group[] = groups.filter(({ digest }) => chosen.has(digest));
  return (
    <div className={classes.split} data-open={id !== undefined || undefined}>
      <div className={classes.left}>
        <InboxList groups={groups} open={id} chosen={chosen} toggle={mayDecide ? toggle : undefined} more={more} />
      </div>
      <div className={classes.right}>
        {picked.length > 0 ? (
          <Bulk groups={picked} done={afterBulk} />
        ) : id === undefined ? null : (
          <Ask key={id} id={id} group={current} next={next} back={narrow ? () => open(undefined) : undefined} />
        )}
      </div>
    </div>
  );
}

function Clear() {
  return (
    <Empty icon={CircleCheckBig} title="Nothing waits">
      <p>Actions that a policy holds for a person appear here at once. Let one wait, to see how it looks:</p>
      <code>{`runplane guard process_refund stripe '{"amount":800,"currency":"usd"}' --wait`}</code>
      <p className={`quiet ${classes.hint}`}>
        <Keyboard size={14} aria-hidden /> <kbd>J</kbd> <kbd>K</kbd> move · <kbd>A</kbd> approve · <kbd>D</kbd> deny · <kbd>X</kbd> choose several
      </p>
    </Empty>
  );
}

/** Asks the browser for notifications, only when somebody wants them. */
function Notices() {
  const [state, setState] = useState<Consent>(consent);
  const mayDecide = useMay("approve");
  if (state !== "default" || !mayDecide) return null;
  return (
    <Button
      variant="subtle" color="gray" leftSection={<BellRing size={14} />} className={classes.notices}
      onClick={() => void Notification.requestPermission().then(setState)}
    >
      Notify me
    </Button>
  );
}
