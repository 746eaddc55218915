import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { History } from "lucide-react";
import { listApprovals } from "../generated/sdk.gen";
import { Ago } from "../shared/Ago";
import { StateBadge } from "../shared/Badge";
import { Empty, Failure, Waiting } from "../shared/State";
import { Person } from "../users/Person";
import classes from "./approvals.module.css";

/** Asks that do not wait any more, newest first. */
export function Closed() {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: [{ _id: "listApprovals" }, "closed"],
    initialPageParam: undefined as number | undefined,
    queryFn: async ({ pageParam, signal }) => (await listApprovals({ query: { cursor: pageParam, limit: 50 }, signal, throwOnError: true })).data,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  });
  if (error !== null) return <div className={classes.alone}><Failure error={error} retry={() => void refetch()} /></div>;
  if (isPending) return <div className={classes.alone}><Waiting lines={10} /></div>;
  const closed = data.pages.flatMap(({ approvals }) => approvals).filter(({ state }) => state !== "pending");
  if (closed.length === 0 && !hasNextPage) {
    return (
      <Empty icon={History} title="Nothing was decided yet">
        <p>Approved, denied, expired and cancelled asks are listed here, with who decided and what was said.</p>
      </Empty>
    );
  }
  return (
    <div className={classes.closed} tabIndex={0} role="region" aria-label="Decided approvals">
      <ul>
        {closed.map((approval) => (
          <li key={approval.id}>
            <Link to="/decisions" search={{ open: approval.requestId, by: approval.agent.id }}>
              <StateBadge state={approval.state} />
              <span className={classes.closedWhat}>
                <span className="clip">{approval.action.summary}</span>
                {approval.comment == null || approval.comment === "" ? null : <span className="quiet clip">“{approval.comment}”</span>}
              </span>
              <span className={classes.closedWho}>{approval.agent.name}</span>
              <span className={classes.closedWho}>{approval.votes.length === 0 ? "nobody" : approval.votes.map((vote) => <Person key={vote.by} id={vote.by} />)}</span>
              <span className="quiet">
                <Ago at={approval.resolvedAt ?? approval.createdAt} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {hasNextPage ? (
        <Button variant="default" m={16} loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show older ones
        </Button>
      ) : null}
    </div>
  );
}
