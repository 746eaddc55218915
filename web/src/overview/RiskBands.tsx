import { grouped } from "../shared/numbers";
import { sum, type Statistics } from "./statistics";
import classes from "./overview.module.css";

/** How risky what was asked was, in ten bands, by what became of it. */
export function RiskBands({ bands }: { bands: Statistics["risk"] }) {
  const most = Math.max(1, ...bands.map(sum));
  return (
    <section className={classes.card}>
      <div className={classes.head}>
        <h2>Risk</h2>
        <span className="quiet">score 0 to 100</span>
      </div>
      <ul className={classes.bands}>
        {bands.map((band) => (
          <li key={band.from} title={`risk ${band.from} to ${band.to}: ${grouped(sum(band))} decisions`}>
            <span className={classes.column}>
              <span className="sr">{`risk ${band.from} to ${band.to}: ${sum(band)} decisions`}</span>
              <i data-tone="block" style={{ height: `${(100 * band.block) / most}%` }} />
              <i data-tone="hold" style={{ height: `${(100 * band.requireApproval) / most}%` }} />
              <i data-tone="allow" style={{ height: `${(100 * band.allow) / most}%` }} />
            </span>
            <small className="num" aria-hidden>{band.from}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
