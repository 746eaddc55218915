/**
 * Runplane for TypeScript and JavaScript: put every action of an agent through the control plane before it runs.
 *
 * `Runplane` and `RunplaneError` are the same classes as `Shield` and `ShieldError`.
 */
export type {
  ApprovalStatus,
  LimitUse,
  AuditVerification,
  Decision,
  ExecutionStatus,
  Outcome,
  OutcomeRecord,
} from "./answers.js";
export { type ActionDetails, type Context, type DecideRequest, Shield, Shield as Runplane } from "./client.js";
export {
  GuardBlockedError,
  GuardDeniedError,
  ShieldError,
  ShieldError as RunplaneError,
  type ShieldErrorCode,
  type ShieldErrorCode as RunplaneErrorCode,
  type ShieldErrorFacts,
} from "./errors.js";
export type { FailMode, ShieldOptions, ShieldOptions as RunplaneOptions } from "./options.js";
export { VERSION } from "./version.js";
