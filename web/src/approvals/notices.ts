/** Tells somebody who looks elsewhere that an action waits. */
import { useEffect } from "react";
import { onApproval } from "../api/live";

export type Consent = "granted" | "denied" | "default" | "unsupported";

export function consent(): Consent {
  return typeof Notification === "undefined" ? "unsupported" : Notification.permission;
}

export function useApprovalNotices(): void {
  useEffect(
    () =>
      onApproval((event) => {
        if (event.change !== "opened" || !document.hidden || consent() !== "granted") return;
        const agent = event.agent.name ?? event.agent.id;
        // SECURITY: nothing of the action's content: a lock screen shows this to anybody.
        const notice = new Notification("An action waits for you", { body: `${agent} asks for approval`, tag: event.approvalId, icon: "/icon.svg" });
        notice.onclick = () => {
          window.focus();
          window.location.assign(`/approvals/${event.approvalId}`);
        };
      }),
    [],
  );
}
