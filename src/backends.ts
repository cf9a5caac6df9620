/** The door for configurations: what `backends` is made of. Loads the provider's SDK. */
export { assistants } from './backends/assistants.ts';
export type { AssistantsOptions } from './backends/assistants.ts';
export { BackendError, isBackendError } from './backends/backend.ts';
export type { Backend, BackendErrorKind, Capabilities, ProbeReport } from './backends/backend.ts';
export { responses } from './backends/responses.ts';
export type { ResponsesOptions } from './backends/responses.ts';
