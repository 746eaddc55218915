import { useQuery } from "@tanstack/react-query";
import { Hourglass } from "lucide-react";
import { listLimitsOptions } from "../generated/@tanstack/react-query.gen";
import { grouped, plural } from "./numbers";
import classes from "./shared.module.css";

/** While new limits and questions about the past still count it: how far that is, and what holds meanwhile. */
export function Filling() {
  const { data } = useQuery({
    ...listLimitsOptions({ query: { limit: 7 } }),
    refetchInterval: ({ state }) => (state.data?.filling == null ? 30_000 : 1_000),
  });
  const filling = data?.filling;
  if (filling == null) return null;
  const { counters, of, read } = filling;
  return (
    <div className={classes.filling} role="status">
      <Hourglass size={15} aria-hidden />
      <div>
        <b>The past is being counted for {plural(counters, "new counter")}.</b> Until then, rules that need {counters === 1 ? "it" : "them"} hold for a person.
        {of > 0 ? <label><progress value={read} max={of} /> <span className="num quiet">{grouped(read)} of {grouped(of)} entries</span></label> : null}
      </div>
    </div>
  );
}
