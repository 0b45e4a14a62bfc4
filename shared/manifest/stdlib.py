"""Writes stdlib.json: the standard library's top-level modules, and which of them each imports when it is imported.

Run by hand with each Python that jobs may use; names add up: for v in 3.11 3.12 3.13; do python$v stdlib.py; done
"""

import ast
import json
import os
import subprocess
import sys
import sysconfig

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'stdlib.json')
LIB = sysconfig.get_paths()['stdlib']
LEFT_OUT = {'test', 'tests', 'idlelib', '__pycache__', 'site-packages', 'turtledemo', 'lib2to3'}


def imports(path):
    """Absolute imports that happen when the file is imported: not those inside of functions."""
    with open(path, 'rb') as file:
        tree = ast.parse(file.read())
    found, nodes = set(), list(tree.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name.split('.')[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split('.')[0])
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            nodes.extend(ast.iter_child_nodes(node))
    return found


def files(name):
    package = os.path.join(LIB, name)
    if os.path.isfile(package + '.py'):
        yield package + '.py'
    for folder, folders, names in os.walk(package):
        folders[:] = [one for one in folders if one not in LEFT_OUT]
        yield from (os.path.join(folder, one) for one in names if one.endswith('.py'))


def main():
    known = {'loaded': [], 'modules': {}}
    if os.path.exists(HERE):
        with open(HERE, encoding='utf-8') as file:
            known = json.load(file)
    names = set(sys.stdlib_module_names)
    for name in sorted(names):
        edges = set(known['modules'].get(name, []))
        for path in files(name):
            edges |= imports(path) & names
        known['modules'][name] = sorted(edges - {name})
    # Built in, or loaded before any script begins: no file of a job can take their place.
    program = 'import sys; print(*sys.builtin_module_names, *sys.modules)'
    started = subprocess.run([sys.executable, '-I', '-c', program], capture_output=True, text=True, check=True)
    never = set(started.stdout.split()) & names
    known['loaded'] = sorted(never if not known['loaded'] else never & set(known['loaded']))
    known['modules'] = dict(sorted(known['modules'].items()))
    with open(HERE, 'w', encoding='utf-8') as file:
        lines = [f'    {json.dumps(name)}: {json.dumps(edges)}' for name, edges in known['modules'].items()]
        loaded = json.dumps(known['loaded'])
        file.write(f'{{\n  "loaded": {loaded},\n  "modules": {{\n' + ',\n'.join(lines) + '\n  }\n}\n')


if __name__ == '__main__':
    main()
