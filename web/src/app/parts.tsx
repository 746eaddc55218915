/** Pages come in parts, loaded when somebody goes there. What is shown when one does not arrive, and how it comes after all. */
import { useEffect } from "react";
import { Problem } from "../api/http";
import { queries } from "../api/queries";
import { onReachedAgain } from "../api/reach";
import { sessionQuery } from "../api/session";
import { Page } from "../shared/Page";
import { Failure } from "../shared/State";

const NOT_LOADED = "page_not_loaded";

/** Says of a part that did not arrive what it is: a matter of the server, and no mistake of the page. */
export function part<T>(load: () => Promise<T>): () => Promise<T> {
  return () =>
    load().catch(() => {
      throw new Problem(0, NOT_LOADED, "The code of this page did not arrive.");
    });
}

/** A browser does not fetch a part again that it once could not: the whole page is loaded, but only from a server that answers. */
async function reload(): Promise<void> {
  await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
  window.location.reload();
}

/** Where a page would be: what went wrong. */
export function PageFailure({ error, reset }: { error: unknown; reset: () => void }) {
  const missing = Problem.of(error).code === NOT_LOADED;
  useEffect(() => (missing ? onReachedAgain(() => void reload().catch(() => undefined)) : undefined), [missing]);
  return (
    <Page title={missing ? "Not loaded" : "Something went wrong"}>
      <Failure error={error} retry={missing ? () => void reload().catch(() => undefined) : reset} />
    </Page>
  );
}
