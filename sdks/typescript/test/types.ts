/**
 * Programs in the documented forms, old and new. Nothing runs here: they only have to compile against the published types.
 */
import {
  type ApprovalStatus,
  type AuditVerification,
  type Decision,
  GuardBlockedError,
  GuardDeniedError,
  Runplane,
  RunplaneError,
  type RunplaneOptions,
  Shield,
  ShieldError,
  type ShieldErrorCode,
  type ShieldOptions,
} from "runplane";

interface Receipt {
  id: string;
}

export async function current(charge: () => Promise<Receipt>): Promise<Receipt> {
  const options: ShieldOptions = {
    baseUrl: "http://127.0.0.1:7070",
    apiKey: "rpk_key",
    timeoutMs: 3_000,
    failMode: "closed",
    approvalTimeoutMs: 300_000,
    approvalPollIntervalMs: 2_000,
  };
  const shield = new Shield(options);
  const receipt: Receipt = await shield.guard("create_charge", "stripe", { amount: 200 }, charge);
  const plain: number = await shield.guard("read_balance", "stripe", null, () => 7);
  const decision: Decision = await shield.decide({ actionType: "create_charge", target: "stripe", requestId: "r-1" });
  if (decision.decision === "REQUIRE_APPROVAL" && decision.approvalId !== null) {
    const status: ApprovalStatus = await shield.pollApproval(decision.approvalId);
    if (status.status === "approved") await shield.redeem(decision.approvalId, "once");
  }
  const audit: AuditVerification = await shield.verifyAuditChain();
  return audit.valid && plain > 0 ? receipt : charge();
}

export async function older(charge: () => Promise<Receipt>): Promise<Receipt | undefined> {
  const options: RunplaneOptions = { apiKey: "rpk_key" };
  const runplane: Runplane = new Runplane(options);
  await runplane.decide({ action: "create_charge", target: "stripe", context: { amount: 200 } });
  try {
    return await runplane.guard("create_charge", "stripe", { amount: 200 }, charge);
  } catch (error) {
    if (error instanceof GuardBlockedError || error instanceof GuardDeniedError) return undefined;
    if (error instanceof RunplaneError && error instanceof ShieldError) {
      const code: ShieldErrorCode = error.code;
      const requestId: string | undefined = error.requestId;
      throw new Error(`${code} ${requestId ?? ""}`, { cause: error });
    }
    throw error;
  }
}

export async function refused(shield: Shield): Promise<void> {
  // @ts-expect-error a misspelt fail mode does not compile
  new Shield({ apiKey: "k", failMode: "opened" });
  // @ts-expect-error `decide` needs an action
  await shield.decide({ target: "stripe" });
  // @ts-expect-error the result keeps the callback's type
  const text: string = await shield.guard("read_balance", "stripe", null, () => 7);
  void text;
}
