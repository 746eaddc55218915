/** The root over many leaf hashes (RFC 6962), made as they come; only one hash per level is kept. */
import type { Hash } from "./proof";

async function node(left: Hash, right: Hash): Promise<Hash> {
  const bytes = new Uint8Array(65);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export class Tree {
  size = 0;
  /** Roots of the full subtrees, largest first. */
  private frontier: { height: number; hash: Hash }[] = [];

  async append(leaves: readonly Hash[]): Promise<void> {
    for (const leaf of leaves) {
      let top = { height: 0, hash: leaf };
      for (let last = this.frontier.at(-1); last !== undefined && last.height === top.height; last = this.frontier.at(-1)) {
        this.frontier.pop();
        top = { height: top.height + 1, hash: await node(last.hash, top.hash) };
      }
      this.frontier.push(top);
      this.size += 1;
    }
  }

  async root(): Promise<Hash> {
    const [last, ...larger] = this.frontier.toReversed();
    if (last === undefined) return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(0)));
    let root = last.hash;
    for (const { hash } of larger) root = await node(hash, root);
    return root;
  }
}
