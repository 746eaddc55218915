/** An agent at a payment desk. Its policy is the payments pack. */
import type { Program } from "./program.js";

export const payments: Program = {
  domain: "payments",
  steps: (runplane, stripe) => {
    const coffee = { amount: 200, currency: "usd" };
    const machine = { amount: 5_000, currency: "usd" };
    const building = { amount: 60_000, currency: "usd" };
    const refund = { amount: 800, currency: "usd", charge: "ch_17" };
    return [
      {
        wish: "look at the balance",
        expect: "ran",
        act: () => runplane.guard("read_balance", "stripe", {}, () => stripe.call("balance.retrieve", {})),
      },
      {
        wish: "charge 200 dollars",
        expect: "ran",
        act: () => runplane.guard("create_charge", "stripe", coffee, () => stripe.call("charges.create", coffee)),
      },
      {
        wish: "charge 5,000 dollars",
        expect: "ran",
        person: "approves",
        act: () => runplane.guard("create_charge", "stripe", machine, () => stripe.call("charges.create", machine)),
      },
      {
        wish: "refund 800 dollars",
        expect: "denied",
        person: "denies",
        act: () => runplane.guard("process_refund", "stripe", refund, () => stripe.call("refunds.create", refund)),
      },
      {
        wish: "charge 60,000 dollars",
        expect: "blocked",
        act: () => runplane.guard("create_charge", "stripe", building, () => stripe.call("charges.create", building)),
      },
    ];
  },
};
