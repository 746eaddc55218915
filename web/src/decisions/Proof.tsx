import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, Download, ShieldCheck } from "lucide-react";
import { getProof } from "../generated/sdk.gen";
import { pin, pinned } from "../ledger/pinned";
import { verify } from "../ledger/proof";
import { Failure } from "../shared/State";
import classes from "./decisions.module.css";

/** Asks for the proof and checks it here, not there. */
export function Proof({ index, record }: { index: number; record: unknown }) {
  const check = useMutation({
    mutationFn: async () => {
      if (crypto.subtle === undefined) throw new Error("This browser offers its cryptography only over https or on this machine itself. Use `runplane receipt verify` instead.");
      const { data: proof } = await getProof({ path: { index }, throwOnError: true });
      const steps = await verify(proof, record, pinned(proof.key));
      if (steps.every(({ ok }) => ok)) pin(proof.key);
      return steps;
    },
  });
  const steps = check.data;
  const valid = steps?.every(({ ok }) => ok);
  return (
    <div className={classes.proof}>
      <div className={classes.verdict}>
        <Button variant="default" leftSection={<ShieldCheck size={14} />} loading={check.isPending} onClick={() => check.mutate()}>
          Verify in my browser
        </Button>
        <Button variant="subtle" color="gray" component="a" href={`/api/v1/ledger/proof/${index}?download=1`} download leftSection={<Download size={14} />}>
          Receipt
        </Button>
        {valid === undefined ? null : <strong role="status">{valid ? "This entry is in the signed ledger" : "This entry could not be verified"}</strong>}
      </div>
      {check.error === null ? null : <Failure error={check.error} title="The proof could not be checked" />}
      {steps === undefined ? null : (
        <ol>
          {steps.map(({ name, ok, says }) => (
            <li key={name} data-ok={ok}>
              {ok ? <CircleCheck size={15} aria-label="holds" /> : <CircleX size={15} aria-label="does not hold" />}
              <span>
                <b>{name}</b> <span className="quiet">{says}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
