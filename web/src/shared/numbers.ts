/** Numbers as people read them. */

const GROUPED = new Intl.NumberFormat("en-US");
const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const grouped = (value: number): string => GROUPED.format(value);
/** A decimal as the server writes it, with its thousands apart; what a number here could not hold stays as it is. */
export const decimal = (text: string | number): string => (/^-?\d{1,15}$/.test(String(text)) ? GROUPED.format(Number(text)) : String(text));
export const compact = (value: number): string => (Math.abs(value) < 10_000 ? GROUPED.format(value) : COMPACT.format(value));

export const plural = (count: number, one: string, many = `${one}s`): string => `${grouped(count)} ${count === 1 ? one : many}`;

/** Microseconds as `840 µs`, `3.2 ms`, `1.4 s`. */
export function duration(micros: number): string {
  if (micros < 1_000) return `${Math.round(micros)} µs`;
  if (micros < 1_000_000) return `${(micros / 1_000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
  return `${(micros / 1_000_000).toFixed(1)} s`;
}
