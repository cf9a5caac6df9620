/** Takes secrets out of text that somebody else wrote, and bounds it. */

const MASK = '[redacted]';

/** Text longer than this is cut. In UTF-16 units. */
export const REDACTED_CHARS = 500;

/** A quotation longer than this is more likely a prompt than a name. In UTF-16 units. */
export const REDACTED_QUOTATION_CHARS = 80;

/** No secret is this short; masking shorter values would riddle the text. */
const SECRET_CHARS = 4;

/** Work is bounded too: no pattern is run over a megabyte of somebody's page. */
const SCANNED_CHARS = 8_192;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // URLs: user and password, then the whole query (signatures and keys travel there).
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@"'<>]+@/gi, `$1${MASK}@`],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s?#"'<>]+)\?[^\s"'<>]+/gi, `$1?${MASK}`],
  [/\bdata:[a-z]+\/[^\s"'<>]+/gi, 'data:[cut]'],
  // Header lines and assignments: "Authorization: Basic …", "api-key=…", "password": "…".
  [/\b(authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token)\s+)?)[^\s"',;<>]+/gi, `$1${MASK}`],
  [/\b(bearer|basic)(\s+)[A-Za-z0-9._~+/*=-]{6,}/gi, `$1$2${MASK}`],
  [
    /\b((?:x-)?(?:api|access|subscription|account|secret|private|client)[-_ ]?(?:key|token|secret)["']?(?:\s+provided)?\s*[:=]\s*["']?)[^\s"',;<>]+/gi,
    `$1${MASK}`,
  ],
  [/\b((?:password|passwd|pwd|secret|token|signature|sig)["']?\s*[:=]\s*["']?)[^\s"',;<>]+/gi, `$1${MASK}`],
  // Shapes of keys: JWTs, OpenAI's and others' prefixed keys (also half-masked by the provider), long random words.
  [/\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,2}/g, MASK],
  [
    /\b(?:sk|pk|rk|sess|ek|ghp|gho|ghs|github_pat|xox[abprs]|whsec|hf|AKIA|ASIA)[-_][A-Za-z0-9_*.-]{6,}/g,
    MASK,
  ],
  [/\b(?:AKIA|ASIA|AIza)[A-Za-z0-9_-]{12,}/g, MASK],
];

/** Long quotations; the closing mark may have been cut off. An apostrophe within a word opens none. */
const QUOTATIONS: readonly RegExp[] = ['""', '``', '“”', "''"].map((pair) => {
  const [open = '', close = ''] = pair;
  const long = `[^${close}]{${REDACTED_QUOTATION_CHARS + 1},}`;
  return new RegExp(String.raw`(?<!\w)(${open})${long}(${close}(?!\w)|$)`, 'gu');
});

/** A provider's own codes and names stand in messages, in the UI and in results: longer ones are cut. */
const CODE_CHARS = 128;

/** A code or name of the provider's making, short enough to stand anywhere. */
export const shortCode = (code: string): string =>
  code.length <= CODE_CHARS ? code.toWellFormed() : `${code.slice(0, CODE_CHARS)}…`.toWellFormed();

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** A secret also travels percent-encoded and as a JSON string. */
function spellings(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, encodeURIComponent(secret), json])];
}

/**
 * Masks API keys, bearer tokens, JWTs, a URL's user and query, and every given secret; cuts out long
 * quotations and bounds what is left to {@link REDACTED_CHARS}.
 *
 * It knows secrets by shape. It cannot know prompts: a provider's error may still quote up to 80
 * characters of one, so only text of error messages may pass here, never a body of an answer.
 *
 * @param secrets values to mask wherever they stand; those under four characters are left alone.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  // Cut between words: half a secret would not be known.
  let clean = text.length > SCANNED_CHARS ? text.slice(0, SCANNED_CHARS).replace(/\S*$/, '') : text;
  const values = secrets.filter((secret) => secret.length >= SECRET_CHARS).flatMap(spellings);
  // The longest first: a secret may hold another.
  for (const value of values.sort((a, b) => b.length - a.length)) {
    clean = clean.replaceAll(new RegExp(escape(value), 'gi'), MASK);
  }
  for (const [pattern, replacement] of PATTERNS) clean = clean.replaceAll(pattern, replacement);
  for (const quotation of QUOTATIONS) clean = clean.replaceAll(quotation, '$1…$2');
  clean = clean.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return (clean.length > REDACTED_CHARS ? `${clean.slice(0, REDACTED_CHARS - 1)}…` : clean).toWellFormed();
}
