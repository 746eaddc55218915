import { Modal } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useMemo, useState, type KeyboardEvent } from "react";
import { useCommands, type Command } from "./commands";
import classes from "./app.module.css";

/** Jump anywhere: pages, agents, policies, action types, a request id, a theme. */
export function Palette({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal.Root opened={opened} onClose={close} size="lg" yOffset="12vh" centered={false} lockScroll={false}>
      <Modal.Overlay />
      <Modal.Content aria-label="Search or jump">
        <Modal.Body p={0}>{opened ? <Finder close={close} /> : null}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Finder({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const navigate = useNavigate();
  const commands = useCommands();
  const found = useMemo(() => search(commands, text), [commands, text]);
  const active = Math.min(chosen, found.length - 1);

  const run = (command: Command | undefined) => {
    if (command === undefined) return;
    close();
    command.run(navigate);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setChosen((active + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(found[active]);
    }
  };

  return (
    <div onKeyDown={onKeyDown}>
      <label className={classes.finder}>
        <Search size={16} aria-hidden />
        <input
          data-autofocus
          value={text}
          placeholder="A page, agent, policy, action type, request id…"
          aria-label="Search or jump"
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-found"
          aria-activedescendant={found[active] === undefined ? undefined : `found-${active}`}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
        />
        <kbd>Esc</kbd>
      </label>
      <div className={classes.found} role="listbox" id="palette-found" aria-label="Found">
        {found.map((command, place) => (
          <div
            key={command.id}
            id={`found-${place}`}
            role="option"
            aria-selected={place === active}
            ref={place === active ? (element) => element?.scrollIntoView({ block: "nearest" }) : undefined}
            onPointerMove={() => setChosen(place)}
            onClick={() => run(command)}
          >
            <command.icon size={15} aria-hidden />
            <span>{command.name}</span>
            <span className="quiet clip">{command.about}</span>
          </div>
        ))}
        {found.length === 0 ? <p className="quiet">Nothing is called like that. A whole request id opens its decision.</p> : null}
      </div>
    </div>
  );
}

/** Every word must occur; names that start with the text come first. */
export function search(commands: readonly Command[], text: string): readonly Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (command: Command) => (command.name.toLowerCase().startsWith(words[0] ?? "") ? 0 : 1);
  return commands
    .filter((command) => (command.always?.(text) ?? false) || words.every((word) => `${command.name} ${command.about}`.toLowerCase().includes(word)))
    .sort((a, b) => (words.length === 0 ? 0 : rank(a) - rank(b)))
    .slice(0, 40);
}
