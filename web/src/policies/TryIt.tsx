import { Button, Select } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { ListPlus, Play } from "lucide-react";
import { useEffect, useState } from "react";
import { getCatalogueOptions, listAgentsOptions } from "../generated/@tanstack/react-query.gen";
import { Failure } from "../shared/State";
import { explain, type Call, type Explanation } from "./api";
import { Editor } from "./Editor";
import { exampleFor } from "./example";
import { Explained } from "./Explained";
import classes from "./policies.module.css";

export interface Trial {
  call: Call;
  agent: string;
}

interface Props {
  yaml: string | undefined;
  text: string;
  trial: Trial | undefined;
  keep: (action: Call["action"], expect: string) => void;
}

/** Decides a pasted call by the text on the left, and shows what every rule made of it. Nothing is recorded. */
export function TryIt({ yaml, text, trial, keep }: Props) {
  const catalogue = useQuery({ ...getCatalogueOptions(), staleTime: 300_000 }).data;
  const agents = useQuery({ ...listAgentsOptions(), staleTime: 30_000 }).data?.agents ?? [];
  const [agent, setAgent] = useState<string | null>(trial?.agent ?? null);
  const [written, setWritten] = useState(trial && JSON.stringify(trial.call.action, null, 2));
  const call = written ?? JSON.stringify(exampleFor(text, catalogue), null, 2);
  const attempt = useMutation({
    mutationFn: async (): Promise<{ asked: Call; explanation: Explanation }> => {
      const parsed = JSON.parse(call) as Call | Call["action"];
      const asked = "action" in parsed ? parsed : { action: parsed };
      return { asked, explanation: await explain(asked, agent ?? undefined, yaml) };
    },
  });
  const { mutate } = attempt;
  useEffect(() => {
    if (trial !== undefined) mutate();
  }, [trial, mutate]);
  const { asked, explanation } = attempt.data ?? {};
  return (
    <>
      <Editor label="Call to try" language="json" value={call} onChange={setWritten} className={classes.call} />
      <div className={classes.tryBar}>
        <Select
          aria-label="As agent" placeholder="As an unknown production agent" clearable searchable value={agent} onChange={setAgent} flex={1}
          data={agents.map(({ id, name }) => ({ value: id, label: `as ${name}` }))} clearButtonProps={{ "aria-label": "As an unknown agent" }}
        />
        {explanation === undefined || asked === undefined ? null : (
          <Button variant="default" leftSection={<ListPlus size={14} />} onClick={() => keep(asked.action, explanation.decision.outcome)}>
            Keep as a test
          </Button>
        )}
        <Button leftSection={<Play size={13} />} loading={attempt.isPending} onClick={() => attempt.mutate()}>
          Decide
        </Button>
      </div>
      {attempt.error === null ? null : <Failure error={attempt.error} title="This could not be tried" />}
      {explanation === undefined ? null : <Explained explanation={explanation} />}
    </>
  );
}
