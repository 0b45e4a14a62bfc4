import type { Document } from './document.ts';
import { valueAt } from './issue.ts';
import { literalIn, namesSecret, shown } from './literal.ts';
import type { Problem } from './problem.ts';
import { problem } from './rule.ts';

/** Values that another tool, or a shell, would fill in. Here they reach the program as they are written. */

/** What would fill in a part of the word, and what to do instead. `{{name}}` and `{{ .Name }}` are of other programs. */
export function templateIn(word: string): { says: string; hint: string } | undefined {
  const of = (tool: string, hint: string) => ({ says: `is filled in by ${tool}; nothing does here`, hint });
  if (/\$\{\{.*\}\}/s.test(word)) {
    return of('GitHub Actions', 'name it under env or secrets, and read it in the script from os.environ');
  }
  if (!/\{\{\s+[^\s.{}][^{}]*\s\}\}/.test(word)) return undefined;
  return of('templates of Airflow', 'write the value, or read it in the script: the slot is JOB_SCHEDULED_FOR');
}

/** `env: { CRM_URL: $CRM_URL }`. Only warnings: the program may fill it in. */
export function envProblems(document: Document): Problem[] {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(Object(valueAt(document.value, ['env'])))) {
    // A value that stands in the open is a problem by itself.
    if (typeof value !== 'string' || literalIn(value) || namesSecret(name)) continue;
    const template = templateIn(value);
    const { says, hint } = template ?? shellIn(value) ?? {};
    if (!says || !hint) continue;
    const code = template ? 'template' : 'shell-syntax';
    const found = problem(document, ['env', name], code, `${shown(value)} ${says}`, hint);
    problems.push({ ...found, severity: 'warning' });
  }
  return problems;
}

function shellIn(value: string): { says: string; hint: string } | undefined {
  const none = 'no shell reads this value';
  if (/^~\//.test(value)) {
    const hint = "write a path inside of the job's folder, such as data/crm.csv";
    return { says: `names a home folder; ${none}`, hint };
  }
  if (/^\$[A-Za-z_]\w*(\/|$)|\$\{[A-Za-z_]\w*\}|\$[A-Z]+_[A-Z0-9_]*\b|\$(HOME|USER)\b/.test(value))
    return { says: `holds a variable; ${none}`, hint: 'write the value that it has' };
  if (!/\$\([a-z]|^`[^`]*`$/.test(value)) return undefined;
  return { says: `holds a command to run first; ${none}`, hint: 'do it in the script' };
}
