/** Tells an error that says there is no such workflow. */
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';

/** gRPC's code of a missing workflow. */
const NOT_FOUND = 5;

/** Whether an error says that there is no such workflow. */
export function isMissing(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError) return true;
  const code: number | null = isGrpcServiceError(error) ? error.code : null;
  return code === NOT_FOUND;
}
