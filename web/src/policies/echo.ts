/**
 * Tells what an editor said itself from what somebody else wants it to show. What it says comes back as its value, at times later
 * than the next key: put in its place then, that key would be lost. Pure.
 */
export class Echo {
  /** Said, and not come back yet. */
  private readonly said = new Set<string>();

  say(text: string): void {
    this.said.add(text);
  }

  /** Whether a value that comes takes the place of what stands there. */
  replaces(value: string, standing: string): boolean {
    if (value !== standing && this.said.has(value)) return false;
    this.said.clear();
    return value !== standing;
  }
}
