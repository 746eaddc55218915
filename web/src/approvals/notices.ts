/** Tells somebody who looks elsewhere, and who may decide, that an action waits. */
import { useEffect } from "react";
import { onApproval, type ApprovalEvent } from "../api/live";
import { queries } from "../api/queries";
import { getApprovalOptions } from "../generated/@tanstack/react-query.gen";

export type Consent = "granted" | "denied" | "default" | "unsupported";

/** Found out once: Chrome on Android has the interface and refuses to make one ("Illegal constructor"). */
let makable: boolean | undefined;

/**
 * Whether a page may make notifications by itself. It can only be tried, and only before somebody has consented: until then a
 * notice that is made is not shown.
 */
function isMakable(): boolean {
  if (makable === undefined && Notification.permission !== "granted") {
    try {
      new Notification("").close();
      makable = true;
    } catch {
      makable = false;
    }
  }
  return makable ?? true;
}

export function consent(): Consent {
  if (typeof Notification === "undefined" || !isMakable()) return "unsupported";
  return Notification.permission;
}

/** Where none can be made, the number in the title is all there is. */
function show(title: string, options: NotificationOptions): Notification | undefined {
  try {
    return new Notification(title, options);
  } catch {
    makable = false;
    return undefined;
  }
}

/** Whether this person's vote would count. Without an answer they are told: one notice too many is better than one too few. */
async function mayDecide(id: string): Promise<boolean> {
  try {
    return (await queries.fetchQuery(getApprovalOptions({ path: { id } }))).canDecide !== false;
  } catch {
    return true;
  }
}

async function tell(event: ApprovalEvent): Promise<void> {
  if (event.change !== "opened" || !document.hidden || consent() !== "granted" || !(await mayDecide(event.approvalId))) return;
  const agent = event.agent.name ?? event.agent.id;
  // SECURITY: nothing of the action's content: a lock screen shows this to anybody.
  const notice = show("An action waits for you", { body: `${agent} asks for approval`, tag: event.approvalId, icon: "/icon.svg" });
  if (notice === undefined) return;
  notice.onclick = () => {
    window.focus();
    window.location.assign(`/approvals/${event.approvalId}`);
  };
}

export function useApprovalNotices(wanted: boolean): void {
  useEffect(() => (wanted ? onApproval((event) => void tell(event)) : undefined), [wanted]);
}
