/** Options of a Responses backend that do not go together, all mistakes at once. */
import { expect, test } from 'vitest';
import { responses } from '../../src/backends.ts';

test('what needs the background is refused in the foreground, and an empty secret everywhere', () => {
  const make = (options: Parameters<typeof responses>[0]) => () => responses(options)('openai');
  expect(make({ mode: 'foreground', stream: true, webhookSecret: 'whsec_AAAA' })).toThrow(
    /^Backend openai: `stream` needs .*; `webhookSecret` needs .*\.$/,
  );
  expect(make({ webhookSecret: ' ' })).toThrow('`webhookSecret` is empty');
  expect(make({ stream: true, webhookSecret: 'whsec_AAAA' })).not.toThrow();
});

test('only a backend that was told so listens or has webhooks', () => {
  expect(responses()('openai')).not.toHaveProperty('listen');
  expect(responses()('openai')).not.toHaveProperty('webhooks');
  expect(responses({ stream: true })('openai')).toHaveProperty('listen');
  expect(responses({ webhookSecret: 'whsec_AAAA' })('openai')).toHaveProperty('webhooks');
});
