/** The door for services. Loads neither Temporal's native worker nor a provider's SDK. */
export { RunClient, RunHandle } from './client.ts';
export type {
  CallShown,
  CancelOptions,
  DecisionWords,
  RetryOptions,
  RunClientOptions,
  RunDescription,
  RunListing,
  StartOptions,
  WaitingRun,
  WatchOptions,
} from './client.ts';
export { defineConfig } from './config.ts';
export type {
  AssistantConfig,
  AuthorizeDecision,
  BackendFactory,
  Ceilings,
  DroverConfig,
  Price,
  SecretSource,
} from './config.ts';
export { DEFAULTS, LIMITS, METADATA_KEYS, NAMES } from './contract.ts';
export type {
  AttemptReason,
  AttemptResult,
  FilePart,
  ImageFilePart,
  ImageUrlPart,
  InputMessage,
  InputPart,
  Issue,
  OutputMessage,
  RetryPolicy,
  RunLimits,
  RunProgress,
  RunRequest,
  RunResult,
  SettleEffect,
  TextPart,
  ToolCallResult,
  ToolCallStatus,
  Warning,
} from './contract.ts';
export type {
  Decision,
  DecisionOutcome,
  DecisionRecord,
  DecisionRefusal,
  WaitingCall,
  WaitKind,
} from './decisions.ts';
export { InvalidOffsetError, InvalidOutputError } from './client-errors.ts';
export { structured } from './client-structured.ts';
export type { Structured } from './client-structured.ts';
export type { RunEvent, RunEventType } from './run-events.ts';
export type { BusyThread } from './turns.ts';
export {
  DecisionRefusedError,
  DroverError,
  InvalidRequestError,
  isDecisionRefusedError,
  isDroverError,
  isInvalidRequestError,
  isRunConflictError,
  isRunEndedError,
  isRunLostError,
  isRunNotFoundError,
  isRunNotRetryableError,
  RunConflictError,
  RunEndedError,
  RunLostError,
  RunNotFoundError,
  RunNotRetryableError,
} from './errors.ts';
export type { LostCode, NotRetryableCode, RunEnded, RunLost } from './errors.ts';
export { FAILURES, isEndCode } from './failures.ts';
export type { EndCode, FailureKind } from './failures.ts';
export { checkRunRequest, parseRunRequest, requestDigest } from './request.ts';
export type { CheckedRequest } from './request.ts';
export { incompleteReason, isKnownStatus, isTerminal, pendingCalls, RUN_STATUSES } from './run.ts';
export type {
  FunctionToolCall,
  IncompleteReason,
  Json,
  JsonObject,
  LastError,
  RequiredAction,
  RunObject,
  RunStatus,
  RunUsage,
  WireStatus,
} from './run.ts';
export { SEARCH_ATTRIBUTES } from './search-attributes.ts';
export type { ToolInput } from './steps.ts';
export { defineRemoteTool, defineTool } from './tools/define-tool.ts';
export type {
  AnyTool,
  DecisionLimit,
  Effect,
  ExternalTool,
  ExternalToolOptions,
  LookupResult,
  OnUnknown,
  RemoteTool,
  RemoteToolOptions,
  Tool,
  ToolActivity,
  ToolContext,
  ToolOptions,
} from './tools/define-tool.ts';
export { isToolError, ToolError } from './tools/tool-error.ts';
