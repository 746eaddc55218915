/**
 * The rows of the list, page by page in both directions.
 *
 * Only a window of pages is kept, so a scroll through a million rows needs no more memory than one through a thousand.
 * Each page knows its place: rows keep their position when pages before them are dropped or loaded again.
 */
import { useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { onNewDecisions } from "../api/live";
import { Problem } from "../api/http";
import { queries } from "../api/queries";
import { listDecisions } from "../client/sdk.gen";
import type { DecisionList, DecisionView, ListDecisionsData } from "../client/types.gen";

/** Whether the server takes `after`; known to be false once it has refused it. */
let looksUp = true;

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

/** The page before the first one: nothing if the first one is known to be the newest. */
export function placeBefore(first: LoadedPage): Place | undefined {
  const newest = first.list.decisions[0];
  return newest === undefined ? undefined : { at: first.start, after: newest.index };
}

export function useRows(query: NonNullable<ListDecisionsData["query"]>, key: string) {
  const queryKey = useMemo(() => [{ _id: "listDecisions" }, "window", key], [key]);
  const result = useInfiniteQuery({
    queryKey,
    initialPageParam: { at: 0 } as Place,
    queryFn: async ({ pageParam: { at, cursor, after }, signal }): Promise<LoadedPage> => {
      const { data } = await listDecisions({ query: { ...query, limit: PAGE, cursor, after } as NonNullable<ListDecisionsData["query"]>, signal, throwOnError: true });
      return { start: after === undefined ? at : at - data.decisions.length, list: data };
    },
    getNextPageParam: ({ start, list }): Place | undefined =>
      list.nextCursor == null ? undefined : { at: start + list.decisions.length, cursor: list.nextCursor },
    getPreviousPageParam: placeBefore,
    maxPages: PAGES,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnMount: false,
    refetchOnReconnect: false,
  });
  const { fetchPreviousPage } = result;
  const reload = useCallback(() => queries.resetQueries({ queryKey, exact: true }), [queryKey]);
  const fetchNewer = useCallback(async () => {
    // A server that does not look upwards is asked for the newest again.
    if (!looksUp) return void reload();
    const { error } = await fetchPreviousPage();
    if (error !== null && Problem.of(error).status === 400) {
      looksUp = false;
      return void reload();
    }
    dropEmpty(queryKey);
  }, [fetchPreviousPage, queryKey, reload]);
  return { ...result, rows: useMemo(() => joined(result.data?.pages ?? []), [result.data]), fetchNewer, reload };
}

/** Asking for newer rows when there are none leaves an empty page; a window full of those would hold no rows. */
function dropEmpty(queryKey: readonly unknown[]): void {
  queries.setQueryData<InfiniteData<LoadedPage, Place>>(queryKey, (data) => {
    if (data === undefined || data.pages.length < 2) return data;
    const kept = data.pages.map((page, index) => ({ page, param: data.pageParams[index] as Place })).filter(({ page }) => page.list.decisions.length > 0);
    if (kept.length === data.pages.length || kept.length === 0) return data;
    return { pages: kept.map(({ page }) => page), pageParams: kept.map(({ param }) => param) };
  });
}

/** Calls `tell` when the server has new decisions. */
export function useNewDecisions(tell: () => void): void {
  useEffect(() => onNewDecisions(tell), [tell]);
}
