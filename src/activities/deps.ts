/** What the activities are built with. */
import type { LoadedConfig } from '../config.ts';
import type { WaitCensus } from './wait-census.ts';

export interface ActivityDeps {
  readonly config: LoadedConfig;
  /** Waits that keep a slot of this worker. */
  readonly holds: { count: number };
  /** Attempts that this worker waits for. */
  readonly waits: WaitCensus;
  /** Fires when the worker is told to stop: waits are handed back at once. */
  readonly shutdownSignal: AbortSignal;
  /** Whether the namespace knows Drover's search attributes. Never rejects. */
  readonly searchAttributesRegistered: () => Promise<boolean>;
}
