import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Problem } from "../api/http";
import { begin } from "../api/session";
import { Brand } from "../app/Nav";
import classes from "../app/app.module.css";
import { signIn as postSession } from "../generated/sdk.gen";
import { useTitle } from "../shared/Page";
import { Failure } from "../shared/State";

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

/** There was no first answer: nothing can be shown, not even who one is. */
export function Unreached({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <main className={classes.door}>
      <div className={classes.doorCard}>
        <Brand />
        <h1>Runplane cannot be reached</h1>
        <Failure error={error} retry={retry} title="No answer" />
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
          The terminal is gone, or the hour is over for which the link works? Restart <code>runplane serve</code> or <code>runplane dev</code>: as long
          as nobody has an account, each start prints a new one. With the admin token, <code>runplane users add ada --role owner</code> prints one
          too.
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
