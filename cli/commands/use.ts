import { apps, use as choose } from '../app.ts';
import { printJson } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { printTable } from '../table.ts';

/** `lamp use`: which installation commands mean; without a name it lists them. */
export async function use(name: string | undefined, options: { client?: string; as?: string; json?: boolean }) {
  if (name === undefined) return list(options.json === true);
  const address = /^https?:\/\//.test(name);
  if (address && options.client === undefined) {
    throw new Refusal(
      'An address needs --client <application id>: lamp deploy prints it, and so does the portal (app registration).',
    );
  }
  const given = address ? { url: name, client: options.client ?? '' } : undefined;
  const short = options.as ?? (address ? new URL(name).hostname.split('.')[0] : name);
  const chosen = await choose(short === 'here' ? null : (short ?? null), given);
  if (options.json) printJson(chosen);
  else
    console.log(
      chosen
        ? `Commands mean ${chosen.name} (${chosen.url}) from now on. Back: lamp use here`
        : 'Commands mean the host in this folder from now on.',
    );
}

async function list(json: boolean): Promise<void> {
  const { using, apps: all } = await apps();
  if (json) return printJson({ using, apps: all });
  if (all.length === 0) return console.log('There is none yet: lamp use <address> --client <application id>');
  printTable(
    ['', 'NAME', 'ADDRESS'],
    all.map((one) => [one.name === using ? '*' : '', one.name, one.url]),
  );
}
