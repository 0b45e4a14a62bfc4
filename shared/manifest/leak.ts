import { plain } from '../nearest.ts';
import type { Document } from './document.ts';
import { valueAt } from './issue.ts';
import { literalIn, looksGenerated, masked, namesSecret, shown } from './literal.ts';
import { pathText } from './place.ts';
import type { Problem } from './problem.ts';
import { problem } from './rule.ts';

const hint =
  'put it into Key Vault (on one machine: the secrets file), write secrets: { NAME: name-in-the-vault } here, and ' +
  'replace the old value: it has been seen';

/** Secrets written into a manifest, in values and in comments. No message ever holds one. */
export function leakProblems(document: Document, text: string): Problem[] {
  const problems: Problem[] = [];
  for (const { path, text: value } of document.scalars()) {
    const [section, name] = path;
    if (value === '' || document.settled(path)) continue;
    const found = literalIn(value);
    let says = found && `looks like ${found.what}; expected no secret in a manifest`;
    if (section === 'secrets' && path.length === 2) {
      const instead = found ? undefined : nameFor(String(name), value);
      if (instead !== undefined) {
        const message = `${shown(value)} is no name of a Key Vault secret; expected letters, digits and hyphens between them`;
        problems.push(problem(document, path, 'secret-name', message, `write ${instead}`));
        continue;
      }
      if (found || looksGenerated(value)) says = `looks like ${found?.what ?? 'a secret itself'}; expected its name`;
      else if (!/^[0-9a-zA-Z-]{1,127}$/.test(value)) says = 'is no name of a Key Vault secret; expected its name';
    } else if (section === 'env' && path.length === 2 && namesSecret(String(name)) && !counts(String(name), value)) {
      says ??= `stands in the open, and ${shown(String(name))} sounds secret; expected no secret in a manifest`;
    }
    if (!says) continue;
    const message = `${masked(value)} ${says}`;
    problems.push({
      file: document.file,
      ...document.at(path),
      path: pathText(path),
      code: 'literal-secret',
      message,
      hint,
    });
  }
  return [...problems, ...commentProblems(document, text)];
}

/** Where a name stands in what other tools take for a reference; the first are sure to hold a name and no value. */
const references: readonly [shape: RegExp, sure: boolean][] = [
  [/^@Microsoft\.KeyVault\(.*?SecretName=([\w-]+)[^)]*\)$/i, true],
  [/^(?:@Microsoft\.KeyVault\(SecretUri=)?https:\/\/[\w-]+\.vault\.[\w.-]+\/secrets\/([\w-]+)(?:\/\w*)?\/?\)?$/i, true],
  [/^\$\{\{\s*(?:secrets|vars|env)\.(\w+)\s*\}\}$/, true],
  [/^\$\{(\w+)\}$/, true],
  [/^\$(\w+)$/, false],
  [/^%(\w+)%$/, false],
  [/^<([\w .-]+)>$/, false],
  [/^secret:([\w-]+)$/i, false],
];

/**
 * The vault's way to write what is a name and no value: `openweather_api_key`, `-crm-key`, `$CRM_KEY`, the address of a
 * secret, or the variable's own name. Undefined: it is a valid name, or may be a value, which no message may show.
 */
function nameFor(variable: string, value: string): string | undefined {
  if (/^[0-9a-zA-Z]([0-9a-zA-Z-]{0,125}[0-9a-zA-Z])?$/.test(value)) return undefined;
  const [shape, sure = false] = references.find(([one]) => one.test(value)) ?? [];
  const inner = shape?.exec(value)?.[1] ?? value;
  const words = inner.split(/[^0-9A-Za-z]+/).filter(Boolean);
  const instead = words.join('-').toLowerCase();
  if (instead === '' || instead.length > 127 || looksGenerated(inner)) return undefined;
  const onlyHyphens = shape === undefined && /^[0-9a-zA-Z-]{1,127}$/.test(value);
  const isName =
    plain(inner) === plain(variable) || (/^[A-Za-z0-9_./ ‐‑‒–—―−-]+$/.test(inner) && namesSecret(words.join('_')));
  return sure || onlyHyphens || isName ? instead : undefined;
}

/** MAX_TOKENS: 4096 counts tokens, it is none. */
function counts(name: string, value: string): boolean {
  return /TOKENS?(_|$)/i.test(name) && /^(\d{1,9}|true|false)$/i.test(value);
}

/** Comments, or the whole text when it could not be parsed. */
function commentProblems(document: Document, text: string): Problem[] {
  const problems: Problem[] = [];
  let offset = 0;
  for (const line of text.split('\n')) {
    const found = literalIn(line);
    const inComment = found && /(^|\s)#/.test(line.slice(0, found.index));
    if (found && (inComment || document.value === undefined)) {
      const message = `this line holds what looks like ${found.what}; expected no secret in a manifest`;
      const place = document.place(offset + found.index);
      problems.push({ file: document.file, ...place, code: 'literal-secret', message, hint });
    }
    offset += line.length + 1;
  }
  return problems;
}

/** Environment variables that would be overwritten, or would change what runs. */
export function environmentProblems(document: Document): Problem[] {
  const problems: Problem[] = [];
  const names = (section: string) => Object.keys(Object(valueAt(document.value, [section])));
  const plain = new Set(names('env'));
  for (const section of ['env', 'secrets']) {
    for (const name of names(section)) {
      const where = { file: document.file, ...document.keyAt([section, name]), path: pathText([section, name]) };
      // IDENTITY_ and MSI_ are how a container in Azure gets tokens; the shim removes them from jobs.
      if (/^(JOB_|LAMPLIGHTER_|IDENTITY_|MSI_|LD_|PATH$)/i.test(name)) {
        const message = `${shown(name)} is set by the runner or by the system; expected a name of your own`;
        const own = `MY_${name.replace(/^(JOB|LAMPLIGHTER|IDENTITY|MSI|LD)_/i, '')}`;
        problems.push({ ...where, code: 'reserved-name', message, hint: `rename it, for example ${own}` });
      }
      if (section === 'secrets' && plain.has(name)) {
        const message = `${shown(name)} is set under env, too (line ${document.keyAt(['env', name]).line}); expected once`;
        problems.push({ ...where, code: 'set-twice', message, hint: 'delete it under env' });
      }
    }
  }
  return problems;
}
