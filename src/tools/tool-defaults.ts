/** What a tool gets where its definition is silent. Milliseconds. */
export const TOOL_DEFAULTS = {
  startToCloseMs: 120_000,
  onceScheduleToStartMs: 300_000,
  heartbeatMs: 5_000,
  maximumAttempts: 3,
  initialIntervalMs: 1_000,
  backoffCoefficient: 2,
  maximumIntervalMs: 30_000,
} as const;
