import { expect, test } from 'vitest';
import { everything, problems, queries, render, some } from '../support/infra/kql.ts';

const query = (name: string, choice = everything) => render(queries.get(name) ?? `no query ${name}`, choice);

test.each([
  ...queries.keys(),
])('%s is valid, whatever is chosen in the workbook, and reads fields that exist', (name) => {
  for (const choice of [everything, some]) {
    const found = problems(query(name, choice));
    expect(found.problems).toEqual([]);
    expect(Object.values(found.columns)).not.toContain('unknown');
    expect(Object.keys(found.columns).length).toBeGreaterThan(0);
  }
});

test.each([
  ['a misspelt column', 'TimeGenerated >', 'TimeGenerate >', /TimeGenerate' does not refer to any known column/],
  ['a misspelt table', 'AppEvents', 'AppEvent', /AppEvent' does not refer to any known/],
  ['a misspelt property', 'Properties.owner', 'Properties.ownr', /Properties.ownr is not a field of LamplighterRun/],
  ['one in brackets', 'Properties.owner', "Properties['ownr']", /Properties.ownr is not a field of LamplighterRun/],
  ['a misspelt measurement', 'Measurements.slots', 'Measurements.slot', /Measurements.slot is not a field/],
  ['a property taken for a measurement', 'Properties.owner', 'Measurements.owner', /Measurements.owner is not a field/],
  ['a field of another event', 'Measurements.slots', 'Measurements.cpuMs', /cpuMs is not a field of LamplighterRun/],
  ['a misspelt event', "'LamplighterRun'", "'LamplighterRuns'", /there is no event LamplighterRuns/],
  ['a field no one can report the name of', 'Properties.owner', 'Properties[job]', /cannot be checked: name the field/],
  ['a text where a number belongs', '/ 1000', "/ 'a'", /not defined for the operand types real and string/],
  ['a bracket that is not closed', 'order by notDone', 'order by (notDone', /Expected: \)/],
])('%s is found', (_, right, wrong, message) => {
  const broken = query('overview').replace(right, wrong);
  expect(broken).not.toBe(query('overview'));
  expect(problems(broken).problems.join('\n')).toMatch(message);
});

test('a parameter that the workbook does not have is found', () => {
  expect(() => render('AppEvents | where Name in ({jobs})', everything)).toThrow('{jobs} is no parameter');
});
