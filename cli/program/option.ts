import { InvalidArgumentError, Option } from 'commander';

/** Options that several commands have, and how their values are read. */

export const json = () => new Option('--json', 'print JSON with stable field names');
export const why = () => new Option('--why <text>', 'the reason, for the history').default('');
export const by = () => new Option('--by <person>', 'who asks (default: you)');
/** Where history is kept in Azure. */
export const account = () =>
  new Option('--account <name>', 'storage account of an installation in Azure, as the one that az is signed in with');
/** Given once for each job. */
export const allow = (flags: string, what: string) =>
  new Option(flags, what).argParser((job: string, before: string[] = []) => [...before, job]);

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

export function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('Expected 1 or more.');
  return number;
}

export function retentionDays(text: string): number {
  const number = wholeNumber(text);
  if (number < 183) throw new InvalidArgumentError('Expected 183 or more: what the law asks of high-risk systems.');
  return number;
}

export function portNumber(text: string): number {
  const number = wholeNumber(text);
  if (number > 65_535) throw new InvalidArgumentError('Expected a port: 0 to 65535.');
  return number;
}
