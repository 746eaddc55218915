import { SegmentedControl } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useSession } from "../api/session";
import type { Call } from "./api";
import { kept, linesOf, load, save } from "./cases";
import { Tests } from "./Tests";
import { TryIt, type Trial } from "./TryIt";
import classes from "./policies.module.css";

interface Props {
  /** Whose tests these are. */
  policy: string;
  yaml: string | undefined;
  text: string;
  trial: Trial | undefined;
}

/** Beside the text: one call tried, or all the calls that must come out as expected. */
export function Bench({ policy, yaml, text, trial }: Props) {
  const [view, setView] = useState("try");
  const user = useSession().user?.id ?? "nobody";
  const [cases, setCases] = useState(() => load(user, policy));
  const change = (next: string) => {
    setCases(next);
    save(user, policy, next);
  };
  const keep = (action: Call["action"], expect: string) => {
    change(kept(cases, policy, action, expect));
    notifications.show({ color: "green", message: "Kept under Tests" });
  };
  const count = linesOf(cases).length;
  return (
    <section className={classes.try} aria-label="Try it" tabIndex={0}>
      <div className={classes.tryHead}>
        <SegmentedControl
          aria-label="Try one call, or run the tests" value={view} onChange={setView}
          data={[{ value: "try", label: "Try it" }, { value: "tests", label: count === 0 ? "Tests" : `Tests (${count})` }]}
        />
        <span className="quiet">{yaml === undefined ? "with the policies in force" : "with this draft in place of the one in force"}</span>
      </div>
      {view === "try" ? <TryIt yaml={yaml} text={text} trial={trial} keep={keep} /> : <Tests yaml={yaml} cases={cases} change={change} />}
    </section>
  );
}
