import type { Comparison } from "./usual";
import classes from "./shared.module.css";

/** One call beside what is usual, way by way. What is unusual is marked, and said. */
export function Compared({ rows }: { rows: readonly Comparison[] }) {
  return (
    <table className={classes.compared}>
      <thead>
        <tr><th><span className="sr">Of what</span></th><th>This time</th><th>Usually</th></tr>
      </thead>
      <tbody>
        {rows.map(({ of, now, usually, unusual }) => (
          <tr key={of} data-unusual={unusual || undefined}>
            <th scope="row">{of}</th>
            <td>{now}{unusual ? <span className="sr"> (unusual)</span> : null}</td>
            <td>{usually}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
