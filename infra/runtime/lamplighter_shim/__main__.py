import os
import sys
from os.path import abspath, dirname

# Started as a directory, Python puts this directory first on sys.path, where `profile.py` would hide the standard
# library's. The parent goes last instead, so that nothing here can shadow anything.
here = dirname(abspath(__file__))
sys.path[:] = [p for p in sys.path if abspath(p or '.') != here] + [dirname(here)]

if sys.argv[1:] == ['--nursery']:
    from lamplighter_shim.nursery import main

    main()

from lamplighter_shim.attempt import run  # noqa: E402
from lamplighter_shim.spec import BadSpec, read_spec  # noqa: E402

try:
    spec = read_spec()
except BadSpec as bad:
    print(f'lamplighter: {bad}', file=sys.stderr)
    sys.exit(64)
code = run(spec)
sys.stderr.flush()
os._exit(code)  # taking the interpreter down in good order costs 3 ms and frees what the kernel frees anyway
