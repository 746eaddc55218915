import type { FactorView } from "../generated/types.gen";
import { Severity } from "./Badge";
import classes from "./shared.module.css";

/** The score as one bar made of its factors, each with its sentence. */
export function Risk({ score, severity, factors }: { score: number; severity: string; factors: readonly FactorView[] }) {
  return (
    <div className={classes.risk}>
      <div className={classes.riskHead}>
        <strong className="num">{score}</strong>
        <span className="quiet">of 100</span>
        <Severity severity={severity} />
      </div>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" className={classes.riskBar} role="img" aria-label={`Risk ${score} of 100`}>
        <rect width="100" height="4" className={classes.riskTrack} />
        {factors.map((factor, index) => {
          const start = factors.slice(0, index).reduce((sum, before) => sum + before.points, 0);
          return <rect key={factor.name} x={start + (index > 0 ? 0.3 : 0)} width={Math.max(0, factor.points - 0.3)} height="4" data-factor={index % 5} />;
        })}
        {[25, 50, 75].map((band) => (
          <line key={band} x1={band} x2={band} y1="0" y2="4" className={classes.riskBand} />
        ))}
      </svg>
      <ul className={classes.factors}>
        {factors.map((factor, index) => (
          <li key={factor.name}>
            <i data-factor={index % 5} aria-hidden />
            <span className="num">{factor.points > 0 ? `+${factor.points}` : factor.points}</span>
            <span>
              <Ticked text={factor.sentence} /> <span className="quiet">{factor.name}</span>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A sentence of the server: what stands in back-ticks is data. */
export function Ticked({ text }: { text: string }) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
