/** The door for services. Loads neither Temporal's native worker nor a provider's SDK. */
export { RunClient, RunHandle } from './client.ts';
export type { CancelOptions, RunClientOptions, RunDescription, RunListing, StartOptions } from './client.ts';
export { defineConfig } from './config.ts';
export type { AssistantConfig, BackendFactory, DroverConfig, SecretSource } from './config.ts';
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
export {
  DroverError,
  InvalidRequestError,
  isDroverError,
  isInvalidRequestError,
  isRunConflictError,
  isRunEndedError,
  isRunLostError,
  isRunNotFoundError,
  RunConflictError,
  RunEndedError,
  RunLostError,
  RunNotFoundError,
} from './errors.ts';
export type { LostCode, RunEnded, RunLost } from './errors.ts';
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
  Effect,
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
