/** A setup file of vitest: a test that prints fails, by what it printed. */
import { afterEach, beforeEach } from 'vitest';

const METHODS = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;
const printed: string[] = [];
const original = METHODS.map((method) => [method, console[method]] as const);

beforeEach(() => {
  printed.length = 0;
  for (const method of METHODS) {
    console[method] = (...values: unknown[]) =>
      void printed.push(`console.${method}: ${values.map(String).join(' ').slice(0, 500)}`);
  }
});

afterEach(() => {
  for (const [method, print] of original) console[method] = print;
  if (printed.length > 0) {
    throw new Error(`The test printed, and a test must not:\n${printed.join('\n')}\nAssert on it instead.`);
  }
});
