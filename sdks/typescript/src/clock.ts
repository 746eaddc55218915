/** Time, in milliseconds. Monotonic, so that a changed wall clock neither ends nor prolongs a wait. */
export function now(): number {
  return performance.now();
}

/** Waits. With `background` the wait alone does not keep the process alive. */
export function pause(ms: number, background = false): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, Math.max(0, ms));
    if (background) timer.unref?.();
  });
}
