import { Button, Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { GitCompareArrows } from "lucide-react";
import { Ago } from "../shared/Ago";
import { Person } from "../users/Person";
import { versionsQuery } from "./api";
import { Diff } from "./Diff";
import list from "../shared/list.module.css";
import classes from "./policies.module.css";

interface Props {
  name: string;
  /** What the draft was made from. */
  base: string;
  active: string;
  take: () => void;
  keep: () => void;
}

/** Somebody else changed the policy under this draft: who, what, and the choice that only the writer can make. */
export function Meanwhile({ name, base, active, take, keep }: Props) {
  const [opened, dialog] = useDisclosure();
  const newest = useQuery(versionsQuery(name)).data?.[0];
  const then = (choose: () => void) => () => (dialog.close(), choose());
  return (
    <div className={classes.meanwhile} role="alert">
      <GitCompareArrows size={16} aria-hidden />
      <p>
        <b>Changed meanwhile.</b>{" "}
        {newest === undefined ? null : <>Version {newest.version} by <Person id={newest.by} />, <Ago at={newest.at} />{newest.message == null ? "" : `: “${newest.message}”`}. </>}
        Your draft was made from the text before; to publish it would undo that.
      </p>
      <span className={list.buttons}>
        <Button variant="default" onClick={dialog.open}>See the difference</Button>
        <Button variant="default" onClick={take}>Take the new one</Button>
        <Button variant="default" onClick={keep}>Keep my draft</Button>
      </span>
      <Modal opened={opened} onClose={dialog.close} title={`What changed in ${name} meanwhile`} size="xl" closeButtonProps={{ "aria-label": "Close" }}>
        <div className={list.form}>
          <p>The text your draft was made from, and what is in force now:</p>
          <Diff before={base} after={active} className={classes.diff} />
          <p className="quiet">To keep both, go on with your draft and write the change into it as well.</p>
          <div className={list.buttons}>
            <Button variant="default" onClick={then(take)}>Take the new one</Button>
            <Button variant="default" onClick={then(keep)}>Keep my draft</Button>
          </div>
        </div>
      </Modal>
    </div>
  );
}
