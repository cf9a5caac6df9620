/** What this worker knows of secrets, and takes out of all that its activities hand to Temporal. */
import { ApplicationFailure } from '@temporalio/common';
import type { SecretSource } from '../config.ts';
import { maskLiteralSecrets } from '../request-secrets.ts';
import type { Json } from '../run.ts';
import { createMask, MASK } from './tool-secrets.ts';

/** Vaults rotate: the newest values are remembered. */
const REMEMBERED = 500;

type Activity<I, O> = (input: I) => Promise<O>;

export class SecretKeeper {
  /** The configuration's secrets; whatever is read from them is remembered. */
  readonly source: SecretSource;
  readonly #values = new Set<string>();
  #mask = createMask([]);

  constructor(secrets: SecretSource) {
    for (const secret of Object.values(secrets)) if (typeof secret === 'string') this.#remember(secret);
    this.source = Object.fromEntries(
      Object.entries(secrets).map(([name, secret]) => [
        name,
        typeof secret === 'string' ? secret : async () => this.#remember(await secret()),
      ]),
    );
  }

  #remember(secret: string): string {
    if (this.#values.has(secret)) return secret;
    this.#values.add(secret);
    const [oldest] = this.#values;
    if (this.#values.size > REMEMBERED && oldest !== undefined) this.#values.delete(oldest);
    this.#mask = createMask([...this.#values]);
    return secret;
  }

  /** The text without the secrets that are known by now. */
  readonly mask = (text: string): string => this.#mask(text);

  /** The activity, with secrets masked in what it returns and in the failures it throws. */
  withhold<I, O>(act: Activity<I, O>): Activity<I, O> {
    return async (input) => {
      try {
        return this.#clean(await act(input));
      } catch (error) {
        throw error instanceof ApplicationFailure ? this.#cleanFailure(error) : error;
      }
    };
  }

  #clean<T>(value: T): T {
    const clean = (held: unknown, field: string): unknown => {
      if (typeof held === 'string') return this.#mask(held);
      if (typeof held !== 'object' || held === null) return held;
      if (Array.isArray(held)) {
        // A provider shows a run's tools as it was given them, headers and all.
        return held.map((one) => clean(field === 'tools' ? maskLiteralSecrets(one as Json, MASK) : one, ''));
      }
      return Object.fromEntries(Object.entries(held).map(([key, inner]) => [key, clean(inner, key)]));
    };
    return clean(value, '') as T;
  }

  #cleanFailure(failure: ApplicationFailure): ApplicationFailure {
    const { type, nonRetryable, details, nextRetryDelay, category, cause, stack } = failure;
    const clean = ApplicationFailure.create({
      message: this.#mask(failure.message),
      nonRetryable: nonRetryable ?? false,
      ...(type === undefined || type === null ? {} : { type }),
      ...(details === undefined || details === null ? {} : { details: this.#clean(details) }),
      ...(nextRetryDelay === undefined || nextRetryDelay === null ? {} : { nextRetryDelay }),
      ...(category === undefined || category === null ? {} : { category }),
      ...(cause === undefined ? {} : { cause }),
    });
    clean.stack = this.#mask(stack ?? '');
    return clean;
  }
}
