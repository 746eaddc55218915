/** A call to start trying with: the first action the policy is about, with its fields filled. Pure. */
import type { CatalogueView, ContextFieldView } from "../generated/types.gen";
import type { Call } from "./api";

const TARGETS: Record<string, string> = { payments: "stripe", database: "orders-db", infrastructure: "aws", communication: "slack", integrations: "github", enterprise: "crm" };

export function exampleFor(yaml: string, catalogue: CatalogueView | undefined): Call["action"] {
  const named = [...yaml.matchAll(/\baction:\s*\[?\s*["']?([a-z][\w]*)/g)].map(([, name]) => name);
  const actions = catalogue?.actions ?? [];
  const action = actions.find(({ name, effect }) => named.includes(name) && effect !== "read") ?? actions.find(({ name }) => named.includes(name));
  if (action === undefined) return { type: named[0] ?? "process_refund", target: "stripe", context: { amount: 800, currency: "usd" } };
  const wanted = action.fields.filter(({ required, effective }) => required || effective).slice(0, 4);
  const fields = wanted.length > 0 ? wanted : action.fields.slice(0, 2);
  return { type: action.name, target: TARGETS[action.domain] ?? "example", context: Object.fromEntries(fields.map((field) => [field.name, valueFor(field)])) };
}

function valueFor({ kind, unit, name }: ContextFieldView): unknown {
  if (kind === "number") return unit === "percent" ? 100 : unit === "money" ? 800 : 10;
  if (kind === "bool") return true;
  if (kind === "list") return [name === "to" ? "mara@customer.example" : "one"];
  if (kind === "object") return {};
  if (/sql|query|statement/i.test(name)) return "SELECT id FROM orders LIMIT 10";
  if (/url/i.test(name)) return "https://api.example.com/v1/items";
  return name === "currency" ? "usd" : "example";
}
