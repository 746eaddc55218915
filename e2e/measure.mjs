/** What a page feels like, measured in the page: frames, long tasks, and how long a click takes to be seen. */

/** To be run before the page's own scripts: notes long tasks and interactions for ever. */
export function observe() {
  globalThis.noted = { long: [], events: [] };
  new PerformanceObserver((list) => globalThis.noted.long.push(...list.getEntries().map(({ startTime, duration }) => ({ startTime, duration })))).observe({ type: "longtask", buffered: true });
  new PerformanceObserver((list) => {
    for (const { name, interactionId, duration, startTime } of list.getEntries()) if (interactionId > 0) globalThis.noted.events.push({ name, interactionId, duration, startTime });
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
}

export const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

function summary(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const round = (value) => Math.round(value * 10) / 10;
  return { count: sorted.length, p50: round(quantile(sorted, 0.5)), p95: round(quantile(sorted, 0.95)), p99: round(quantile(sorted, 0.99)), max: round(sorted.at(-1) ?? 0) };
}

const longSince = (page, from) => page.evaluate((start) => globalThis.noted.long.filter(({ startTime }) => startTime >= start).map(({ duration }) => duration), from);

/** Scrolls the list by this many pixels with every frame, for so many seconds. */
export async function scrollThrough(page, { seconds, pixels }) {
  const { from, frames, rows } = await page.evaluate(
    ({ seconds: span, pixels: step }) =>
      new Promise((done) => {
        const scroller = document.querySelector("[role=grid]");
        const begin = performance.now();
        const gaps = [];
        let last = begin;
        const tick = (now) => {
          gaps.push(now - last);
          last = now;
          scroller.scrollTop += step;
          if (now - begin < span * 1000) requestAnimationFrame(tick);
          else done({ from: begin, frames: gaps.slice(1), rows: Math.round(scroller.scrollTop / 36) });
        };
        requestAnimationFrame(tick);
      }),
    { seconds, pixels },
  );
  return { rows, frames: summary(frames), longTasks: summary(await longSince(page, from)) };
}

/** Does something again and again, and says how long each time took until it was painted. */
export async function interact(page, times, act) {
  const from = await page.evaluate(() => performance.now());
  for (let time = 0; time < times; time += 1) await act(time);
  await page.waitForTimeout(300);
  const events = await page.evaluate((start) => globalThis.noted.events.filter(({ startTime }) => startTime >= start), from);
  const slowest = new Map();
  for (const { interactionId, duration } of events) slowest.set(interactionId, Math.max(duration, slowest.get(interactionId) ?? 0));
  return { interactions: summary([...slowest.values()]), longTasks: summary(await longSince(page, from)) };
}
