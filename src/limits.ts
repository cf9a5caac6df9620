/** What Drover checks, and what holds where nobody says anything. */

/**
 * Every limit that Drover checks, in one table. Bytes are UTF-8 bytes of the JSON, characters are
 * UTF-16 units. The wire's own limits come from the OpenAPI description (`CreateRunRequest`).
 */
export const LIMITS = {
  /** The wire allows 16 pairs; Drover's own two leave 14, on both wires. */
  metadataPairs: 14,
  metadataKeyChars: 64,
  metadataValueChars: 512,
  /** A workflow id of more than 512 characters would not fit into a metadata value. */
  runIdChars: 512,
  instructionsChars: 256_000,
  tools: 128,
  toolNameChars: 64,
  minTokens: 256,
  inputMessages: 1_000,
  dataUrlBytes: 128 * 1024,
  contextBytes: 32 * 1024,
  /** A request crosses Temporal as one payload (its limit: 2 MiB). */
  requestBytes: 1_500_000,
  argumentsBytes: 256 * 1024,
  outputBytes: 64 * 1024,
  maxOutputBytes: 256 * 1024,
  roundOutputBytes: 1024 * 1024,
  resultBytes: 1_500_000,
  /** Request and state of a run that continues as new, together: a codec may make a third more of it. */
  continueBytes: 1_500_000,
  /** Two events each, of which Temporal's server holds back 100 at most while a workflow task runs. */
  callsInFlight: 48,
  callsPerRound: 512,
  searchAttributeChars: 255,
} as const;

/** Defaults of a run's own limits; a request and the configuration may say otherwise. */
export const DEFAULTS = {
  deadlineSeconds: 3_600,
  attempts: 3,
  rounds: 32,
  /** A larger token budget after `incomplete` is this many times the last one, up to the ceiling. */
  budgetFactor: 2,
  budgetCeilingTokens: 128_000,
  backoffSeconds: 2,
  maxBackoffSeconds: 60,
  /** How long a tool that no worker of its queue has is dispatched again before the model is told. */
  missingToolSeconds: 300,
  /** How long a call waits for a person before it is settled without one: a week. */
  decisionSeconds: 604_800,
  /** How long a run waits for its turn on its thread: a day. */
  turnSeconds: 86_400,
  /** How long a worker that died holds up a step that it was in: Temporal's workflow task timeout. */
  workflowTaskSeconds: 5,
} as const;
