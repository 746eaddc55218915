/**
 * An inclusion proof made here from all leaf hashes, for a server that makes none.
 *
 * The entry's text is its canonical form, made again from the record: RFC 8785 is what `JSON.stringify` writes, with members in
 * order. If that is not the text that was hashed, the proof leads nowhere, and `verify` says so.
 */
import { getCheckpoint, listEntries } from "../client/sdk.gen";
import { fromHex, toHex, type Hash, type Proof } from "./proof";
import { Tree } from "./tree";

const AT_ONCE = 1_000;

export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(",")}}`;
}

async function rootOver(leaves: readonly string[]): Promise<Hash> {
  const tree = new Tree();
  await tree.append(leaves);
  return tree.root();
}

/** The audit path of RFC 6962 §2.1.1, leaf to root. */
export async function pathOf(index: number, leaves: readonly string[]): Promise<Hash[]> {
  if (leaves.length <= 1) return [];
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...(await pathOf(index, left)), await rootOver(right)] : [...(await pathOf(index - split, right)), await rootOver(left)];
}

export async function makeProof(index: number, record: unknown): Promise<Proof> {
  const { data: head } = await getCheckpoint({ throwOnError: true });
  const leaves: string[] = [];
  while (leaves.length < head.size) {
    const { data } = await listEntries({ query: { from: leaves.length, limit: Math.min(AT_ONCE, head.size - leaves.length) }, throwOnError: true });
    if (data.entries.length === 0) throw new Error(`The server has no entry ${leaves.length}.`);
    leaves.push(...data.entries.map(({ leafHash }) => leafHash));
  }
  const path = await pathOf(index, leaves);
  return {
    index, size: head.size, entry: canonicalText(record), leafHash: toHex(fromHex(leaves[index] ?? "")), proof: path.map(toHex), root: head.root,
    checkpoint: head.checkpoint, key: head.key,
  };
}
