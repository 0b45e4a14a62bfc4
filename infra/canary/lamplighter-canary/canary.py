"""Does once what every job relies on, and names what does not work. With the argument wait: goes on until it is stopped."""

import os
import sys
import time

# What lamp verify knows these by: see cli/verify/canary.ts.
NO_SECRET = 21
WRONG_SECRET = 22
MOST_SECONDS = 600


def main() -> int:
    secret = os.environ.get("CANARY_SECRET", "")
    if not secret:
        print("canary: the secret did not reach the container")
        return NO_SECRET
    if not secret.startswith("canary-"):
        print("canary: the secret is not the one that infra/ makes")
        return WRONG_SECRET
    # The shim must not let it through.
    print(f"canary: the secret reads {secret}", flush=True)
    with open(os.environ["JOB_METRICS"], "a", encoding="utf-8") as metrics:
        metrics.write("canary=1\n")
    if sys.argv[1:] == ["wait"]:
        print("canary: waits to be stopped", flush=True)
        time.sleep(MOST_SECONDS)
        print("canary: was not stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
