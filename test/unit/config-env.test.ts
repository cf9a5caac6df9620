import { describe, expect, test } from 'vitest';
import { isConfigError } from '../../src/config-error.ts';
import { ENVIRONMENT, readEnvironment, surveyEnvironment } from '../../src/env.ts';

describe('readEnvironment', () => {
  test('has a default for everything', () => {
    expect(readEnvironment({})).toEqual({
      configPath: undefined,
      taskQueue: undefined,
      logLevel: 'info',
      logFormat: undefined,
      connectSeconds: 15,
      metrics: undefined,
      temporalCli: undefined,
      cacheDir: undefined,
      emulatorUrl: 'http://127.0.0.1:8787/v1',
      toolJournal: undefined,
      unknown: [],
    });
  });

  test('takes an empty variable for an unset one', () => {
    const empty = Object.fromEntries(Object.keys(ENVIRONMENT).map((name) => [name, '']));
    expect(readEnvironment(empty)).toEqual(readEnvironment({}));
  });

  test('reads each variable', () => {
    const read = readEnvironment({
      DROVER_CONFIG: 'a.ts',
      DROVER_TASK_QUEUE: 'queue',
      DROVER_LOG_LEVEL: 'warn',
      DROVER_LOG_FORMAT: 'json',
      DROVER_CONNECT_SECONDS: '0',
      DROVER_METRICS: '[::1]:9464',
      DROVER_TEMPORAL_CLI: '/opt/temporal',
      DROVER_CACHE_DIR: '/cache',
      DROVER_EMULATOR_URL: 'http://emulator:8787/v1/',
      DROVER_TOOL_JOURNAL: 'journal',
      HOME: '/root',
    });
    expect(read).toMatchObject({
      configPath: 'a.ts',
      taskQueue: 'queue',
      logLevel: 'warn',
      logFormat: 'json',
      connectSeconds: 0,
      metrics: '[::1]:9464',
      emulatorUrl: 'http://emulator:8787/v1',
      unknown: [],
    });
  });

  test('reports every mistake at once, by the name of the variable', () => {
    const wrong = {
      DROVER_LOG_LEVEL: 'loud',
      DROVER_LOG_FORMAT: 'xml',
      DROVER_CONNECT_SECONDS: '-1',
      DROVER_METRICS: '9464',
      DROVER_EMULATOR_URL: 'ftp://x',
    };
    let caught: unknown;
    try {
      readEnvironment(wrong);
    } catch (error) {
      caught = error;
    }
    expect(isConfigError(caught) && caught.issues.map(({ field }) => field)).toEqual(Object.keys(wrong));
    expect(String(caught)).toContain('The environment has 5 mistakes');
  });

  test('a survey tells the mistakes and reads all the rest', () => {
    const { environment, issues } = surveyEnvironment({
      DROVER_LOG_LEVEL: 'loud',
      DROVER_CONFIG: 'a.ts',
      DROVER_TASK_QUEUE: 'queue',
    });
    expect(issues.map(({ field, value }) => [field, value])).toEqual([['DROVER_LOG_LEVEL', 'loud']]);
    expect(environment).toEqual({ ...readEnvironment({}), configPath: 'a.ts', taskQueue: 'queue' });
  });

  test('names variables that are most likely misspelt', () => {
    expect(readEnvironment({ DROVER_LOGLEVEL: 'info', DROVER_TEST_ADDRESS: 'x' }).unknown).toEqual([
      'DROVER_LOGLEVEL',
    ]);
  });
});
