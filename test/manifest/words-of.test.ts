import { expect, it } from 'vitest';
import { listOf, quoted, wordsOf } from '../../shared/manifest/words.ts';

it.each([
  ['python main.py', '[python, main.py]'],
  ['  python  -u main.py 7 ', '[python, -u, main.py, "7"]'],
  ["bash -c 'python main.py'", '[bash, -c, "python main.py"]'],
  ['python "my main.py"', '[python, "my main.py"]'],
  ["python main.py --name='Dana S'", '[python, main.py, "--name=Dana S"]'],
  [String.raw`python main.py "a \"b\"" it\'s`, String.raw`[python, main.py, "a \"b\"", "it's"]`],
  [String.raw`C:\Python\python.exe main.py`, String.raw`["C:\\Python\\python.exe", main.py]`],
  ['python main.py what?', '[sh, -c, "python main.py what?"]'],
  ['python main.py; echo done', '[sh, -ec, "python main.py; echo done"]'],
  ['cd sub && python main.py', '[sh, -ec, "cd sub && python main.py"]'],
  ['cd sub', '[sh, -c, "cd sub"]'],
  ['A=1 python main.py', '[sh, -c, "A=1 python main.py"]'],
  ['python main.py > out.txt', '[sh, -c, "python main.py > out.txt"]'],
  ['python main.py "$HOME"', String.raw`[sh, -c, "python main.py \"$HOME\""]`],
  ["python main.py '$HOME'", '[python, main.py, "$HOME"]'],
  ['python main.py *.csv', '[sh, -c, "python main.py *.csv"]'],
  ['python main.py | tee out.txt', '[bash, -eo, pipefail, -c, "python main.py | tee out.txt"]'],
  ['python main.py |& tee out.txt; x', '[bash, -eo, pipefail, -c, "python main.py |& tee out.txt; x"]'],
  ['a.sh || b.sh', '[sh, -c, "a.sh || b.sh"]'],
  ["python main.py ';|&' > x", `[sh, -c, "python main.py ';|&' > x"]`],
  ['nohup python main.py &', '[python, main.py]'],
  ['nohup python main.py > out.txt 2>&1 &', '[sh, -c, "python main.py > out.txt 2>&1"]'],
  ['python a.py & nohup python b.py &', '[sh, -ec, "python a.py; python b.py"]'],
  ['python a.py\npython b.py\n', String.raw`[sh, -ec, "python a.py\npython b.py"]`],
  ['python a.py \\\n  --fast\n', '[python, a.py, --fast]'],
  ["python main.py 'open", `[sh, -c, "python main.py 'open"]`],
])('the line %j is the list %s', (line, list) => {
  expect(listOf(line)).toBe(list);
});

it('a word is read back as it was quoted', () => {
  for (const word of ['plain', 'a b', "it's", '$HOME', 'a"b', '*.csv', 'a\\b', '~', ';', 'x=1', 'ä ö']) {
    expect(wordsOf(`python ${quoted(word)}`)).toEqual(['python', word]);
  }
});
