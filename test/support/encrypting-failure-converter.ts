/** Puts messages and stack traces of failures where a codec encrypts them. Loaded by path, into the sandbox too. */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
