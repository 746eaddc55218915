/** What an example is made of: a fake tool that records whether it ran, and steps that each guard one call of it. */
import type { Runplane } from "runplane";

/** Stands for a real system. It does nothing but remember what it was told to do. */
export class FakeTool {
  readonly calls: { readonly operation: string; readonly args: unknown }[] = [];

  call(operation: string, args: unknown): { readonly done: string } {
    this.calls.push({ operation, args });
    return { done: operation };
  }
}

/** How a guarded call ends. */
export type Ending = "ran" | "blocked" | "denied";

export interface Step {
  /** What the agent wants, in words. */
  readonly wish: string;
  /** How it must end under the shipped policies. */
  readonly expect: Ending;
  /** What the person does who is asked; absent when policy decides alone. */
  readonly person?: "approves" | "denies";
  /** The guarded call itself. */
  readonly act: () => Promise<unknown>;
}

export interface Program {
  readonly domain: string;
  /** The steps of an agent that holds `runplane` and acts through `tool`. */
  readonly steps: (runplane: Runplane, tool: FakeTool) => readonly Step[];
}
