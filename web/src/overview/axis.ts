/** Where the bars of a chart begin and which of them the axis names: at round times of whoever looks. Pure. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far local time is ahead of UTC, in milliseconds. */
const ahead = (at: Date): number => -at.getTimezoneOffset() * MINUTE;

/** The end of the bar that `now` falls into, so that every bar begins at a round time. */
export function endOfBar(now: Date, bar: number): Date {
  const local = now.getTime() + ahead(now);
  return new Date((Math.floor(local / bar) + 1) * bar - ahead(now));
}

/** Distance between two names on the axis. */
function step(span: number): number {
  if (span <= 2 * HOUR) return 10 * MINUTE;
  if (span <= 2 * DAY) return 3 * HOUR;
  return span <= 10 * DAY ? DAY : 5 * DAY;
}

/** The bars that are named; where there is little room, every other one. */
export function ticksOf(bars: readonly { at: string }[], span: number, narrow = false): string[] {
  const every = narrow ? 2 * step(span) : step(span);
  const on = bars.filter(({ at }) => (Date.parse(at) + ahead(new Date(at))) % every === 0);
  return on.map(({ at }) => at);
}

/** Made once: a formatter costs a hundred times what it formats. */
const DATE = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** What the axis says: hours within two days, dates beyond. */
export function nameOf(at: string, span: number): string {
  return (span > 2 * DAY ? DATE : TIME).format(new Date(at));
}

/** `+12 %` against the time before; nothing where there was nothing to compare with. */
export function changeOf(now: number, before: number | undefined): string | undefined {
  if (before === undefined || before === 0) return undefined;
  const percent = Math.round((100 * (now - before)) / before);
  if (percent === 0) return "as before";
  if (percent > 999) return "over ten times as many";
  return `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`;
}
