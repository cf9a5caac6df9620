/** Rules of a request that no schema of a single field can say. They read leniently: shapes are the schema's. */
import { LIMITS, METADATA_KEYS } from './contract.ts';
import type { Issue } from './contract.ts';
import { fieldOf, jsonBytes } from './request-json.ts';
import type { Path } from './request-json.ts';
import { shorten } from './request-issues.ts';
import { MESSAGE_METADATA_PAIRS } from './request-schema.ts';
import { findLiteralSecrets } from './request-secrets.ts';
import { functionName } from './request-tools.ts';
import type { Json, JsonObject } from './run.ts';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : [];

interface Placed {
  readonly message: JsonObject;
  readonly path: Path;
}

function messagesOf(request: JsonObject): readonly Placed[] {
  return ['input', 'additional_messages'].flatMap((field) =>
    listOf(request[field]).flatMap((message, index) =>
      isObject(message) ? [{ message, path: [field, index] }] : [],
    ),
  );
}

function checkMetadata(request: JsonObject): readonly Issue[] {
  const { metadata } = request;
  if (!isObject(metadata)) return [];
  const keys = Object.keys(metadata);
  const own: readonly string[] = Object.values(METADATA_KEYS);
  const taken = keys.filter((key) => own.includes(key));
  return [
    ...taken.map((key) => ({
      field: fieldOf(['metadata', key]),
      message: "is a key that Drover writes itself: call the service's own pair something else",
    })),
    ...(keys.length > LIMITS.metadataPairs
      ? [
          {
            field: 'metadata',
            message: `has ${keys.length} pairs; of the wire's 16, Drover takes ${own.join(' and ')}, and ${LIMITS.metadataPairs} are left on either wire`,
            limit: LIMITS.metadataPairs,
            value: keys.length,
          },
        ]
      : []),
  ];
}

function checkMessages(placed: readonly Placed[], request: JsonObject): readonly Issue[] {
  const issues: Issue[] = [];
  const single = typeof request['input'] === 'string' ? 1 : 0;
  const total = placed.length + single;
  if (total > LIMITS.inputMessages) {
    issues.push({
      field: 'additional_messages',
      message: `make ${total} messages with input; keep older ones in a thread`,
      limit: LIMITS.inputMessages,
      value: total,
    });
  }
  if (total === 0 && request['input'] === undefined && typeof request['thread_id'] !== 'string') {
    issues.push({
      field: 'input',
      message: 'is missing: give input, additional_messages, or the thread_id of a thread to go on with',
    });
  }
  for (const { message, path } of placed) {
    const { metadata } = message;
    const pairs = isObject(metadata) ? Object.keys(metadata).length : 0;
    if (pairs > MESSAGE_METADATA_PAIRS) {
      issues.push({
        field: fieldOf([...path, 'metadata']),
        message: `has ${pairs} pairs`,
        limit: MESSAGE_METADATA_PAIRS,
        value: pairs,
      });
    }
  }
  return issues;
}

interface PlacedUrl {
  readonly url: string;
  readonly path: Path;
}

function partsOf(placed: readonly Placed[]): readonly { part: JsonObject; path: Path }[] {
  return placed.flatMap(({ message, path }) =>
    listOf(message['content']).flatMap((part, index) =>
      isObject(part) ? [{ part, path: [...path, 'content', index] }] : [],
    ),
  );
}

function checkParts(placed: readonly Placed[]): readonly Issue[] {
  const issues: Issue[] = [];
  const dataUrls: PlacedUrl[] = [];
  for (const { part, path } of partsOf(placed)) {
    for (const kind of ['image_url', 'file']) {
      const held = part[kind];
      if (!isObject(held)) continue;
      const { url } = held;
      if (typeof url === 'string' && /^data:/i.test(url))
        dataUrls.push({ url, path: [...path, kind, 'url'] });
      if (kind === 'file' && (held['file_id'] === undefined) === (url === undefined)) {
        issues.push({ field: fieldOf([...path, kind]), message: 'needs one of file_id and url' });
      }
    }
  }
  const bytes = dataUrls.reduce((sum, { url }) => sum + Buffer.byteLength(url), 0);
  const [first] = dataUrls;
  if (first !== undefined && bytes > LIMITS.dataUrlBytes) {
    issues.push({
      field: fieldOf(dataUrls.length === 1 ? first.path : ['input']),
      message: `holds ${bytes} bytes of data URLs: pass a file_id or a url`,
      limit: LIMITS.dataUrlBytes,
      value: bytes,
    });
  }
  return issues;
}

function checkToolShape(tool: Json, path: Path): readonly Issue[] {
  if (!isObject(tool)) return [];
  const literals = findLiteralSecrets(tool, path);
  if (tool['type'] !== 'function' || tool['function'] !== undefined) return literals;
  const flat = typeof tool['name'] === 'string';
  const hint = flat ? ': this is the flat form of the Responses API' : '';
  return [
    ...literals,
    {
      field: fieldOf([...path, 'function']),
      message: `is missing${hint}; write {"type": "function", "function": {"name": …, "parameters": …}}`,
    },
  ];
}

function checkTools(request: JsonObject): readonly Issue[] {
  const tools = listOf(request['tools']);
  const issues: Issue[] = [];
  const seen = new Map<string, number>();
  tools.forEach((tool, index) => {
    issues.push(...checkToolShape(tool, ['tools', index]));
    const name = functionName(tool);
    if (name === null) return;
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, index);
      return;
    }
    const value = shorten(name);
    issues.push({
      field: fieldOf(['tools', index]),
      message: `names the same function as tools.${first}: the model calls tools by name, so each needs its own`,
      ...(value === null ? {} : { value }),
    });
  });
  const choice = request['tool_choice'];
  const chosen = isObject(choice) ? functionName(choice) : null;
  if (chosen !== null && Array.isArray(request['tools']) && !seen.has(chosen)) {
    const value = shorten(chosen);
    issues.push({
      field: 'tool_choice.function.name',
      message: 'names a function that is not among tools',
      ...(value === null ? {} : { value }),
    });
  }
  return issues;
}

function checkSizes(request: JsonObject): readonly Issue[] {
  const contextBytes = request['context'] === undefined ? 0 : jsonBytes(request['context']);
  const requestBytes = jsonBytes(request);
  return [
    ...(contextBytes > LIMITS.contextBytes
      ? [
          {
            field: 'context',
            message: `takes ${contextBytes} bytes as JSON: pass ids, and let the tools look up the rest`,
            limit: LIMITS.contextBytes,
            value: contextBytes,
          },
        ]
      : []),
    ...(requestBytes > LIMITS.requestBytes
      ? [
          {
            field: '',
            message: `takes ${requestBytes} bytes as JSON: keep long histories in a thread, and files at the provider`,
            limit: LIMITS.requestBytes,
            value: requestBytes,
          },
        ]
      : []),
  ];
}

/** Every breach of the rules across fields. */
export function checkRules(request: JsonObject): readonly Issue[] {
  const placed = messagesOf(request);
  return [
    ...checkMetadata(request),
    ...checkMessages(placed, request),
    ...checkParts(placed),
    ...checkTools(request),
    ...checkSizes(request),
  ];
}
