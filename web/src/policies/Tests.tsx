import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, Play, TriangleAlert } from "lucide-react";
import { useEffect } from "react";
import { Problem } from "../api/http";
import { Copy } from "../shared/Copy";
import { plural } from "../shared/numbers";
import { outcomeOf } from "../shared/words";
import { explain } from "./api";
import { linesOf, type Case, type Line } from "./cases";
import { Editor } from "./Editor";
import classes from "./policies.module.css";

interface Result {
  line: number;
  id: string;
  passed: boolean;
  says: string;
}

/** Calls that are asked at once. */
const AT_ONCE = 4;

async function runOne(line: number, each: Case, yaml: string | undefined): Promise<Result> {
  const { action, subject, session, expect, id } = each;
  try {
    const { decision } = await explain({ action, subject, session }, undefined, yaml);
    const passed = decision.outcome === expect;
    return { line, id, passed, says: passed ? outcomeOf(expect).label : `${outcomeOf(decision.outcome).label} by ${decision.matchedRule}, expected ${outcomeOf(expect).label.toLowerCase()}` };
  } catch (failure) {
    return { line, id, passed: false, says: Problem.of(failure).detail };
  }
}

async function runAll(lines: readonly Line[], yaml: string | undefined): Promise<Result[]> {
  const cases = lines.flatMap((each) => ("case" in each ? [each] : []));
  const results: Result[] = [];
  for (let from = 0; from < cases.length; from += AT_ONCE) {
    results.push(...(await Promise.all(cases.slice(from, from + AT_ONCE).map((each) => runOne(each.line, each.case, yaml)))));
  }
  return results;
}

interface Props {
  /** The draft, unless it is what is in force. */
  yaml: string | undefined;
  cases: string;
  change: (cases: string) => void;
}

/** Calls with what must be decided on them, tried with the draft. */
export function Tests({ yaml, cases, change }: Props) {
  const lines = linesOf(cases);
  const run = useMutation({ mutationFn: () => runAll(linesOf(cases), yaml) });
  const { mutate, reset } = run;
  // Results of another text would be lies.
  useEffect(() => reset(), [yaml, cases, reset]);
  const results = run.data ?? [];
  const failed = results.filter(({ passed }) => !passed).length;
  const problems = lines.flatMap((each) => ("problem" in each ? [each] : []));
  const count = lines.length - problems.length;
  return (
    <>
      <Editor label="Tests" language="json" value={cases} onChange={change} className={classes.cases} />
      <div className={classes.tryBar}>
        <span className={classes.testState} role="status" data-state={results.length === 0 ? undefined : failed > 0 ? "bad" : "good"}>
          {results.length === 0 ? plural(count, "test") : failed > 0 ? `${failed} of ${plural(results.length, "test")} failed` : `${plural(results.length, "test")} passed`}
        </span>
        {cases === "" ? null : <Copy text={cases} what="tests as JSON lines" />}
        <Button leftSection={<Play size={13} />} loading={run.isPending} disabled={count === 0} onClick={() => mutate()}>
          Run
        </Button>
      </div>
      {lines.length === 0 ? (
        <p className="quiet">
          No test yet. Try a call and keep it, or paste lines like <code>{'{"id": "small", "action": {"type": "process_refund", "target": "stripe", "context": {"amount": 20}}, "expect": "ALLOW"}'}</code>.
          They stay in this browser, for you alone; copied to a file, <code>runplane policy test</code> runs them everywhere.
        </p>
      ) : null}
      <ul className={classes.results}>
        {problems.map(({ line, problem }) => (
          <li key={line} data-state="warn"><TriangleAlert size={15} aria-label="cannot run" /><span><b>Line {line}</b> <span className="quiet">{problem}</span></span></li>
        ))}
        {results.toSorted((a, b) => Number(a.passed) - Number(b.passed) || a.line - b.line).map(({ line, id, passed, says }) => (
          <li key={line} data-state={passed ? "good" : "bad"}>
            {passed ? <CircleCheck size={15} aria-label="passed" /> : <CircleX size={15} aria-label="failed" />}
            <span><b>{id}</b> <span className="quiet">{says}</span></span>
          </li>
        ))}
      </ul>
    </>
  );
}
