import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { workbookText } from '../../infra/workbook/workbook.ts';
import { everything, problems, queries, render } from '../support/infra/kql.ts';

const infra = join(import.meta.dirname, '../../infra');
const committed = readFileSync(join(infra, 'workbook/workbook.json'), 'utf8');

const resourceType = z.literal('microsoft.operationalinsights/workspaces');
const time = {
  timeContext: z.strictObject({ durationMs: z.literal(0) }),
  timeContextFromParameter: z.literal('timeRange'),
};

/** As far as we use it: the published schema leaves most of it open. */
const text = z.strictObject({
  type: z.literal(1),
  content: z.strictObject({ json: z.string().min(1) }),
  name: z.string(),
});
const parameter = z.discriminatedUnion('type', [
  z.strictObject({
    id: z.guid(),
    version: z.literal('KqlParameterItem/1.0'),
    name: z.string(),
    label: z.string(),
    type: z.literal(4),
    isRequired: z.literal(true),
    value: z.strictObject({ durationMs: z.int().positive() }),
    typeSettings: z.strictObject({
      selectableValues: z.array(z.strictObject({ durationMs: z.int().positive() })).min(1),
      allowCustom: z.boolean(),
    }),
  }),
  z.strictObject({
    id: z.guid(),
    version: z.literal('KqlParameterItem/1.0'),
    name: z.string(),
    label: z.string(),
    type: z.literal(2),
    isRequired: z.literal(true),
    multiSelect: z.literal(true),
    quote: z.literal("'"),
    delimiter: z.literal(','),
    query: z.string(),
    typeSettings: z.strictObject({
      additionalResourceOptions: z.tuple([z.literal('value::all')]),
      selectAllValue: z.literal('*'),
      showDefault: z.boolean(),
    }),
    ...time,
    defaultValue: z.literal('value::all'),
    value: z.tuple([z.literal('value::all')]),
    queryType: z.literal(0),
    resourceType,
  }),
]);
const parameters = z.strictObject({
  type: z.literal(9),
  content: z.strictObject({
    version: z.literal('KqlParameterItem/1.0'),
    parameters: z.array(parameter).min(1),
    style: z.literal('pills'),
    queryType: z.literal(0),
    resourceType,
  }),
  name: z.string(),
});
const formatter = z.strictObject({
  columnMatch: z.string(),
  /** 8: heat map; 18: thresholds. */
  formatter: z.union([z.literal(8), z.literal(18)]),
  formatOptions: z.record(z.string(), z.unknown()),
});
const query = z.strictObject({
  type: z.literal(3),
  content: z.strictObject({
    version: z.literal('KqlItem/1.0'),
    query: z.string(),
    size: z.literal(0),
    title: z.string().min(1),
    noDataMessage: z.string().min(1),
    ...time,
    showExportToExcel: z.boolean(),
    queryType: z.literal(0),
    resourceType,
    visualization: z.enum(['table', 'timechart', 'barchart']),
    gridSettings: z
      .strictObject({
        formatters: z.array(formatter),
        filter: z.boolean(),
        labelSettings: z.array(z.strictObject({ columnId: z.string(), label: z.string() })),
      })
      .optional(),
    chartSettings: z
      .strictObject({ xAxis: z.string(), yAxis: z.array(z.string()).min(1), group: z.string().optional() })
      .optional(),
  }),
  customWidth: z.string().regex(/^\d+$/).optional(),
  name: z.string(),
});
const group = z.strictObject({
  type: z.literal(12),
  content: z.strictObject({
    version: z.literal('NotebookGroup/1.0'),
    groupType: z.literal('editable'),
    items: z.array(z.discriminatedUnion('type', [text, query])).min(2),
  }),
  name: z.string(),
});
const workbook = z.strictObject({
  version: z.literal('Notebook/1.0'),
  items: z.array(z.discriminatedUnion('type', [text, parameters, group])),
  fallbackResourceIds: z.array(z.string()),
  $schema: z.string(),
});

const items = workbook.parse(JSON.parse(committed)).items;
const views = items.flatMap((one) => (one.type === 12 ? one.content.items : [])).filter((one) => one.type === 3);
const choices = items.flatMap((one) => (one.type === 9 ? one.content.parameters : []));

test('the workbook that is deployed is the one that its source and the queries make', () => {
  expect(committed === workbookText(), 'stale: node infra/workbook/build.ts').toBe(true);
  // Bicep loads no longer text: https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions-files
  expect(committed.length).toBeLessThan(131_072);
});

test('names and ids of its items occur once, and sections follow the choices', () => {
  const names = [...items, ...views].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(choices.map(({ id }) => id)).size).toBe(choices.length);
  expect(items.map(({ type }) => type)).toEqual([1, 9, ...Array(6).fill(12)]);
});

test('every heading, chart and colour is of a column that its query gives, and every column has a heading', () => {
  for (const { content } of views) {
    const { columns, problems: found } = problems(render(content.query, everything));
    expect(found).toEqual([]);
    const labels = content.gridSettings?.labelSettings.map(({ columnId }) => columnId);
    if (labels) expect([content.title, labels]).toEqual([content.title, Object.keys(columns)]);
    const { xAxis, yAxis = [], group: series } = content.chartSettings ?? {};
    const coloured = content.gridSettings?.formatters.map(({ columnMatch }) => columnMatch) ?? [];
    for (const column of [xAxis, ...yAxis, series, ...coloured]) {
      if (column !== undefined)
        expect([content.title, Object.keys(columns)]).toEqual([content.title, expect.arrayContaining([column])]);
    }
    expect([content.title, content.visualization === 'table']).toEqual([content.title, labels !== undefined]);
    if (xAxis) expect(columns[xAxis]).toBe('datetime');
    for (const column of yAxis) expect(['long', 'real', 'int']).toContain(columns[column]);
  }
});

test('every query uses only parameters that the workbook has, and each parameter is used', () => {
  const texts = [
    ...views.map(({ content }) => content.query),
    ...choices.flatMap((one) => (one.type === 2 ? [one.query] : [])),
  ];
  const used = new Set(texts.flatMap((one) => [...one.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)));
  expect([...used].sort()).toEqual(choices.map(({ name }) => name).sort());
});

test('every query is in the workbook or in an alert rule, and those of alert rules have no placeholder', () => {
  const modules = readdirSync(join(infra, 'modules')).map((file) => readFileSync(join(infra, 'modules', file), 'utf8'));
  const alerts = modules.flatMap((module) =>
    [...module.matchAll(/'\.\.\/queries\/([\w-]+)\.kql'/g)].map(([, name = '']) => name),
  );
  expect(alerts).toContain('no-tick');
  for (const name of alerts) expect([name, queries.get(name)]).toEqual([name, expect.not.stringContaining('{')]);
  const shown = new Set([
    ...views.map(({ content }) => content.query),
    ...choices.map((one) => (one.type === 2 ? one.query : '')),
  ]);
  const unused = [...queries].filter(([name, one]) => !alerts.includes(name) && !shown.has(one));
  expect(unused.map(([name]) => name)).toEqual([]);
});
