import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sections, type View } from './sections.ts';

/**
 * The workbook for owners, from which `workbook.json` is made: `node infra/workbook/build.ts`. Its format is that of Azure Monitor workbooks,
 * https://github.com/microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json; the queries are the files
 * of `infra/queries`, so that each exists once.
 */

const resourceType = 'microsoft.operationalinsights/workspaces';
const day = 24 * 60 * 60 * 1_000;

/** Names of the parameters are the placeholders of the queries. */
const parameters = { timeRange: 'timeRange', tier: 'tier', job: 'job' } as const;

/** The workbook as Azure takes it; the same text whenever nothing has changed. */
export function workbookText(): string {
  const workbook = {
    version: 'Notebook/1.0',
    items: [text('intro', '# Lamplighter\nWhat the jobs did, how well, and what needs a person.'), choices()].concat(
      sections.map(({ title, about, views }) =>
        group(title, [text(title, `## ${title}\n${about}`), ...views.map(item)]),
      ),
    ),
    fallbackResourceIds: [],
    $schema: 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json',
  };
  // As the formatter would have it: a list of a few short texts stays on its line.
  const lines = JSON.stringify(workbook, null, 2).replace(
    /\[\n\s+("(?:[^"\\]|\\.){0,40}"(?:,\n\s+"(?:[^"\\]|\\.){0,40}"){0,2}|"(?:[^"\\]|\\.)*")\n\s+\]/g,
    (_, texts: string) => `[${texts.replace(/,\n\s+/g, ', ')}]`,
  );
  return `${lines}\n`;
}

function text(name: string, json: string): object {
  return { type: 1, content: { json }, name: `text: ${name}` };
}

function group(title: string, items: object[]): object {
  return { type: 12, content: { version: 'NotebookGroup/1.0', groupType: 'editable', items }, name: `group: ${title}` };
}

function choices(): object {
  const range = { durationMs: 7 * day };
  const ranges = [1, 3, 7, 14, 30, 90].map((days) => ({ durationMs: days * day }));
  const time = {
    ...parameter(parameters.timeRange, 'Time range', 4),
    value: range,
    typeSettings: { selectableValues: ranges, allowCustom: true },
  };
  const all = [time, oneOf(parameters.tier, 'Tier', 'tiers'), oneOf(parameters.job, 'Job', 'jobs')];
  return {
    type: 9,
    content: { version: 'KqlParameterItem/1.0', parameters: all, style: 'pills', queryType: 0, resourceType },
    name: 'parameters',
  };
}

function parameter(name: string, label: string, type: number) {
  return { id: guid(name), version: 'KqlParameterItem/1.0', name, label, type, isRequired: true };
}

/** Any number of them; all of them is `'*'`. */
function oneOf(name: string, label: string, query: string): object {
  return {
    ...parameter(name, label, 2),
    multiSelect: true,
    quote: "'",
    delimiter: ',',
    query: queryText(query),
    typeSettings: { additionalResourceOptions: ['value::all'], selectAllValue: '*', showDefault: false },
    timeContext: { durationMs: 0 },
    timeContextFromParameter: parameters.timeRange,
    defaultValue: 'value::all',
    value: ['value::all'],
    queryType: 0,
    resourceType,
  };
}

function item({ title, query, empty, columns, formatters, chart, width }: View): object {
  const labelSettings = Object.entries(columns ?? {}).map(([columnId, label]) => ({ columnId, label }));
  const drawn = chart && { xAxis: chart.x, yAxis: chart.y, ...(chart.group && { group: chart.group }) };
  return {
    type: 3,
    content: {
      version: 'KqlItem/1.0',
      query: queryText(query),
      size: 0,
      title,
      noDataMessage: empty,
      timeContext: { durationMs: 0 },
      timeContextFromParameter: parameters.timeRange,
      showExportToExcel: !chart,
      queryType: 0,
      resourceType,
      visualization: chart?.kind ?? 'table',
      ...(columns && { gridSettings: { formatters: formatters ?? [], filter: true, labelSettings } }),
      ...(drawn && { chartSettings: drawn }),
    },
    ...(width !== undefined && { customWidth: String(width) }),
    name: `query: ${title}`,
  };
}

function queryText(name: string): string {
  return readFileSync(join(import.meta.dirname, '../queries', `${name}.kql`), 'utf8');
}

/** The same at each build: a new id would be a new parameter. */
function guid(name: string): string {
  const hex = createHash('sha256').update(`lamplighter workbook ${name}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
