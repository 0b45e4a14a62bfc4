/** How programs write a text; for tests that look for secrets. Knows nothing of the shim's own list. */
export interface Form {
  name: string;
  bytes: Buffer;
  /** May be wrapped over lines, so that white space in it means nothing. */
  wraps: boolean;
}

const url = (text: string, kept: RegExp, lower = false): string =>
  [...Buffer.from(text)]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      const code = byte.toString(16).padStart(2, '0');
      return byte < 128 && kept.test(sign) ? sign : `%${lower ? code : code.toUpperCase()}`;
    })
    .join('');

const json = (text: string) => JSON.stringify(text).slice(1, -1);
const hex4 = (sign: string) => sign.charCodeAt(0).toString(16).padStart(4, '0');
const jsonAscii = (text: string) => json(text).replace(/[^\0-\x7f]/g, (sign) => `\\u${hex4(sign)}`);
const dotnet = (text: string) =>
  jsonAscii(text)
    .replaceAll('\\"', '\\u0022')
    .replace(/[<>&'+`]/g, (sign) => `\\u${hex4(sign)}`)
    .replace(/\\u[0-9a-f]{4}/g, (code) => `\\u${code.slice(2).toUpperCase()}`);

const controls = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);
/** Python's repr; texts that hold a quote must hold both, then there is one way only. */
const repr = (text: string) =>
  text
    .replaceAll('\\', '\\\\')
    .replace(/[\n\r\t]/g, (sign) => controls.get(sign) ?? sign)
    .replaceAll("'", "\\'");
const reprBytes = (text: string) =>
  repr(Buffer.from(text).toString('latin1')).replace(/[^\0-\x7f]/g, (sign) => `\\x${hex4(sign).slice(2)}`);

const html = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#x27;');
const xml = (text: string) => html(text).replace(/[^\0-\x7f]/gu, (sign) => `&#${sign.codePointAt(0)};`);

/** The characters of base64 that depend on the text alone, when `before` comes in front of it. */
const base64 = (text: Buffer, before: number): string => {
  const whole = Buffer.concat([Buffer.alloc(before), text]).toString('base64');
  return whole.slice([0, 2, 3][before % 3] ?? 0, Math.floor((((before % 3) + text.length) * 8) / 6));
};
const urlSafe = (text: string) => text.replaceAll('+', '-').replaceAll('/', '_');
const pairs = (text: string, between: string) => Buffer.from(text).toString('hex').match(/../g)?.join(between) ?? '';

const isLatin = (text: string) => /^[\0-\xff]*$/.test(text);

export function formsOf(secret: string): Form[] {
  const raw = Buffer.from(secret);
  const texts: Record<string, string> = {
    raw: secret,
    json: jsonAscii(secret),
    'json as it is': json(secret),
    'json with \\/': jsonAscii(secret).replaceAll('/', '\\/'),
    'json of .NET': dotnet(secret),
    'json in json': json(jsonAscii(secret)),
    'json in json in utf-8': json(json(secret)),
    repr: repr(secret),
    'repr of bytes': reprBytes(secret),
    'repr of json': reprBytes(jsonAscii(secret)),
    'json of repr': jsonAscii(repr(secret)),
    quote: url(secret, /[\w.~/-]/),
    'quote all': url(secret, /[\w.~-]/),
    'quote all in small letters': url(secret, /[\w.~-]/, true),
    'quote plus': url(secret, /[\w.~ -]/).replaceAll(' ', '+'),
    'quote twice': url(url(secret, /[\w.~-]/), /[\w.~-]/),
    component: encodeURIComponent(secret),
    address: url(secret, /[\w.~!$&'()*+,;=:@/?-]/),
    'json in an address': url(jsonAscii(secret), /[\w.~-]/),
    html: html(secret),
    xml: xml(secret),
    csv: secret.replaceAll('"', '""'),
    sql: secret.replaceAll("'", "''"),
    shell: secret.replaceAll("'", "'\"'\"'"),
    'shell trace': secret.replaceAll("'", "'\\''"),
  };
  const packed: Record<string, string> = {};
  for (const before of [0, 1, 2]) {
    packed[`base64 ${before}`] = base64(raw, before);
    packed[`base64 ${before} for addresses`] = urlSafe(base64(raw, before));
    packed[`base64 ${before} of json`] = base64(Buffer.from(jsonAscii(secret)), before);
  }
  for (const [name, sign] of Object.entries({ hex: '', 'hex:': ':', 'hex-': '-', 'hex ': ' ' })) {
    packed[name] = pairs(secret, sign);
    packed[`${name} in capitals`] = pairs(secret, sign).toUpperCase();
  }
  const found: Form[] = [];
  for (const [name, text] of Object.entries(texts)) found.push({ name, bytes: Buffer.from(text), wraps: false });
  for (const [name, text] of Object.entries(packed)) {
    // White space in the form itself goes, too: what is searched has none.
    found.push({ name, bytes: Buffer.from(text.replaceAll(' ', '')), wraps: true });
  }
  if (isLatin(secret)) {
    const latin = Buffer.from(secret, 'latin1');
    found.push({ name: 'latin-1', bytes: latin, wraps: false });
    found.push({ name: 'basic', bytes: Buffer.from(base64(latin, 0)), wraps: true });
  }
  return found;
}
