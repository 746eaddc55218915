import { Button, Modal, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { refresh } from "../api/queries";
import { Failure } from "../shared/State";
import { CHANGED, publish } from "./api";
import { Diff } from "./Diff";
import list from "../shared/list.module.css";
import classes from "./policies.module.css";

interface Props {
  opened: boolean;
  close: () => void;
  name: string;
  before: string;
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

function Form({ close, name, before, after, done }: Omit<Props, "opened">) {
  const [message, setMessage] = useState("");
  const act = useMutation({
    mutationFn: () => publish(name, after, message.trim()),
    onSuccess: async () => {
      await refresh(...CHANGED);
      notifications.show({ color: "green", message: `${name} is in force from the next decision on` });
      close();
      done();
    },
  });
  return (
    <form className={list.form} onSubmit={(event) => (event.preventDefault(), act.mutate())}>
      <p>{before === "" ? "A new policy." : "Compared with the version in force:"} It counts from the next decision on, for actions that wait for approval too.</p>
      <Diff before={before} after={after} className={classes.diff} />
      <Textarea label="What for" data-autofocus maxLength={500} value={message} onChange={(event) => setMessage(event.currentTarget.value)} placeholder="Kept with the version" />
      {act.error === null ? null : <Failure error={act.error} title="It was not published; the version before stays in force" />}
      <div className={list.buttons}>
        <Button variant="default" onClick={close}>Cancel</Button>
        <Button type="submit" loading={act.isPending}>Publish</Button>
      </div>
    </form>
  );
}
