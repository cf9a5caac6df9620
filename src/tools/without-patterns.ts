/** A stranger's schema without its regular expressions, which may take for ever on a model's text. Pure. */
import type { Json, JsonObject } from '../run.ts';
import { mapSchema } from './json-schema.ts';

/** What was told apart by a pattern no longer is: nothing may be refused that the schema itself takes. */
function relax({
  pattern: _pattern,
  patternProperties,
  additionalProperties,
  not: _not,
  oneOf,
  maxContains: _most,
  ...rest
}: JsonObject): JsonObject {
  const keepsOthers = patternProperties === undefined && additionalProperties !== undefined;
  return {
    ...rest,
    ...(keepsOthers ? { additionalProperties } : {}),
    ...(oneOf === undefined || 'anyOf' in rest ? {} : { anyOf: oneOf }),
  };
}

/** The same document where it has none, else one that takes whatever the document takes, and more. */
export function withoutPatterns(document: Json): Json {
  let found = false;
  const relaxed = mapSchema(document, (node) => {
    found ||= 'pattern' in node || 'patternProperties' in node;
    return relax(node);
  });
  return found ? relaxed : document;
}
