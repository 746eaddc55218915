/** An agent in the back office. Its policy is the enterprise pack. */
import type { Program } from "./program.js";

export const enterprise: Program = {
  domain: "enterprise",
  steps: (runplane, office) => {
    const offer = { template: "offer" };
    const contract = { recordType: "contract", recordId: "c_1" };
    const note = { recordType: "note", recordId: "n_1" };
    const report = { destination: "internal", rows: 100 };
    const leak = { destination: "external", rows: 100 };
    const request = { requestId: "r_1" };
    return [
      {
        wish: "generate a document",
        expect: "ran",
        act: () => runplane.guard("generate_document", "docs", offer, () => office.call("generate", offer)),
      },
      {
        wish: "change a note",
        expect: "ran",
        act: () => runplane.guard("modify_record", "crm", note, () => office.call("update", note)),
      },
      {
        wish: "export 100 rows inside the company",
        expect: "ran",
        act: () => runplane.guard("export_data", "warehouse", report, () => office.call("export", report)),
      },
      {
        wish: "change a contract",
        expect: "ran",
        person: "approves",
        act: () => runplane.guard("modify_record", "crm", contract, () => office.call("update", contract)),
      },
      {
        wish: "approve somebody's request",
        expect: "denied",
        person: "denies",
        act: () => runplane.guard("approve_request", "workday", request, () => office.call("approve", request)),
      },
      {
        wish: "export 100 rows to the outside",
        expect: "blocked",
        act: () => runplane.guard("export_data", "warehouse", leak, () => office.call("export", leak)),
      },
    ];
  },
};
