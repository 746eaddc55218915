import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { canonicalText, isSigned, leafHash, readCheckpoint, rootOf, toHex, verify, type Hash, type Proof } from "./proof";

const sha = (...parts: Uint8Array[]) => new Uint8Array(createHash("sha256").update(Buffer.concat(parts)).digest()) as Hash;
const leaf = (entry: string) => sha(Uint8Array.of(0), Buffer.from(entry));

/** The definition of RFC 6962 §2.1, written as it stands there. */
function tree(leaves: Hash[]): Hash {
  if (leaves.length === 1) return leaves[0] as Hash;
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha(Uint8Array.of(1), tree(leaves.slice(0, split)), tree(leaves.slice(split)));
}

function path(index: number, leaves: Hash[]): Hash[] {
  if (leaves.length === 1) return [];
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return index < split
    ? [...path(index, leaves.slice(0, split)), tree(leaves.slice(split))]
    : [...path(index - split, leaves.slice(split)), tree(leaves.slice(0, split))];
}

const entries = Array.from({ length: 21 }, (_, index) => JSON.stringify({ index, kind: "decision", "é": "ü" }));
const leaves = entries.map(leaf);

function signed(size: number, root: Hash, origin = "runplane/ws_1"): { checkpoint: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.concat([Uint8Array.of(1), publicKey.export({ format: "der", type: "spki" }).subarray(-32)]);
  const id = sha(Buffer.from(`${origin}\n`), raw).slice(0, 4);
  const text = `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\nrunplane-time-us 1\n`;
  const blob = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]);
  return { checkpoint: `${text}\n— ${origin} ${blob.toString("base64")}\n`, key: `${origin}+${toHex(id)}+${raw.toString("base64")}` };
}

function proofOf(index: number, size: number): Proof {
  const part = leaves.slice(0, size);
  const root = tree(part);
  return {
    index, size, entry: entries[index] as string, leafHash: toHex(leaves[index] as Hash), proof: path(index, part).map(toHex), root: toHex(root),
    ...signed(size, root),
  };
}

describe("rootOf", () => {
  it("leads from every entry of every tree to its root", async () => {
    for (let size = 1; size <= leaves.length; size++) {
      const part = leaves.slice(0, size);
      for (let index = 0; index < size; index++) {
        expect(toHex(await rootOf(index, size, await leafHash(entries[index] as string), path(index, part)))).toBe(toHex(tree(part)));
      }
    }
  });

  it("refuses a proof that is too long, too short, or about an entry that is not there", async () => {
    const proof = path(3, leaves);
    await expect(rootOf(3, 21, leaves[3] as Hash, [...proof, leaves[0] as Hash])).rejects.toThrow("too long");
    await expect(rootOf(3, 21, leaves[3] as Hash, proof.slice(0, -1))).rejects.toThrow("too short");
    await expect(rootOf(21, 21, leaves[3] as Hash, proof)).rejects.toThrow("not in a ledger");
  });
});

it("writes the text that was hashed", () => {
  expect(canonicalText({ b: [1, { d: null, c: "é\n" }], a: 1795376485398535 })).toBe('{"a":1795376485398535,"b":[1,{"c":"é\\n","d":null}]}');
});

describe("verify", () => {
  it("accepts what was hashed and signed", async () => {
    const proof = proofOf(5, 13);
    const steps = await verify(proof, JSON.parse(proof.entry), null);
    expect(steps.map(({ name, ok }) => `${name} ${ok}`)).toEqual(["Entry true", "Inclusion true", "Checkpoint true", "Signature true", "Key true"]);
  });

  it("notices a changed entry, place, root, signature, key and record", async () => {
    const proof = proofOf(5, 13);
    const failing = async (changed: Partial<Proof>, record: unknown = JSON.parse(proof.entry), pinned: string | null = null) =>
      (await verify({ ...proof, ...changed }, record, pinned)).find(({ ok }) => !ok)?.name;
    expect(await failing({ entry: proof.entry.replace("5", "6") })).toBe("Entry");
    expect(await failing({}, { something: "else" })).toBe("Entry");
    expect(await failing({ index: 6 })).toBe("Checkpoint");
    expect(await failing({ size: 14 })).toBe("Checkpoint");
    expect(await failing(signed(13, leaves[0] as Hash))).toBe("Checkpoint");
    expect(await failing({ key: proofOf(5, 13).key })).toBe("Signature");
    expect(await failing({ checkpoint: proof.checkpoint.replace("time-us 1", "time-us 2") })).toBe("Signature");
    expect(await failing({}, JSON.parse(proof.entry), "another key")).toBe("Key");
  });

  it("does not take the signature of another ledger", async () => {
    const { checkpoint } = signed(13, tree(leaves.slice(0, 13)), "runplane/ws_2");
    expect(await isSigned(readCheckpoint(checkpoint), proofOf(5, 13).key)).toBe(false);
  });
});
