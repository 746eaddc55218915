/** What an entry says, in one line. Entries are data of any version: what is not understood is shown by its kind. */
import { outcomeOf } from "../shared/words";

type Json = Record<string, unknown>;

const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const text = (value: unknown): string => (typeof value === "string" ? value : "");

export function timeOf(entry: unknown): string | undefined {
  const at = object(entry).at;
  return typeof at === "number" ? new Date(at / 1000).toISOString() : undefined;
}

export function kindOf(entry: unknown): { kind: string; says: string } {
  const { kind: name, body: value } = object(entry);
  const kind = text(name) || "unknown";
  const body = object(value);
  switch (kind) {
    case "decision":
    case "redemption": {
      const { label } = outcomeOf(text(object(body.decision).outcome));
      return { kind, says: `${label}: ${text(object(body.action).type) || "no call"} on ${text(body.target) || "nothing"}` };
    }
    case "vote":
      return { kind, says: `${text(body.by) || "somebody"} ${text(body.verdict) === "deny" ? "denied" : "approved"} ${text(body.approval) || text(body.id)}` };
    case "outcome":
      return { kind, says: `${text(body.status) || "reported"} ${text(body.requestId)}` };
    case "control":
      return { kind, says: [text(body.change).replaceAll("_", " "), text(body.by) && `by ${text(body.by)}`].filter(Boolean).join(" ") };
    default:
      return { kind, says: text(body.change) || text(body.reason) || text(body.state) };
  }
}
