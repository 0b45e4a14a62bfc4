import { join } from 'node:path';
import { readParams } from '../../infra/bicep-expand.ts';

/**
 * Stands in for the Bicep compiler that az starts: reads the real parameter file, with our own evaluator, as
 * `bicep build-params <file> --stdout` prints it. The template is a fixture: what is in it does not matter to az.
 */
const [command, file = ''] = process.argv.slice(2);
if (command !== 'build-params') {
  process.stderr.write(`Unrecognized command: ${command}\n`);
  process.exit(1);
}
const root = join(process.cwd(), 'infra');
const environment = process.env as Record<string, string>;
const { params, problems } = readParams({ root }, file.replace(/^infra\//, ''), environment);
if (problems.length > 0) {
  for (const { at, text } of problems) process.stderr.write(`${at} : Error BCP000: ${text}\n`);
  process.exit(1);
}
const overrides = JSON.parse(environment.BICEP_PARAMETERS_OVERRIDES ?? '{}') as Record<string, unknown>;
const values = { ...params, ...overrides };
const parameters = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
const kind = (value: unknown) =>
  Array.isArray(value) ? 'array' : ({ number: 'int', boolean: 'bool' }[typeof value as string] ?? typeof value);
const template = {
  $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
  contentVersion: '1.0.0.0',
  parameters: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { type: kind(value) }])),
  resources: [],
};
process.stdout.write(
  JSON.stringify({
    parametersJson: JSON.stringify({ parameters }),
    templateJson: JSON.stringify(template),
    templateSpecId: null,
  }),
);
