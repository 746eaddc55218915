/** What is usual for an agent, as a decision read it and as it is told: sizes and paces in steps, made readable. */

/** `state.usual` of a record. */
export interface UsualRead {
  /** Observations of the agent. */
  agent: number;
  size?: number;
  types: { type: string; observations: number; pace: number; usualPace?: number; usualSize?: number }[];
}

export interface Comparison {
  of: string;
  now: string;
  usually: string;
  unusual: boolean;
}

/** Observations below which nothing is called usual; the server has the same. */
export const NEEDED = 30;
const UNREAD = 47;

/** The least number of a step: 0, then 1, 2, 5, 10, 20, 50, … */
export function leastOf(step: number): string {
  if (step <= 0) return "0";
  const digit = ["1", "2", "5"][(step - 1) % 3] ?? "1";
  return Number(digit + "0".repeat(Math.floor((step - 1) / 3))).toLocaleString("en-US");
}

/** Each way in which a call can differ from what is usual, the call beside the usual. */
export function compare(read: UsualRead): Comparison[] {
  const rows: Comparison[] = [];
  for (const kind of read.types) {
    const many = read.types.length > 1 ? ` (${kind.type})` : "";
    const share = read.agent === 0 ? 0 : Math.round((100 * kind.observations) / read.agent);
    const known = read.agent >= NEEDED;
    rows.push({
      of: `Done before${many}`,
      now: kind.observations === 0 ? "never" : kind.observations === 1 ? "once" : `${kind.observations.toLocaleString("en-US")} times`,
      usually: known ? `${share < 1 && kind.observations > 0 ? "under 1" : share} of 100 of its actions` : `not known yet: ${read.agent} of ${NEEDED} outcomes`,
      unusual: known && kind.observations < NEEDED,
    });
    if (kind.usualPace !== undefined) {
      const end = 2 ** (kind.usualPace + 1);
      rows.push({ of: `Within an hour${many}`, now: `call ${kind.pace}`, usually: `fewer than ${end}`, unusual: Math.floor(Math.log2(kind.pace)) > kind.usualPace + 1 });
    }
    if (kind.usualSize !== undefined && read.size !== undefined) {
      rows.push({
        of: `Size${many}`, now: read.size >= UNREAD ? "cannot be read" : `at least ${leastOf(read.size)}`,
        usually: `below ${leastOf(kind.usualSize + 1)}`, unusual: read.size > kind.usualSize,
      });
    }
  }
  return rows;
}
