import { describe, expect, test } from 'vitest';
import { redact, REDACTED_CHARS } from '../../src/backends/redact.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ';

describe('redact', () => {
  test.each([
    ['an OpenAI key', 'Incorrect API key provided: sk-proj-4fT_9dkfjq3oi-4jfoiq.', '4fT_9dkfjq3oi'],
    ['a half-masked key', 'Incorrect API key provided: sk-abc***********wxyz. You can find', 'wxyz'],
    ['a key of no known shape', 'Incorrect API key provided: 0123456789abcdef', '0123456789abcdef'],
    ['a bearer token', 'bad header Authorization: Bearer abc.def-ghi_jkl', 'abc.def'],
    ['a bare bearer token', 'got "Bearer 8a7b6c5d4e3f"', '8a7b6c5d4e3f'],
    ['a basic credential', 'authorization=Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
    ['an api-key header', 'request had api-key: 8ef6a2c1d9', '8ef6a2c1d9'],
    ['a subscription key', 'Ocp-Apim-Subscription-Key=00ff00ff', '00ff00ff'],
    ['a JWT', `token ${JWT} has expired`, 'eyJzdWIi'],
    ['the user of a URL', 'cannot reach https://bob:hunter2@host/v1', 'hunter2'],
    ['the query of a URL', 'cannot load https://h/blob?sig=Zm9v&se=2026', 'Zm9v'],
    ['a password', '{"password": "hunter2"}', 'hunter2'],
    ['a client secret', 'client_secret=aaaabbbbcccc', 'aaaabbbbcccc'],
    ['an AWS key', 'AKIAIOSFODNN7EXAMPLE is unknown', 'IOSFODNN7'],
  ])('masks %s', (_name, text, secret) => {
    const clean = redact(text);
    expect(clean).not.toContain(secret);
    expect(clean).toContain('[redacted]');
  });

  test('masks every given secret, in other spellings and inside longer ones too', () => {
    const secrets = ['pa ss/word', 'pa ss/word-2', 'ab'];
    const text = 'x pa ss/word-2 y PA SS/WORD z pa%20ss%2Fword about';
    expect(redact(text, secrets)).toBe('x [redacted] y [redacted] z [redacted] about');
  });

  test('takes secrets literally', () => {
    expect(redact('a+b (c) [d] $1', ['a+b (c)', '[d] $1'])).toBe('[redacted] [redacted]');
  });

  test.each([
    'Thread thread_X already has an active run run_Y.',
    'Runs in status "expired" do not accept tool outputs.',
    "Can't add messages to thread_X while a run run_Y is active.",
    "Expected tool outputs for call_ids ['a','b'], got ['a']",
    'Rate limit reached for gpt-5 on tokens per min. Limit: 30000. Please try again in 20s.',
    'See https://help.example.com/en/articles/5112595 for more.',
  ])('leaves "%s" as it is', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('cuts long quotations out, closed or not', () => {
    const prompt = 'my secret plan '.repeat(8);
    expect(redact(`Invalid value: "${prompt}" for content`)).toBe('Invalid value: "…" for content');
    expect(redact(`Invalid value: '${prompt}' for content`)).toBe("Invalid value: '…' for content");
    expect(redact(`Invalid value: "${prompt}`)).toBe('Invalid value: "…');
  });

  test('bounds its result, and puts it on one line', () => {
    const clean = redact(`a\n\tb\u0000${' word'.repeat(5_000)}`);
    expect(clean.startsWith('a b word')).toBe(true);
    expect(clean).toHaveLength(REDACTED_CHARS);
  });
});
