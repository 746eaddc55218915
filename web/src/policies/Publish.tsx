import { Button, Checkbox, Modal, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Problem } from "../api/http";
import { refresh } from "../api/queries";
import { Failure, Waiting } from "../shared/State";
import { CHANGED, inForceQuery, publish, textInForce } from "./api";
import { Diff } from "./Diff";
import list from "../shared/list.module.css";
import classes from "./policies.module.css";

interface Props {
  opened: boolean;
  close: () => void;
  name: string;
  /** What the draft was made from; of a policy of another name, nothing. */
  base: string | undefined;
  after: string;
  done: () => void;
}

/** Shows what changes, asks why, and puts it in force. */
export function Publish({ opened, close, ...rest }: Props) {
  return (
    <Modal opened={opened} onClose={close} title={`Publish ${rest.name}`} size="xl" closeButtonProps={{ "aria-label": "Close" }}>
      {opened ? <Form {...rest} close={close} /> : null}
    </Modal>
  );
}

function Form({ close, name, base, after, done }: Omit<Props, "opened">) {
  const [message, setMessage] = useState("");
  const [sure, setSure] = useState(false);
  const inForce = useQuery(inForceQuery(name));
  const before = inForce.data?.yaml;
  // Consent is to undo this text and no later one.
  useEffect(() => setSure(false), [before]);
  const act = useMutation({
    mutationFn: async () => {
      // What is shown here is what is replaced: looked at once more, for the server replaces whatever it has.
      if ((await textInForce(name)) !== before) {
        await refresh(...CHANGED);
        throw new Problem(409, "changed_meanwhile", "Somebody else changed it a moment ago. Look at what is in force now, then publish again.");
      }
      return publish(name, after, message.trim());
    },
    onSuccess: async () => {
      await refresh(...CHANGED);
      notifications.show({ color: "green", message: `${name} is in force from the next decision on` });
      close();
      done();
    },
  });
  if (inForce.error !== null) return <Failure error={inForce.error} retry={() => void inForce.refetch()} title="What is in force could not be read" />;
  if (inForce.isPending) return <Waiting />;
  const replaces = before !== undefined && before !== base;
  return (
    <form className={list.form} onSubmit={(event) => (event.preventDefault(), act.mutate())}>
      <p>{before === undefined ? "A new policy." : "Compared with the version in force:"} It counts from the next decision on, for actions that wait for approval too.</p>
      <Diff before={before ?? ""} after={after} className={classes.diff} />
      {replaces ? (
        <div className={classes.replaces} role="alert">
          <p>
            {base === undefined
              ? `There is a policy ${name} already. This text takes its place.`
              : "Somebody else changed it after this draft was begun. What the draft does not have of that is undone."}
          </p>
          <Checkbox label="I have looked at the difference: replace what is in force" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
        </div>
      ) : null}
      <Textarea label="What for" data-autofocus maxLength={500} value={message} onChange={(event) => setMessage(event.currentTarget.value)} placeholder="Kept with the version" />
      {act.error === null ? null : <Failure error={act.error} title="It was not published; the version before stays in force" />}
      <div className={list.buttons}>
        <Button variant="default" onClick={close}>Cancel</Button>
        <Button type="submit" loading={act.isPending} disabled={replaces && !sure}>Publish</Button>
      </div>
    </form>
  );
}
