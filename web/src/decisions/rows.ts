/**
 * The rows of the list, page by page in both directions.
 *
 * Only a window of pages is kept, so a scroll through a million rows needs no more memory than one through a thousand.
 * Each page knows its place: rows keep their position when pages before them are dropped or loaded again.
 */
import { useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { onNewDecisions } from "../api/live";
import { queries } from "../api/queries";
import { listDecisions } from "../generated/sdk.gen";
import type { DecisionList, DecisionView, ListDecisionsData } from "../generated/types.gen";

const PAGE = 100;
const PAGES = 30;

interface Place {
  /** Position of the first (older) or one past the last (newer) row of the page. */
  at: number;
  cursor?: number;
  after?: number;
}

export interface LoadedPage {
  start: number;
  list: DecisionList;
}

export interface Rows {
  /** Position of the first row that is loaded; rows before it were dropped. */
  start: number;
  loaded: readonly DecisionView[];
  complete: boolean;
}

export function joined(pages: readonly LoadedPage[]): Rows {
  const first = pages[0];
  const last = pages[pages.length - 1];
  return { start: first?.start ?? 0, loaded: pages.flatMap(({ list }) => list.decisions), complete: last?.list.nextCursor == null };
}

/** The page before the first one. One without rows still says how far it has looked. */
export function placeBefore({ start, list }: LoadedPage): Place | undefined {
  const after = list.prevCursor ?? list.decisions[0]?.index ?? list.projectedTo - 1;
  return after < 0 ? undefined : { at: start, after };
}

export function useRows(query: NonNullable<ListDecisionsData["query"]>, key: string) {
  const queryKey = useMemo(() => [{ _id: "listDecisions" }, "window", key], [key]);
  const result = useInfiniteQuery({
    queryKey,
    initialPageParam: { at: 0 } as Place,
    queryFn: async ({ pageParam: { at, cursor, after }, signal }): Promise<LoadedPage> => {
      const { data } = await listDecisions({ query: { ...query, limit: PAGE, cursor, after }, signal, throwOnError: true });
      const list = after === undefined ? await goOn(data, query, signal) : data;
      return { start: after === undefined ? at : at - list.decisions.length, list };
    },
    getNextPageParam: ({ start, list }): Place | undefined =>
      list.nextCursor == null ? undefined : { at: start + list.decisions.length, cursor: list.nextCursor },
    getPreviousPageParam: placeBefore,
    maxPages: PAGES,
    // Pages never change once they are there: comparing three thousand rows with themselves would only cost time.
    structuralSharing: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnMount: false,
    refetchOnReconnect: false,
  });
  const { fetchPreviousPage } = result;
  const reload = useCallback(() => queries.resetQueries({ queryKey, exact: true }), [queryKey]);
  const fetchNewer = useCallback(async () => {
    await fetchPreviousPage();
    dropEmpty(queryKey);
  }, [fetchPreviousPage, queryKey]);
  return { ...result, rows: useMemo(() => joined(result.data?.pages ?? []), [result.data]), fetchNewer, reload };
}

/** Most requests that one page of a search for words may take; each looks at 20,000 decisions. */
const REQUESTS = 25;

/** A search for words says how far it got. A page is full, or all there is, before it is shown. */
async function goOn(first: DecisionList, query: NonNullable<ListDecisionsData["query"]>, signal: AbortSignal): Promise<DecisionList> {
  let list = first;
  for (let more = 1; more < REQUESTS && list.searchedTo != null && list.nextCursor != null && list.decisions.length < PAGE; more += 1) {
    tellReached(list.searchedTo);
    const limit = PAGE - list.decisions.length;
    const { data } = await listDecisions({ query: { ...query, limit, cursor: list.nextCursor }, signal, throwOnError: true });
    list = { ...data, prevCursor: list.prevCursor, decisions: [...list.decisions, ...data.decisions] };
  }
  tellReached(undefined);
  return list;
}

let reached: string | undefined;
const reachedListeners = new Set<() => void>();

function tellReached(at: string | undefined): void {
  reached = at;
  for (const tell of reachedListeners) tell();
}

/** How far back a search that is under way has looked. */
export function useReached(): string | undefined {
  return useSyncExternalStore(
    (tell) => {
      reachedListeners.add(tell);
      return () => reachedListeners.delete(tell);
    },
    () => reached,
  );
}

/** Asking for newer rows when there are none leaves an empty page; a window full of those would hold no rows. */
function dropEmpty(queryKey: readonly unknown[]): void {
  queries.setQueryData<InfiniteData<LoadedPage, Place>>(queryKey, (data) => {
    if (data === undefined || data.pages.length < 2) return data;
    const kept = data.pages.map((page, index) => ({ page, param: data.pageParams[index] as Place })).filter(({ page }) => page.list.decisions.length > 0);
    const [first, ...rest] = kept;
    if (first === undefined || kept.length === data.pages.length) return data;
    // What an empty page has looked at is not looked at again.
    const prevCursor = data.pages[0]?.list.prevCursor ?? first.page.list.prevCursor;
    const pages = [{ ...first.page, list: { ...first.page.list, prevCursor } }, ...rest.map(({ page }) => page)];
    return { pages, pageParams: kept.map(({ param }) => param) };
  });
}

/** Calls `tell` when the server has new decisions. */
export function useNewDecisions(tell: () => void): void {
  useEffect(() => onNewDecisions(tell), [tell]);
}
