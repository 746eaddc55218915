import { groupBy } from "../shared/group";
import { Modal } from "@mantine/core";
import { Keys, useBound } from "./shortcuts";
import classes from "./app.module.css";

/** All shortcuts that work on this page. */
export function Help({ opened, close }: { opened: boolean; close: () => void }) {
  const bound = useBound();
  const groups = groupBy(bound, ({ group }) => group);
  return (
    <Modal opened={opened} onClose={close} title="Keyboard" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.help}>
        {[...groups].map(([group, shortcuts]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {shortcuts.map(({ keys, label }) => (
                <div key={keys + label}>
                  <dt>{label}</dt>
                  <dd>
                    <span className="sr">{keys}</span>
                    <Keys keys={keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
