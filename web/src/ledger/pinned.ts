/** The signing key this browser has seen first, per ledger. A later one that differs is worth a question. */
const place = (key: string) => `runplane-key ${key.split("+")[0] ?? ""}`;

export function pinned(key: string): string | null {
  try {
    return localStorage.getItem(place(key));
  } catch {
    return null;
  }
}

export function pin(key: string): void {
  try {
    if (localStorage.getItem(place(key)) === null) localStorage.setItem(place(key), key);
  } catch {
    // A browser that keeps nothing compares nothing.
  }
}
