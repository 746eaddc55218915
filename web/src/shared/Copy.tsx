import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy as CopyIcon } from "lucide-react";
import classes from "./shared.module.css";

export function Copy({ text, what }: { text: string; what: string }) {
  const { copy, copied } = useClipboard({ timeout: 1200 });
  return (
    <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
      <ActionIcon size="sm" aria-label={`Copy ${what}`} onClick={() => copy(text)}>
        {copied ? <Check size={13} /> : <CopyIcon size={13} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** A long id or digest: shown short, copied whole. */
export function Digest({ value, what, length = 12 }: { value: string; what: string; length?: number }) {
  return (
    <span className={classes.digest}>
      <code title={value}>{value.length > length + 1 ? `${value.slice(0, length)}…` : value}</code>
      <Copy text={value} what={what} />
    </span>
  );
}
