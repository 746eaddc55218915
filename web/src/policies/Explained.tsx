import { Badge, OutcomeBadge, Severity } from "../shared/Badge";
import { Json } from "../shared/Json";
import { Risk, Ticked } from "../shared/Risk";
import type { Explanation, RuleTrace } from "./api";
import classes from "./policies.module.css";

const STANDING: Record<RuleTrace["standing"], string> = {
  matched: "matched", suspected: "suspected: its condition has no value", near: "nearly", unmatched: "not matched", out_of_scope: "not about this call",
};
const SHOWN: readonly RuleTrace["standing"][] = ["matched", "suspected", "near"];

/** What would be decided, and what each rule said to it. */
export function Explained({ explanation }: { explanation: Explanation }) {
  const { decision, call, rules, readings = {}, omitted = 0 } = explanation;
  const first = rules.filter(({ standing }) => SHOWN.includes(standing));
  const rest = rules.filter(({ standing }) => !SHOWN.includes(standing));
  return (
    <div className={classes.explained}>
      <div className={classes.result} data-outcome={decision.outcome} role="status">
        <OutcomeBadge decision={decision.outcome} />
        <span>
          <Ticked text={decision.reason} />
        </span>
        <code className="quiet">{decision.matchedRule}</code>
        <Severity severity={decision.severity} score={decision.risk.score} />
      </div>
      <p className="quiet">
        {call.types.length > 1 ? <>Counts as <code>{call.types.join(", ")}</code> in {call.environment}. </> : <>Takes effect in {call.environment}. </>}
        {explanation.basis.says.charAt(0).toUpperCase() + explanation.basis.says.slice(1)}.
      </p>
      <ul className={classes.traces}>
        {first.map((rule) => (
          <Trace key={rule.rule} rule={rule} />
        ))}
      </ul>
      {rest.length === 0 ? null : (
        <details>
          <summary>{rest.length + omitted} rules that had no say</summary>
          <ul className={classes.traces}>
            {rest.map((rule) => (
              <Trace key={rule.rule} rule={rule} />
            ))}
          </ul>
        </details>
      )}
      <details>
        <summary>Risk {decision.risk.score}</summary>
        <Risk score={decision.risk.score} severity={decision.risk.severity} factors={decision.risk.factors} />
      </details>
      {Object.keys(readings).length === 0 ? null : (
        <details>
          <summary>What inspectors read</summary>
          <Json value={readings} what="readings" />
        </details>
      )}
    </div>
  );
}

function Trace({ rule }: { rule: RuleTrace }) {
  return (
    <li data-standing={rule.standing}>
      <div className={classes.traceHead}>
        <code>{rule.rule}</code>
        {rule.decides ? <Badge tone="accent">decided</Badge> : null}
        {rule.shadow ? <Badge>shadow</Badge> : null}
        <span className="quiet">{STANDING[rule.standing]}</span>
        {rule.does == null ? null : <OutcomeBadge decision={rule.does} />}
      </div>
      {rule.says == null || rule.says === "" ? null : <p className="quiet"><Ticked text={rule.says} /></p>}
      {(rule.parts ?? []).length === 0 ? null : (
        <ul className={classes.parts}>
          {(rule.parts ?? []).map((part, place) => (
            <li key={place} data-result={part.result}>
              <span>{part.result.replaceAll("_", " ")}</span>
              <code>{part.text}</code>
              <span className="quiet">{Object.entries(part.found ?? {}).map(([name, value]) => `${name} = ${value}`).join(", ") || (part.result === "error" ? part.says : "")}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
