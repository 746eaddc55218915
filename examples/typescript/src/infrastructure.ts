/** An agent that runs servers. Its policy is the infrastructure pack. */
import type { Program } from "./program.js";

export const infrastructure: Program = {
  domain: "infrastructure",
  steps: (runplane, cloud) => {
    const machine = { instanceId: "i-17" };
    const canary = { service: "web", environment: "production", percent: 10 };
    const everything = { service: "web", environment: "production", percent: 100 };
    const openSsh = { groupId: "sg-1", ingress: "0.0.0.0/0:22" };
    return [
      {
        wish: "inspect a machine",
        expect: "ran",
        act: () => runplane.guard("inspect_resource", "aws", machine, () => cloud.call("describe", machine)),
      },
      {
        wish: "deploy to a tenth of production",
        expect: "ran",
        act: () => runplane.guard("deploy_service", "kubernetes", canary, () => cloud.call("rollout", canary)),
      },
      {
        wish: "deploy to all of production",
        expect: "ran",
        person: "approves",
        act: () => runplane.guard("deploy_service", "kubernetes", everything, () => cloud.call("rollout", everything)),
      },
      {
        wish: "terminate a machine",
        expect: "ran",
        person: "approves",
        act: () => runplane.guard("terminate_instance", "aws", machine, () => cloud.call("terminate", machine)),
      },
      {
        wish: "open SSH to the world",
        expect: "denied",
        person: "denies",
        act: () => runplane.guard("modify_security", "aws", openSsh, () => cloud.call("authorize-ingress", openSsh)),
      },
    ];
  },
};
