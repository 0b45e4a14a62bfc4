import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EventName, events, hasMeasurement } from '../../../shared/telemetry/events.ts';
import { analyse, kind, type SyntaxNode } from './kusto.ts';

const folder = join(import.meta.dirname, '../../../infra/queries');

/** Name of the file without its ending → the query, placeholders and all. */
export const queries: ReadonlyMap<string, string> = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.kql'))
    .sort()
    .map((file) => [file.slice(0, -'.kql'.length), readFileSync(join(folder, file), 'utf8')]),
);

/** What a workbook puts in place of `{timeRange}`, `{job}` and `{tier}`. */
export interface Choice {
  timeRange: string;
  job: string;
  tier: string;
}

/** Everything of the last week, and two jobs of one tier between two instants. */
export const everything: Choice = { timeRange: '> ago(7d)', job: "'*'", tier: "'*'" };
export const some: Choice = {
  timeRange: 'between (datetime(2026-11-01T00:00:00Z) .. datetime(2026-11-20T00:00:00Z))',
  job: "'score','pull'",
  tier: "'critical'",
};

/** @throws Error for a placeholder that the workbook does not have */
export function render(query: string, choice: Choice): string {
  return query.replace(/\{(\w+)\}/g, (whole, name: string) => {
    if (!Object.hasOwn(choice, name)) throw new Error(`${whole} is no parameter of the workbook`);
    return choice[name as keyof Choice];
  });
}

/** Everything that is wrong with a query: what Kusto says, and fields that no event has. */
export function problems(query: string): { problems: string[]; columns: Record<string, string> } {
  const { errors, columns, nodes } = analyse(query);
  const named = nodes.flatMap(eventNames);
  const unknown = named.filter((name) => !Object.hasOwn(events, name)).map((name) => `there is no event ${name}`);
  const kinds = named.filter((name): name is EventName => Object.hasOwn(events, name));
  return { problems: [...errors, ...unknown, ...nodes.flatMap((node) => wrongField(node, kinds))], columns };
}

/** The literals of `Name == '…'`. */
function eventNames(node: SyntaxNode): string[] {
  if (kind(node) !== 'BinaryExpression' || node.Left?.ReferencedSymbol?.Name !== 'Name') return [];
  return typeof node.Right?.LiteralValue === 'string' ? [node.Right.LiteralValue] : [`as ${node.Right}`];
}

/** `Properties.x`, `Properties["x"]` and the same of Measurements: to the type checker anything goes there. */
function wrongField(node: SyntaxNode, kinds: EventName[]): string[] {
  const bag = node.Expression?.ReferencedSymbol?.Name;
  const path = kind(node) === 'PathExpression';
  if ((bag !== 'Properties' && bag !== 'Measurements') || (!path && kind(node) !== 'ElementExpression')) return [];
  const literal = path ? node.Selector?.SimpleName : node.Selector?.Expression?.LiteralValue;
  if (typeof literal !== 'string') return [`${node.toString().trim()} cannot be checked: name the field`];
  const has = (name: EventName) =>
    bag === 'Measurements' ? hasMeasurement(name, literal) : Object.hasOwn(events[name].properties, literal);
  const whose = kinds.length > 0 ? kinds.join(', ') : 'no event that is named';
  return kinds.some(has) ? [] : [`${bag}.${literal} is not a field of ${whose}`];
}
