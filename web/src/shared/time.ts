/** Times as people read them. Pure: the present is a parameter. */

const STEPS: readonly [limit: number, unit: number, name: string][] = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
  [86_400 * 60, 86_400, "d"],
  [86_400 * 365, 86_400 * 30, "mo"],
  [Infinity, 86_400 * 365, "y"],
];

/** `12 s`, `4 min`, `3 h`: one unit, rounded down. */
export function span(milliseconds: number): string {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  const step = STEPS.find(([limit]) => seconds < limit);
  if (step === undefined) return "";
  return `${Math.floor(seconds / step[1])} ${step[2]}`;
}

/** `now`, `4 min ago`, `in 3 h`. */
export function relative(at: Date, now: Date): string {
  const distance = at.getTime() - now.getTime();
  if (Math.abs(distance) < 5_000) return "now";
  return distance < 0 ? `${span(distance)} ago` : `in ${span(distance)}`;
}

/** A countdown with two places: `4:07`, `1 h 12 min`; `expired` at zero. */
export function countdown(until: Date, now: Date): string {
  const seconds = Math.floor((until.getTime() - now.getTime()) / 1000);
  if (seconds <= 0) return "expired";
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** Made once: a formatter costs a hundred times what it formats. */
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** The exact moment, for hovering: local time with zone, and UTC beside it. */
export function exact(at: Date): string {
  return `${EXACT.format(at)} · ${at.toISOString()}`;
}
