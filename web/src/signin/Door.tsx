import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Problem } from "../api/http";
import { begin } from "../api/session";
import { Brand } from "../app/Nav";
import classes from "../app/app.module.css";
import { signIn as postSession } from "../generated/sdk.gen";
import { useTitle } from "../shared/Page";

export function Card({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className={classes.door}>
      <div className={classes.doorCard}>
        <Brand />
        {children}
      </div>
    </main>
  );
}

/** Sign-in, or what to do before anybody can. */
export function Door({ needsSetup }: { needsSetup: boolean }) {
  return needsSetup ? <FirstRun /> : <SignIn />;
}

function FirstRun() {
  return (
    <Card title="Set up">
      <form>
        <h1>Nobody has an account yet</h1>
        <p>
          Open the set-up link that the server printed when it started. It works once, and makes you the owner of this workspace.
        </p>
        <p className="quiet">
          The terminal is gone? Ask for a new link with <code>runplane users link</code> on the machine where the server runs.
        </p>
      </form>
    </Card>
  );
}

function SignIn() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: async () => (await postSession({ body: { username, password }, throwOnError: true })).data,
    onSuccess: begin,
    onError: () => setPassword(""),
  });
  return (
    <Card title="Sign in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate();
        }}
      >
        <h1>Sign in</h1>
        <TextInput
          size="sm" label="User name" name="username" autoComplete="username" autoCapitalize="none" autoFocus required
          value={username} onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordInput
          size="sm" label="Password" name="password" autoComplete="current-password" required
          value={password} onChange={(event) => setPassword(event.currentTarget.value)} error={signIn.error ? refusal(signIn.error) : undefined}
        />
        <Button type="submit" size="sm" loading={signIn.isPending}>
          Sign in
        </Button>
        <p className="quiet">Forgotten? An admin can make you a one-time link under Users.</p>
      </form>
    </Card>
  );
}

function refusal(error: unknown): string {
  const problem = Problem.of(error);
  if (problem.code === "sign_in_failed") return "User name or password is wrong, or the account is disabled.";
  if (problem.code === "too_many_attempts") {
    const { retryAfterSeconds } = (problem.body ?? {}) as { retryAfterSeconds?: number };
    return `Too many attempts. Try again in ${retryAfterSeconds ?? 30} seconds.`;
  }
  return problem.detail;
}
