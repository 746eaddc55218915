import { Link } from "@tanstack/react-router";
import { compact, grouped } from "../shared/numbers";
import { sum, type Statistics } from "./statistics";
import classes from "./overview.module.css";

/** How risky what was asked was, in ten bands, by what became of it. */
export function RiskBands({ bands, range }: { bands: Statistics["risk"]; range: string }) {
  const most = Math.max(1, ...bands.map(sum));
  return (
    <section className={classes.card}>
      <div className={classes.head}>
        <h2>Risk</h2>
        <span className="quiet">score 0 to 100</span>
      </div>
      <div className={classes.banded}>
        <div className={classes.levels} aria-hidden>
          {[1, 0.5, 0].map((part) => <span key={part} className="num">{compact(Math.round(most * part))}</span>)}
        </div>
        <ul className={classes.bands}>
          {bands.map((band) => (
            <li key={band.from} title={`risk ${band.from} to ${band.to}: ${grouped(sum(band))} decisions`}>
              <Link to="/decisions" search={{ range, risk: `${band.from}-${band.to}` }} className={classes.column}>
                <span className="sr">{`risk ${band.from} to ${band.to}: ${sum(band)} decisions`}</span>
                <i data-tone="block" style={{ height: `${(100 * band.block) / most}%` }} />
                <i data-tone="hold" style={{ height: `${(100 * band.requireApproval) / most}%` }} />
                <i data-tone="allow" style={{ height: `${(100 * band.allow) / most}%` }} />
              </Link>
              <small className="num" aria-hidden>{band.from}</small>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
