/**
 * Tokens with a shape of their own, as their issuers document them. Repetitions are bounded: a hostile file must not
 * make the scan slow.
 */
const shapes: readonly [what: string, shape: RegExp][] = [
  ['an API key (sk-…)', /\b[rs]k[-_](?=[\w-]{0,100}\d)[\w-]{16,250}/],
  ['a GitHub token', /\b(?:gh[pousr]_\w{16,250}|github_pat_\w{16,250})/],
  ['a GitLab token', /\bglpat-[\w-]{16,100}/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a Google API key', /\bAIza[\w-]{35}/],
  ['a Slack token', /\bxox[a-z]-[\w-]{8,250}/],
  ['a Slack webhook', /hooks\.slack\.com\/services\/[\w/]{8,200}/],
  ['a JSON web token', /\beyJ[\w-]{8,500}\.[\w-]{4,500}/],
  ['a storage or bus account key', /\b(?:AccountKey|SharedAccessKey)\s{0,3}=\s{0,3}\S{4}/i],
  ['a signed URL', /\bsig=[\w%+/=-]{8,200}/i],
  ['a private key or certificate', /-----BEGIN [A-Z]/],
  ['an address with a password in it', /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]{0,200}:[^\s/@]{1,200}@/i],
];

export interface Literal {
  /** What it looks like, for people. */
  what: string;
  /** Where it begins in the text that was searched. */
  index: number;
}

/** The first known token shape in a text, or undefined. */
export function literalIn(text: string): Literal | undefined {
  for (const [what, shape] of shapes) {
    const found = shape.exec(text);
    if (found) return { what, index: found.index };
  }
  return undefined;
}

const keyBlock = /-----BEGIN [A-Z][A-Z ]{0,60}-----[\s\S]*?(?:-----END [A-Z][A-Z ]{0,60}-----|$)/g;
const everywhere = shapes.map(([what, shape]) => {
  // Some shapes stop in the middle of a value.
  return [what, new RegExp(`(?:${shape.source})[^\\s"'<>,;]{0,4000}`, `g${shape.flags}`)] as const;
});

/** The text with each token of a known shape replaced by what it looked like. Secrets of no known shape stay. */
export function withoutLiterals(text: string): string {
  const whole = text.replace(keyBlock, '*** (a private key or certificate)');
  return everywhere.reduce((rest, [what, shape]) => rest.replace(shape, `*** (${what})`), whole);
}

/** Looks like a key rather than like the *name* of one: long and shapeless. Vault names are words with hyphens. */
export function looksGenerated(text: string): boolean {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return true;
  if (/^[0-9a-f]{24,}$/i.test(text)) return true;
  const mixed = /^[^\s-]{20,}$/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text);
  return mixed && (text.match(/\d+/g)?.length ?? 0) >= 3;
}

const secretWord =
  /(^|_)(API|ACCESS|ACCOUNT|AUTH|CLIENT|MASTER|PRIVATE|SHARED|SIGNING|STORAGE)?(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PWD|CREDENTIAL|CONNECTION_?STRING)S?(_|$)/;

/**
 * True for an environment variable whose name says that its value is secret, e.g. CRM_API_KEY or dbPassword.
 * What only points at one (KEY_VAULT_URL, KEY_FILE) or counts (MAX_TOKENS) is none.
 */
export function namesSecret(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
  if (/(^|_)KEY_?VAULT/.test(words) || /_(FILE|PATH|COLUMN|FIELD)$/.test(words)) return false;
  return secretWord.test(words);
}

/** A secret as it may be shown: its first two characters and its length. */
export function masked(text: string): string {
  const characters = [...text];
  return `"${escaped(characters.slice(0, 2).join(''))}…" (${characters.length} characters)`;
}

/** Makes what a terminal would act upon (escapes, controls, text direction) visible. */
export function escaped(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A text as problems show it: quoted, at most 60 characters, secrets masked. */
export function shown(text: string): string {
  if (literalIn(text)) return masked(text);
  const characters = [...text.slice(0, 200)];
  const short = text.length > 60 ? `${characters.slice(0, 59).join('')}…` : text;
  return `"${escaped(short.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t'))}"`;
}
