import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Problem } from "../api/http";
import { begin, sessionQuery } from "../api/session";
import { checkLink, setUp as postSetUp } from "../generated/sdk.gen";
import type { LinkPurpose } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { Waiting } from "../shared/State";
import { Card } from "./Door";

const LEAST = 12;

/** The token of the link. It is taken out of the address bar at once, so that nobody reads it over a shoulder or in a history. */
function takeToken(): string {
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token") ?? "";
  if (token !== "") window.history.replaceState(null, "", window.location.pathname);
  return token;
}

/** What a one-time link opens: the first owner, an invitation, a new password. */
export function SetUp() {
  const [token, setToken] = useState(takeToken);
  // Another link opened where one has ended: to the browser that is the same page.
  useEffect(() => {
    const take = () => {
      const next = takeToken();
      if (next !== "") setToken(next);
    };
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, []);
  const link = useQuery({
    queryKey: [{ _id: "checkLink" }, token],
    queryFn: async () => (await checkLink({ body: { token }, throwOnError: true })).data,
    enabled: token !== "",
    retry: false,
    staleTime: Infinity,
  });
  if (token === "") return <Ended error={new Problem(0, "link_ended", "")} />;
  if (link.isPending) return <Card title="Set up"><form><Waiting lines={4} /></form></Card>;
  if (link.isError) return <Ended error={link.error} />;
  return <Form key={token} token={token} link={link.data} />;
}

function Ended({ error }: { error: unknown }) {
  const problem = Problem.of(error);
  const first = useQuery(sessionQuery).data?.needsSetup ?? false;
  return (
    <Card title="Set up">
      <form>
        <h1>This link does not work any more</h1>
        <p>
          {problem.code !== "link_ended" ? problem.detail : `It was used before, is too old, or was replaced by a newer one. ${first ? "" : "Ask an admin for another."}`}
        </p>
        {first ? <p>Nobody has an account yet: restart <code>runplane serve</code> or <code>runplane dev</code>, and it prints another.</p> : null}
        <a href="/">To the sign-in page</a>
      </form>
    </Card>
  );
}

const TITLE: Record<string, string> = { firstOwner: "Make the first account", invitation: "Welcome to Runplane", reset: "Choose a new password" };

function Form({ token, link }: { token: string; link: LinkPurpose }) {
  const navigate = useNavigate();
  const [username, setUsername] = useState(link.username ?? "");
  const [displayName, setDisplayName] = useState(link.displayName ?? "");
  const [password, setPassword] = useState("");
  const first = link.purpose === "firstOwner";
  const title = TITLE[link.purpose] ?? "Set up";
  const setUp = useMutation({
    mutationFn: async () => {
      const names = first ? { username, displayName: displayName || undefined } : {};
      return (await postSetUp({ body: { token, password, ...names }, throwOnError: true })).data;
    },
    onSuccess: (session) => {
      begin(session);
      void navigate({ to: "/" });
    },
  });
  useEffect(() => {
    if (setUp.isError) document.querySelector<HTMLInputElement>("input[name=password]")?.focus();
  }, [setUp.isError]);

  return (
    <Card title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setUp.mutate();
        }}
      >
        <h1>{title}</h1>
        {first ? <p className="quiet">You become the owner: you invite others and decide what they may do.</p> : null}
        {first ? (
          <>
            <TextInput
              size="sm" label="User name" name="username" autoComplete="username" autoCapitalize="none" autoFocus required
              description="Lower-case letters, digits, dot, dash" pattern="[a-z0-9._\-]{1,64}" value={username}
              onChange={(event) => setUsername(event.currentTarget.value.toLowerCase())}
            />
            <TextInput
              size="sm" label="Your name" name="displayName" autoComplete="name" value={displayName}
              onChange={(event) => setDisplayName(event.currentTarget.value)}
            />
          </>
        ) : (
          <TextInput size="sm" label="User name" name="username" autoComplete="username" value={username} readOnly />
        )}
        <PasswordInput
          size="sm" label="Password" name="password" autoComplete="new-password" required minLength={LEAST} maxLength={256} autoFocus={!first}
          description={`At least ${LEAST} characters; a sentence is easier to keep than a riddle`} value={password}
          onChange={(event) => setPassword(event.currentTarget.value)} error={setUp.error ? Problem.of(setUp.error).detail : undefined}
        />
        <Button type="submit" size="sm" loading={setUp.isPending}>
          {first ? "Make the account" : "Save and sign in"}
        </Button>
        <p className="quiet">
          The link ends <Ago at={link.expiresAt} />.
        </p>
      </form>
    </Card>
  );
}
