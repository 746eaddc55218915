import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { getAgentProfileOptions } from "../generated/@tanstack/react-query.gen";
import type { ProfileView, UsualView } from "../generated/types.gen";
import { share } from "../overview/statistics";
import { grouped } from "../shared/numbers";
import { Section } from "../shared/Page";
import { Failure } from "../shared/State";
import classes from "../shared/list.module.css";

const SHOWN = 12;

/** What the agent usually does: what the risk of its next call is compared with. */
export function Profile({ agent }: { agent: string }) {
  const { data, error, refetch } = useQuery(getAgentProfileOptions({ path: { id: agent } }));
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return null;
  return (
    <Section title="What is usual" aside={<span className="quiet num">learned from {grouped(data.observations)} successes</span>}>
      {data.types.length === 0 ? (
        <p className="quiet">
          Nothing is known yet. It is learned from actions that were allowed at once and reported as succeeded: see that the program reports outcomes.
        </p>
      ) : (
        <Types profile={data} agent={agent} />
      )}
      {data.types.length > 0 && data.observations < data.needed ? (
        <p className="quiet">After {data.needed} successes, what is rare, fast or large for this agent adds to the risk of a call.</p>
      ) : null}
    </Section>
  );
}

function Types({ profile, agent }: { profile: ProfileView; agent: string }) {
  return (
    <div className={classes.scroll}>
      <table className={classes.table}>
        <thead>
          <tr><th>Action</th><th>Share</th><th>Last hour</th><th>Usual hour</th><th>Usual size</th></tr>
        </thead>
        <tbody>
          {profile.types.slice(0, SHOWN).map((usual) => (
            <Type key={usual.type} usual={usual} all={profile.observations} agent={agent} />
          ))}
        </tbody>
      </table>
      {profile.types.length > SHOWN ? <p className="quiet">and {profile.types.length - SHOWN} rarer ones</p> : null}
    </div>
  );
}

function Type({ usual, all, agent }: { usual: UsualView; all: number; agent: string }) {
  const { type, observations, lastHour, usuallyBelowPerHour: pace, usuallySmallerThan: size } = usual;
  const fast = pace != null && lastHour >= 2 * pace;
  return (
    <tr>
      <td><Link to="/decisions" search={{ agent, type }} className="mono">{type}</Link></td>
      <td className="num" title={`${grouped(observations)} of ${grouped(all)}`}>{share(observations, all)}</td>
      <td className="num" data-tone={fast ? "block" : undefined}>{grouped(lastHour)}</td>
      <td className="num quiet">{pace == null ? "–" : `< ${grouped(pace)}`}</td>
      <td className="num quiet">{size == null ? "–" : `< ${grouped(Number(size))}`}</td>
    </tr>
  );
}
