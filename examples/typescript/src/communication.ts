/** An agent that writes to people. Its policy is the communication pack; `slack` is registered as internal. */
import type { Program } from "./program.js";

export const communication: Program = {
  domain: "communication",
  steps: (runplane, outbox) => {
    const note = { channel: "#deploys", text: "done" };
    const code = { to: "+15550100", body: "your code is on its way" };
    const offer = { to: ["someone@customer.example"], subject: "offer", body: "as agreed" };
    const sale = { audience: "all-users", text: "everything must go" };
    return [
      {
        wish: "post to an internal channel",
        expect: "ran",
        act: () => runplane.guard("post_message", "slack", note, () => outbox.call("post", note)),
      },
      {
        wish: "write to a customer",
        expect: "ran",
        person: "approves",
        act: () => runplane.guard("send_email", "smtp", offer, () => outbox.call("mail", offer)),
      },
      {
        wish: "send a text message",
        expect: "denied",
        person: "denies",
        act: () => runplane.guard("send_sms", "twilio", code, () => outbox.call("sms", code)),
      },
      {
        wish: "notify every user",
        expect: "denied",
        person: "denies",
        act: () => runplane.guard("broadcast_notification", "push", sale, () => outbox.call("broadcast", sale)),
      },
    ];
  },
};
