/** Tells errors that say there is no such workflow, or that it was closed before it had begun. */
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';

/** gRPC's code of a missing workflow. */
const NOT_FOUND = 5;

const STATUS_DETAILS = 'grpc-status-details-bin';
const NOT_READY = 'temporal.api.errordetails.v1.WorkflowNotReadyFailure';
const NO_NAMESPACE = 'temporal.api.errordetails.v1.NamespaceNotFoundFailure';

const hasDetail = (error: unknown, type: string): boolean =>
  isGrpcServiceError(error) && error.metadata.get(STATUS_DETAILS).some((held) => held.includes(type));

/** Whether an error says that there is no such workflow. That its namespace is missing says nothing of it. */
export function isMissing(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError) return true;
  const code: number | null = isGrpcServiceError(error) ? error.code : null;
  return code === NOT_FOUND && !hasDetail(error, NO_NAMESPACE);
}

/** Whether a query was refused because its workflow was closed before it had completed a task: nobody can tell what it did. */
export function isNeverBegun(error: unknown): boolean {
  return error instanceof Error && hasDetail(error.cause, NOT_READY);
}
