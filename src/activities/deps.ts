/** What the activities are built with. */
import type { LoadedConfig } from '../config.ts';

export interface ActivityDeps {
  readonly config: LoadedConfig;
  /** Fires when the worker is told to stop: waits are handed back at once. */
  readonly shutdownSignal: AbortSignal;
  /** Whether the namespace knows Drover's search attributes. Never rejects. */
  readonly searchAttributesRegistered: () => Promise<boolean>;
}
