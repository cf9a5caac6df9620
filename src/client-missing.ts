/** Tells errors that say there is no such workflow, or that it was closed before it had begun. */
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';

/** gRPC's code of a missing workflow. */
const NOT_FOUND = 5;

/** Whether an error says that there is no such workflow. */
export function isMissing(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError) return true;
  const code: number | null = isGrpcServiceError(error) ? error.code : null;
  return code === NOT_FOUND;
}

const STATUS_DETAILS = 'grpc-status-details-bin';
const NOT_READY = 'temporal.api.errordetails.v1.WorkflowNotReadyFailure';

/** Whether a query was refused because its workflow was closed before it had completed a task: nobody can tell what it did. */
export function isNeverBegun(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : null;
  return (
    isGrpcServiceError(cause) && cause.metadata.get(STATUS_DETAILS).some((held) => held.includes(NOT_READY))
  );
}
