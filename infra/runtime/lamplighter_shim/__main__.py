from __future__ import annotations

import os
import sys
from os.path import abspath, dirname

# Started as a directory, Python puts this directory first on sys.path, where `profile.py` would hide the standard
# library's. The parent goes last instead, so that nothing here can shadow anything.
here = dirname(abspath(__file__))
sys.path[:] = [p for p in sys.path if abspath(p or '.') != here] + [dirname(here)]

from lamplighter_shim.identity import forget_identity

forget_identity()
if sys.argv[1:] == ['--prefork']:
    from lamplighter_shim.prefork import main

    main()

from lamplighter_shim.attempt import run
from lamplighter_shim.spec import BadSpec, parse_spec, spec_text

try:
    text = spec_text()
    if text[:4] == 'http':
        from lamplighter_shim.ticket import run_by_ticket

        code = run_by_ticket(str(text))
    else:
        code = run(parse_spec(text))
except BadSpec as bad:
    print(f'lamplighter: {bad}', file=sys.stderr)
    sys.exit(64)
sys.stderr.flush()
os._exit(code)  # taking the interpreter down in good order costs 3 ms and frees what the kernel frees anyway
