/**
 * Checks in the page that an entry is in the ledger: RFC 6962 inclusion proof, C2SP signed checkpoint.
 *
 * Only the entry, the proof, the signed note and the key go in; nothing the server says about the result is used. Refuses
 * anything that is not exactly of the form. What must stay true: `true` only for what was hashed and signed.
 */

export type Hash = Uint8Array<ArrayBuffer>;

export interface Proof {
  index: number;
  size: number;
  /** The exact text that was hashed. */
  entry: string;
  leafHash: string;
  proof: readonly string[];
  root: string;
  checkpoint: string;
  key: string;
}

export interface Step {
  name: string;
  ok: boolean;
  says: string;
}

const utf8 = new TextEncoder();

async function sha256(...parts: readonly Uint8Array[]): Promise<Hash> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export const leafHash = (entry: string): Promise<Hash> => sha256(Uint8Array.of(0), utf8.encode(entry));
const nodeHash = (left: Hash, right: Hash): Promise<Hash> => sha256(Uint8Array.of(1), left, right);

export function fromHex(text: string): Hash {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new Error(`\`${text.slice(0, 80)}\` is not lower-case hex`);
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function fromBase64(text: string): Hash {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** The root that leaf and proof lead to (RFC 9162 §2.1.3.2); a proof of the wrong length leads nowhere. */
export async function rootOf(index: number, size: number, leaf: Hash, proof: readonly Hash[]): Promise<Hash> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new Error(`entry ${index} is not in a ledger of ${size} entries`);
  }
  // No bit operators: they would cut the numbers to 32 bits.
  const half = (value: number) => Math.floor(value / 2);
  let [place, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (sibling.length !== 32) throw new Error("a hash of the proof is not 32 bytes long");
    if (last === 0) throw new Error("the proof is too long");
    if (place % 2 === 1 || place === last) {
      hash = await nodeHash(sibling, hash);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      hash = await nodeHash(hash, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  if (last !== 0) throw new Error("the proof is too short");
  return hash;
}

export interface Checkpoint {
  origin: string;
  size: number;
  root: Hash;
  /** What is signed. */
  text: string;
  signatures: readonly { name: string; id: string; signature: Hash }[];
}

export function readCheckpoint(note: string): Checkpoint {
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) throw new Error("the checkpoint is not a signed note");
  const text = note.slice(0, split + 1);
  const [origin, size, root] = text.split("\n");
  if (origin === undefined || size === undefined || root === undefined || !/^(0|[1-9]\d{0,15})$/.test(size)) {
    throw new Error("the checkpoint does not name origin, size and root");
  }
  const signatures = note.slice(split + 2, -1).split("\n").map((line) => {
    const match = /^\u2014 (\S+) (\S+)$/.exec(line);
    const bytes = fromBase64(match?.[2] ?? "");
    if (match?.[1] === undefined || bytes.length < 5) throw new Error("a signature line cannot be read");
    return { name: match[1], id: toHex(bytes.slice(0, 4)), signature: bytes.slice(4) };
  });
  const hash = fromBase64(root);
  if (hash.length !== 32) throw new Error("the root of the checkpoint is not 32 bytes long");
  return { origin, size: Number(size), root: hash, text, signatures };
}

/** Reads `name+id+key` and checks that the id belongs to name and key. */
export async function readKey(text: string): Promise<{ name: string; id: string; key: Hash }> {
  const [name, id, ...rest] = text.split("+");
  const bytes = fromBase64(rest.join("+"));
  if (name === undefined || id === undefined || bytes.length !== 33 || bytes[0] !== 1) throw new Error("the key is not an Ed25519 key of the form `name+id+key`");
  const expected = toHex((await sha256(utf8.encode(`${name}\n`), bytes)).slice(0, 4));
  if (expected !== id) throw new Error("the key's id does not belong to it");
  return { name, id, key: bytes.slice(1) };
}

export async function isSigned(checkpoint: Checkpoint, keyText: string): Promise<boolean> {
  const { name, id, key } = await readKey(keyText);
  if (name !== checkpoint.origin) return false;
  const own = checkpoint.signatures.filter((signature) => signature.name === name && signature.id === id);
  if (own.length === 0) return false;
  const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  for (const { signature } of own) {
    if (!(await crypto.subtle.verify("Ed25519", imported, signature, utf8.encode(checkpoint.text)))) return false;
  }
  return true;
}

/** All steps, in order, up to the first that fails. */
export async function verify(proof: Proof, shownRecord: unknown, pinnedKey: string | null): Promise<Step[]> {
  const steps: Step[] = [];
  const step = async (name: string, check: () => Promise<[ok: boolean, says: string]>) => {
    if (steps.some(({ ok }) => !ok)) return;
    try {
      const [ok, says] = await check();
      steps.push({ name, ok, says });
    } catch (failure) {
      steps.push({ name, ok: false, says: failure instanceof Error ? failure.message : String(failure) });
    }
  };
  let leaf: Hash = new Uint8Array(0);
  let root: Hash = new Uint8Array(0);
  await step("Entry", async () => {
    leaf = await leafHash(proof.entry);
    const same = canonicalText(JSON.parse(proof.entry)) === canonicalText(shownRecord);
    return [same, same ? `the record shown here hashes to ${toHex(leaf).slice(0, 16)}…` : "the entry is not the record that is shown here"];
  });
  await step("Inclusion", async () => {
    root = await rootOf(proof.index, proof.size, leaf, proof.proof.map(fromHex));
    return [true, `${proof.proof.length} hashes lead from entry ${proof.index} to the root ${toHex(root).slice(0, 16)}…`];
  });
  await step("Checkpoint", async () => {
    const checkpoint = readCheckpoint(proof.checkpoint);
    const ok = checkpoint.size === proof.size && toHex(checkpoint.root) === toHex(root);
    return [ok, ok ? `the signed checkpoint of ${checkpoint.size} entries has exactly this root` : "the checkpoint has another size or root"];
  });
  await step("Signature", async () => {
    const ok = await isSigned(readCheckpoint(proof.checkpoint), proof.key);
    return [ok, ok ? `signed by ${proof.key.slice(0, proof.key.lastIndexOf("+"))}` : "the signature does not fit the checkpoint"];
  });
  await step("Key", async () => {
    if (pinnedKey === null) return [true, "remembered in this browser; from now on a change of key is noticed"];
    return [pinnedKey === proof.key, pinnedKey === proof.key ? "the key this browser has seen before" : "not the key this browser has seen before"];
  });
  return steps;
}

/**
 * The text of a record as it is hashed. RFC 8785 is what `JSON.stringify` writes, with members in order; a record whose text
 * were another would hash to another leaf.
 */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(",")}}`;
}
