/** What the workflow bundle exports: every workflow type of Drover. */
export { driveRun } from './drive-run.ts';
export { giveTurns } from './give-turns.ts';
