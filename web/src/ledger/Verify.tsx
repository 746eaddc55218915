import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { getCheckpoint, listEntries, verifyLedger } from "../generated/sdk.gen";
import { Ago } from "../shared/Ago";
import { grouped } from "../shared/numbers";
import { Facts } from "../shared/Page";
import { Failure } from "../shared/State";
import { pin, pinned } from "./pinned";
import { canonicalText, isSigned, leafHash, readCheckpoint, toHex } from "./proof";
import { Tree } from "./tree";
import classes from "./ledger.module.css";

/** Two ways to know: ask the server what it verified, or hash every entry here. */
export function Verify() {
  return (
    <section className={classes.card}>
      <h2>Is it what was signed?</h2>
      <Server />
      <Browser />
    </section>
  );
}

function Server() {
  const verify = useMutation({ mutationFn: async () => (await verifyLedger({ throwOnError: true })).data });
  const result = verify.data;
  return (
    <div className={classes.check}>
      <Button variant="default" leftSection={<ShieldCheck size={14} />} loading={verify.isPending} onClick={() => verify.mutate()}>
        Ask the server
      </Button>
      {verify.error === null ? null : <Failure error={verify.error} title="The server could not verify" />}
      {result === undefined ? null : (
        <>
          <Verdict valid={result.valid} says={result.valid ? "Valid" : (result.problem ?? "Broken")} />
          <Facts
            facts={[
              ["Checked", `${grouped(result.checkedTo)} of ${grouped(result.chainLength)} entries`],
              result.brokenAt == null ? null : ["First bad entry", grouped(result.brokenAt)],
              ["Read since", <Ago at={result.readSince} />],
              ["Older copy", result.rollback],
            ]}
          />
        </>
      )}
    </div>
  );
}

const AT_ONCE = 1_000;

/** Reads every entry, hashes its text and makes the root here. Of what the server says only the signature is believed. */
function Browser() {
  const [done, setDone] = useState<[at: number, of: number]>();
  const verify = useMutation({
    mutationFn: async () => {
      if (crypto.subtle === undefined) throw new Error("This browser offers its cryptography only over https or on this machine itself. Use `runplane audit verify` instead.");
      const { data: head } = await getCheckpoint({ throwOnError: true });
      const checkpoint = readCheckpoint(head.checkpoint);
      if (!(await isSigned(checkpoint, head.key))) throw new Error("The signature does not fit the checkpoint.");
      const known = pinned(head.key);
      if (known !== null && known !== head.key) throw new Error("The ledger is signed with another key than this browser has seen before.");
      const tree = new Tree();
      while (tree.size < checkpoint.size) {
        const { data } = await listEntries({ query: { from: tree.size, limit: Math.min(AT_ONCE, checkpoint.size - tree.size) }, throwOnError: true });
        if (data.entries.length === 0) throw new Error(`The server has no entry ${tree.size}.`);
        // The text is made again from what was read: an entry that was not hashed as it is shown leads to another root.
        await tree.append(await Promise.all(data.entries.map(({ entry }) => leafHash(canonicalText(entry)))));
        setDone([tree.size, checkpoint.size]);
      }
      const root = toHex(await tree.root());
      pin(head.key);
      return { valid: root === toHex(checkpoint.root), size: tree.size };
    },
    onSettled: () => setDone(undefined),
  });
  return (
    <div className={classes.check}>
      <Button variant="default" leftSection={<ShieldCheck size={14} />} loading={verify.isPending} onClick={() => verify.mutate()}>
        Build the tree in my browser
      </Button>
      {done === undefined ? null : (
        <label className={classes.progress}>
          <progress value={done[0]} max={done[1]} /> <span className="num quiet">{grouped(done[0])} of {grouped(done[1])}</span>
        </label>
      )}
      {verify.error === null ? null : <Failure error={verify.error} title="It could not be checked" />}
      {verify.data === undefined ? null : (
        <Verdict
          valid={verify.data.valid}
          says={verify.data.valid ? `${grouped(verify.data.size)} entries, hashed here, lead to the signed root` : "The entries do not lead to the signed root"}
        />
      )}
      <p className="quiet">Reads every entry, hashes it here, and compares the root of the tree with the signed one.</p>
    </div>
  );
}

function Verdict({ valid, says }: { valid: boolean; says: string }) {
  return (
    <p className={classes.verdict} data-valid={valid} role="status">
      {valid ? <CircleCheck size={17} aria-hidden /> : <CircleX size={17} aria-hidden />}
      {says}
    </p>
  );
}
