import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { approvalOf, effectOf, fits } from '../../src/mcp/mcp-options.ts';
import { outputOf } from '../../src/mcp/mcp-output.ts';
import { isAnswer, refusalOf } from '../../src/mcp/mcp-refusal.ts';

describe('what an MCP tool may do', () => {
  test('a pattern stands for names: * for anything, all else for itself', () => {
    expect(fits('get_order', 'get_*')).toBe(true);
    expect(fits('get_order', '*')).toBe(true);
    expect(fits('forget_order', 'get_*')).toBe(false);
    expect(fits('get.order', 'get_order')).toBe(false);
    expect(fits('a.b', 'a.b')).toBe(true);
    expect(fits('axb', 'a.b')).toBe(false);
  });

  test('acts once, unless a pattern says otherwise, or hints that are believed', () => {
    const hints = { readOnlyHint: true };
    expect(effectOf('pay', undefined, {})).toBe('once');
    expect(effectOf('look', hints, {})).toBe('once');
    expect(effectOf('look', hints, { trustHints: true })).toBe('none');
    expect(effectOf('put', { idempotentHint: true }, { trustHints: true })).toBe('idempotent');
    expect(effectOf('look', hints, { trustHints: true, effect: { 'l*': 'idempotent', '*': 'none' } })).toBe(
      'idempotent',
    );
  });

  test('waits for people by a pattern, always or never', () => {
    expect(approvalOf('pay_out', { needsApproval: ['pay*'] })).toBe(true);
    expect(approvalOf('look', { needsApproval: ['pay*'] })).toBe(false);
    expect(approvalOf('look', { needsApproval: true })).toBe(true);
    expect(approvalOf('pay', {})).toBe(false);
  });
});

describe('what a model reads of an answer', () => {
  test('is its texts, and the names of what is no text', () => {
    const content = [
      { type: 'text', text: 'One' },
      { type: 'image', mimeType: 'image/png' },
      { type: 'resource', resource: { uri: 'demo://1', text: 'Inside' } },
      { type: 'resource', resource: { uri: 'demo://2' } },
      { type: 'resource_link', uri: 'demo://3', name: 'third' },
    ];
    expect(outputOf({ content })).toBe(
      'One\n[image, image/png]\nInside\n[resource demo://2]\n[resource third demo://3]',
    );
  });

  test('is the structure where there is no text, and nothing where there is nothing', () => {
    expect(outputOf({ content: [], structuredContent: { sum: 3 } })).toBe('{"sum":3}');
    expect(outputOf({})).toBe('');
  });

  test('is an error that it can read, where the tool says that it failed', () => {
    expect(JSON.parse(outputOf({ isError: true, content: [{ type: 'text', text: 'No funds.' }] }))).toEqual({
      error: { code: 'tool_failed', message: 'No funds.' },
    });
  });
});

describe('what an error says of a call', () => {
  const http = (status: number): Error => new StreamableHTTPError(status, 'no');
  const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
  const reset = Object.assign(new Error('no'), { code: 'ECONNRESET' });

  test.each([
    [400, 'unaccepted'],
    [401, 'credentials'],
    [403, 'credentials'],
    [404, 'away'],
    [405, 'unaccepted'],
    [415, 'unaccepted'],
    [429, 'busy'],
    [408, null],
    [500, null],
    [502, null],
    // An answer that is no MCP message.
    [-1, null],
  ])('HTTP %i: %s', (status, refusal) => {
    expect(refusalOf(http(status))).toBe(refusal);
  });

  test('a connection that was refused everywhere came to nobody', () => {
    expect(refusalOf(new TypeError('fetch failed', { cause: refused }))).toBe('away');
    const every = new AggregateError([refused, refused]);
    expect(refusalOf(new TypeError('fetch failed', { cause: every }))).toBe('away');
    const some = new AggregateError([refused, reset]);
    expect(refusalOf(new TypeError('fetch failed', { cause: some }))).toBeNull();
    expect(refusalOf(new TypeError('fetch failed', { cause: new AggregateError([]) }))).toBeNull();
    expect(refusalOf(new TypeError('fetch failed', { cause: reset }))).toBeNull();
    expect(refusalOf(new Error('no'))).toBeNull();
    expect(refusalOf(new McpError(ErrorCode.InternalError, 'no'))).toBeNull();
  });

  test('a server that answers a ping is there, whatever it answers but that it knows no such session', () => {
    expect(isAnswer(new McpError(ErrorCode.MethodNotFound, 'no'))).toBe(true);
    expect(isAnswer(new McpError(ErrorCode.InternalError, 'no'))).toBe(true);
    expect(isAnswer(new McpError(ErrorCode.RequestTimeout, 'no'))).toBe(false);
    expect([401, 403, 405, 415, 429].map((status) => isAnswer(http(status)))).not.toContain(false);
    expect([400, 404, 500, 502, -1].map((status) => isAnswer(http(status)))).not.toContain(true);
    expect(isAnswer(new TypeError('fetch failed', { cause: refused }))).toBe(false);
  });
});
